"""The interpreter: hidden maps to activations H, H to the decision (Sec. III-B and III-D).

Psi turns block outputs of the classifier into time activations H of a fixed dictionary W; Theta
pools H over time and predicts the classifier's output from what is left with one linear layer.

Names and shapes
----------------
hidden : dict of (B, channels, time, mel)  outputs of the classifier's blocks B4, B5, B6
H      : (B, K, T)  activations, non-negative
z      : (B, K)     pooled activations
W      : (n_bins, K) dictionary, unit-norm columns

References
----------
M. Ilse, J. Tomczak, M. Welling, "Attention-based deep multiple instance learning", ICML 2018.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad, relu

from l2i.classifier import BLOCKS, scaled

TAPS = ("B4", "B5", "B6")  # the last three blocks (Sec. IV-B.4)
ATTENTION_UNITS = 256


class Interpretation(NamedTuple):
    """What the interpreter says about a batch of clips."""

    H: Tensor  # (B, K, T)
    z: Tensor  # (B, K)
    logits: Tensor  # (B, C)


class Psi(nn.Module):
    """From hidden maps to activations.

    The maps are brought to one resolution and joined; from there on every layer gives up
    frequency and gains time, until one row per component at the STFT's frame rate is left.

    Parameters
    ----------
    n_components : int
        Number K of dictionary columns.
    width : float
        Factor on channel counts, of the classifier and of this network.

    Shape
    -----
    hidden : dict of (B, channels, time, mel), blocks B4, B5, B6, 128 mel bands at the input
    H : (B, K, n_frames)
    """

    def __init__(self, n_components: int, *, width: float = 1.0) -> None:
        super().__init__()
        c4, c5, c6 = (scaled(BLOCKS[tap][-1], width) for tap in TAPS)
        side, middle = scaled(128, width), scaled(256, width)
        self.from_b4 = nn.Conv2d(c4, side, (4, 1), stride=(4, 1))
        self.from_b5 = nn.Conv2d(c5, middle, 3, padding=1)
        self.from_b6 = nn.Conv2d(c6, side, 3, padding=1)
        self.joint = nn.Conv2d(middle + 2 * side, middle, 3, padding=1)
        self.collapse = nn.Conv2d(middle, middle, (4, 1))
        # Over time alone; Conv1d would leave the channels-last layout, which is faster.
        self.temporal = nn.Conv2d(middle, n_components, (1, 5), padding=(0, 2))
        self.activations = nn.Conv2d(n_components, n_components, (1, 5), padding=(0, 2))

    def forward(self, hidden: dict[str, Tensor], n_frames: int) -> Tensor:
        """Activations H at `n_frames` frames."""
        b4, b5, b6 = (hidden[tap].transpose(2, 3) for tap in TAPS)  # (B, channels, mel, time)
        n = b6.shape[-1]  # pooling floors, so the finer maps may be a frame longer than 2n, 4n
        b4 = relu(self.from_b4(b4[..., : 4 * n]))
        b5 = avg_pool2d(relu(stretch_conv(b5[..., : 2 * n], 4 * n, self.from_b5)), (2, 1))
        b6 = stretch(relu(stretch_conv(b6, 2 * n, self.from_b6)), 4 * n)
        h = relu(stretch_conv(torch.cat([b5, b6, b4], dim=1), 8 * n, self.joint))  # (B, 256, 4, 8n)
        h = relu(stretch(self.collapse(h), 16 * n))  # (B, 256, 1, 16n)
        h = stretch(h, n_frames)
        return relu(self.activations(relu(self.temporal(h)))).squeeze(2)


class AttentionPooling(nn.Module):
    """Theta's pooling over time by gated attention: z = H a.

    As in the authors' code, the gate is a ReLU (Ilse et al. use a sigmoid) and dropout acts on what
    the attention sees, not on what it pools.
    """

    def __init__(self, n_components: int, *, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.value = nn.Linear(n_components, ATTENTION_UNITS)
        self.gate = nn.Linear(n_components, ATTENTION_UNITS)
        self.score = nn.Linear(ATTENTION_UNITS, 1)

    def forward(self, H: Tensor) -> Tensor:
        """Pooled activations z, (B, K, T) to (B, K)."""
        frames = H.transpose(1, 2)  # (B, T, K)
        value = torch.tanh(self.value(self.dropout(frames)))
        gate = relu(self.gate(self.dropout(frames)))
        attention = self.score(value * gate).softmax(dim=1)  # (B, T, 1)
        return (H @ attention).squeeze(2)


class MaxPooling(nn.Module):
    """Theta's pooling of the variant L2I w/ MAX: the largest activation over time."""

    def __init__(self, n_components: int, *, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)

    def forward(self, H: Tensor) -> Tensor:
        """Pooled activations z, (B, K, T) to (B, K)."""
        return self.dropout(H.amax(dim=2))


