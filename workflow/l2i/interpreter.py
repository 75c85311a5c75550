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

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

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
        self.temporal = nn.Conv1d(middle, n_components, 5, padding=2)
        self.activations = nn.Conv1d(n_components, n_components, 5, padding=2)

    def forward(self, hidden: dict[str, Tensor], n_frames: int) -> Tensor:
        """Activations H at `n_frames` frames."""
        b4, b5, b6 = (hidden[tap].transpose(2, 3) for tap in TAPS)  # (B, channels, mel, time)
        n = b6.shape[-1]  # pooling floors, so the finer maps may be a frame longer than 2n, 4n
        b4 = relu(self.from_b4(b4[..., : 4 * n]))
        b5 = avg_pool2d(relu(self.from_b5(stretch(b5[..., : 2 * n], 2))), (2, 1))
        b6 = stretch(relu(self.from_b6(stretch(b6, 2))), 2)
        h = stretch(torch.cat([b5, b6, b4], dim=1), 2)  # (B, 512, 4, 8n)
        h = stretch(relu(self.joint(h)), 2)
        h = relu(self.collapse(h))  # (B, 256, 1, 16n)
        h = resize(h, (1, n_frames)).squeeze(2)
        return relu(self.activations(relu(self.temporal(h))))


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


def stretch(h: Tensor, factor: int) -> Tensor:
    """Bilinear upsampling of the last axis (time), corner to corner."""
    return resize(h, (h.shape[-2], factor * h.shape[-1]))


def resize(h: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear resampling of the last two axes, corner to corner."""
    return interpolate(h, size, mode="bilinear", align_corners=True)
