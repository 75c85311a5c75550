"""The interpreter: hidden maps to activations H, H to the decision (Sec. III-B and III-D).

Psi (l2i.networks.psi) turns block outputs of the classifier into time activations H of a fixed
dictionary W; Theta pools H over time and predicts the classifier's output from what is left with
one linear layer.

Names and shapes
----------------
hidden : dict of (B, channels, time, bands)  hidden maps of the classifier
H      : (B, K, T)  activations, non-negative
z      : (B, K)     pooled activations; (B, C, K) where every class pools for itself
w      : (C, K)     weights of the linear layer, one row per class
W      : (n_bins, K) dictionary, unit-norm columns

References
----------
M. Ilse, J. Tomczak, M. Welling, "Attention-based deep multiple instance learning", ICML 2018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, relu

from l2i.networks.explainable import MapShape
from l2i.networks.psi import TAPS, Psi

ATTENTION_UNITS = 256


class Interpretation(NamedTuple):
    """What the interpreter says about a batch of clips."""

    H: Tensor  # (B, K, T)
    z: Tensor  # (B, K), or (B, C, K) with one attention vector per class
    logits: Tensor  # (B, C)


class AttentionPooling(nn.Module):
    """Theta's pooling over time by gated attention: z = H a.

    As in the authors' code, the gate is a ReLU (Ilse et al. use a sigmoid) and dropout acts on what
    the attention sees, not on what it pools.
    """

    def __init__(self, n_components: int, *, dropout: float, n_scores: int = 1) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.value = nn.Linear(n_components, ATTENTION_UNITS)
        self.gate = nn.Linear(n_components, ATTENTION_UNITS)
        self.score = nn.Linear(ATTENTION_UNITS, n_scores)

    def forward(self, H: Tensor) -> Tensor:
        """Pooled activations z, (B, K, T) to (B, K)."""
        return (H @ self.attention(H)).squeeze(2)

    def attention(self, H: Tensor) -> Tensor:
        """Shares of the frames in what is pooled, (B, T, n_scores); each column sums to 1."""
        frames = H.transpose(1, 2)  # (B, T, K)
        value = torch.tanh(by_convolution(self.value, self.dropout(frames)))
        gate = relu(by_convolution(self.gate, self.dropout(frames)))
        return self.score(value * gate).softmax(dim=1)


def by_convolution(linear: nn.Linear, frames: Tensor) -> Tensor:
    """`linear(frames)` of frames (B, T, K), as a convolution of 1 x 1.

    Convolutions have wider vectors than products of matrices have on AMD's processors.
    """
    if torch.compiler.is_exporting():
        return linear(frames)
    cells = frames.transpose(1, 2).unsqueeze(2)  # channels last in memory, as they lay
    return conv2d(cells, linear.weight[:, :, None, None], linear.bias).squeeze(2).transpose(1, 2)


class ClassAttentionPooling(AttentionPooling):
    """Attention of each class's own: z_c = H a_c, value and gate shared (the authors' appendix)."""

    def __init__(self, n_components: int, n_classes: int, *, dropout: float) -> None:
        super().__init__(n_components, dropout=dropout, n_scores=n_classes)

    def forward(self, H: Tensor) -> Tensor:
        """Pooled activations z, (B, K, T) to (B, C, K)."""
        return (H @ self.attention(H)).transpose(1, 2)


class MaxPooling(nn.Module):
    """Theta's pooling of the variant L2I w/ MAX: the largest activation over time."""

    def __init__(self, n_components: int, *, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)

    def forward(self, H: Tensor) -> Tensor:
        """Pooled activations z, (B, K, T) to (B, K)."""
        return self.dropout(H.amax(dim=2))


def pooling_of(kind: str, n_components: int, n_classes: int, *, dropout: float) -> nn.Module:
    """Theta's pooling by name: 'attention', 'class_attention' or 'max'."""
    if kind == "class_attention":
        return ClassAttentionPooling(n_components, n_classes, dropout=dropout)
    return {"attention": AttentionPooling, "max": MaxPooling}[kind](n_components, dropout=dropout)


class Interpreter(nn.Module):
    """Psi, Theta and the dictionary they answer to.

    Parameters
    ----------
    W : Tensor, shape (n_bins, K)
        Dictionary, unit-norm columns; fixed.
    n_classes : int
        Number C of classes.
    pooling : {'attention', 'class_attention', 'max'}
        How Theta pools over time: one attention vector for all classes or one for each, or the
        largest activation.
    dropout : float
        Dropout inside the pooling.
    width : float
        Factor on channel counts; that of the classifier, if it is of this library.
    taps : sequence of str
        Hidden maps that Psi sees, such as `B1` to `B6`, `input`.
    maps : mapping of str to MapShape, or its items, optional
        Shapes of all hidden maps of a classifier that is not of this library.
    """

    W: Tensor

    def __init__(
        self,
        W: Tensor,
        n_classes: int,
        *,
        pooling: str,
        dropout: float,
        width: float = 1.0,
        taps: Sequence[str] = TAPS,
        maps: Mapping[str, MapShape] | Sequence[tuple[str, MapShape]] | None = None,
    ) -> None:
        super().__init__()
        n_components = W.shape[1]
        if maps is not None:
            maps = {name: MapShape(*shape) for name, shape in dict(maps).items()}
        self.register_buffer("W", W.detach().clone())
        self.psi = Psi(n_components, width=width, taps=taps, maps=maps)
        self.pooling = pooling_of(pooling, n_components, n_classes, dropout=dropout)
        # Without a bias, component k adds exactly z_k w_ck to the logit of class c (Sec. III-E).
        self.linear = nn.Linear(n_components, n_classes, bias=False)
        self.architecture: dict[str, Any] = {
            "n_bins": W.shape[0],
            "n_components": n_components,
            "n_classes": n_classes,
            "pooling": pooling,
            "dropout": dropout,
            "width": width,
            "taps": list(self.psi.taps),
        }
        if maps is not None:
            # In a list, because their order counts, and a file sorts mappings.
            self.architecture["maps"] = [[name, list(shape)] for name, shape in maps.items()]

    def forward(self, hidden: dict[str, Tensor], n_frames: int) -> Interpretation:
        """Interpret a batch of hidden maps."""
        H = self.psi(hidden, n_frames)
        z = self.pooling(H)
        logits = self.linear(z) if z.dim() == 2 else self.contributions(z).sum(2)
        return Interpretation(H, z, logits)

    def contributions(self, z: Tensor) -> Tensor:
        """What each component adds to each class logit, z_k w_ck (Sec. III-E).

        Parameters
        ----------
        z : Tensor, shape (B, K) or (B, C, K)
            Pooled activations, the same for all classes or each class's own.

        Returns
        -------
        Tensor, shape (B, C, K)
            Sums over components to the logits.
        """
        if z.dim() == 2:
            z = z.unsqueeze(1)
        return z * self.linear.weight

    def reconstruct(self, H: Tensor) -> Tensor:
        """Log-magnitude estimate W H, (B, n_bins, T)."""
        return self.W @ H


def theta_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Taps, pooling and dropout of an interpreter, from the settings of a system."""
    return {
        "pooling": settings["pooling"],
        "dropout": settings["dropout"],
        "taps": settings["taps"],
    }
