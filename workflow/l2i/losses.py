"""Losses of the interpreter (Eq. 1 to 4).

Reconstruction and sparsity are means over all their elements, and fidelity is a sum over classes
and a mean over the batch: only so do the weights of Table II and the values of Table VI fit
together. Probabilities enter as logits, so that no logarithm of zero can occur.

Names and shapes
----------------
reference : (B, C)  class probabilities f(x)
logits    : (B, C)  of the interpreter, before softmax
X, H      : (B, F, T) log-magnitude and (B, K, T) activations
"""

from __future__ import annotations

from torch import Tensor


def fidelity(reference: Tensor, logits: Tensor) -> Tensor:
    """Cross-entropy between the classifier's and the interpreter's output, per clip (Eq. 1)."""
    return -(reference * logits.log_softmax(-1)).sum(-1)


def reconstruction(X: Tensor, estimate: Tensor) -> Tensor:
    """Mean squared error of the log-magnitude spectrogram, per clip (Eq. 3)."""
    return (X - estimate).square().mean((-2, -1))


def sparsity(H: Tensor) -> Tensor:
    """Mean activation, per clip (the L1 norm of Eq. 4 for non-negative H)."""
    return H.mean((-2, -1))