POOLINGS = {"attention": AttentionPooling, "max": MaxPooling}


class Interpreter(nn.Module):
    """Psi, Theta and the dictionary they answer to.

    Parameters
    ----------
    W : Tensor, shape (n_bins, K)
        Dictionary, unit-norm columns; fixed.
    n_classes : int
        Number C of classes.
    pooling : {'attention', 'max'}
        How Theta pools over time.
    dropout : float
        Dropout inside the pooling.
    width : float
        Factor on channel counts, equal to the classifier's.
    """

    def __init__(
        self, W: Tensor, n_classes: int, *, pooling: str, dropout: float, width: float = 1.0
    ) -> None:
        super().__init__()
        self.architecture = {
            "n_classes": n_classes,
            "pooling": pooling,
            "dropout": dropout,
            "width": width,
        }
        n_components = W.shape[1]
        self.register_buffer("W", W.detach().clone())
        self.psi = Psi(n_components, width=width)
        self.pooling = POOLINGS[pooling](n_components, dropout=dropout)
        # Without a bias, component k adds exactly z_k w_ck to the logit of class c (Sec. III-E).
        self.linear = nn.Linear(n_components, n_classes, bias=False)

    def forward(self, hidden: dict[str, Tensor], n_frames: int) -> Interpretation:
        """Interpret a batch of hidden maps."""
        H = self.psi(hidden, n_frames)
        z = self.pooling(H)
        return Interpretation(H, z, self.linear(z))

    def reconstruct(self, H: Tensor) -> Tensor:
        """Log-magnitude estimate W H, (B, n_bins, T)."""
        return self.W @ H


def stretch(h: Tensor, n_frames: int) -> Tensor:
    """Linear interpolation of the last axis (time), corner to corner."""
    return interpolate(h, (h.shape[-2], n_frames), mode="bilinear", align_corners=True)


def stretch_conv(h: Tensor, n_frames: int, conv: nn.Conv2d) -> Tensor:
    """`conv(stretch(h, n_frames))` for about `h.shape[-1] / n_frames` of its operations.

    Mixing channels and interpolating over time commute. So channels are mixed at the coarse rate,
    once for each of the kernel's frames, and the results are shifted and interpolated together.

    Parameters
    ----------
    h : Tensor, shape (B, in_channels, n_bands, T)
    n_frames : int
        Frames to stretch to.
    conv : nn.Conv2d
        Of stride 1, with a kernel of odd length in time and "same" padding there.

    Returns
    -------
    Tensor, shape (B, out_channels, n_bands, n_frames)
    """
    n_taps = conv.kernel_size[1]
    kernel = conv.weight.permute(3, 0, 1, 2).flatten(0, 1).unsqueeze(3)  # taps before channels
    mixed = conv2d(h, kernel, padding=(conv.padding[0], 0)).permute(0, 2, 3, 1)
    mixed = mixed.unflatten(3, (n_taps, -1)).flatten(2, 3)  # (B, n_bands, T * taps, out)
    weights = _stretch_weights(h.shape[-1], n_frames, n_taps, h.dtype, h.device)
    return (weights @ mixed + conv.bias).permute(0, 3, 1, 2)


@lru_cache(maxsize=32)
def _stretch_weights(
    n: int, n_frames: int, n_taps: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """What frame s, seen by tap k, adds to a stretched frame: (n_frames, n * n_taps)."""
    line = stretch(torch.eye(n, dtype=torch.float64)[:, None, None], n_frames).flatten(1).T
    reach = n_taps // 2
    padded = pad(line, (0, 0, reach, reach))
    shifted = [padded[k : k + n_frames] for k in range(n_taps)]
    return torch.stack(shifted, dim=2).flatten(1).to(device, dtype)
