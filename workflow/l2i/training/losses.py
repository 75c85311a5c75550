"""Losses of classifiers and interpreters (Eq. 1 to 4).

Reconstruction and sparsity are means over all their elements. Fidelity is a sum over classes where
one class is right, and a mean over classes where any number is: only so do the weights of Table II
and the values of Tables VI and VII fit together. Probabilities enter as logits, so that no
logarithm of zero can occur.

Names and shapes
----------------
reference : (B, C)  class probabilities f(x)
targets   : (B, C)  labels: 1, 0, or NaN where nobody has looked
logits    : (B, C)  of the classifier or interpreter, before softmax or sigmoid
X, H      : (B, F, T) log-magnitude and (B, K, T) activations
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

Loss = Callable[[Tensor, Tensor], Tensor]  # of logits and targets, a scalar


def fidelity(reference: Tensor, logits: Tensor, *, multi_label: bool = False) -> Tensor:
    """Cross-entropy between the classifier's and the interpreter's output, per clip (Eq. 1, 2)."""
    if multi_label:
        return binary_cross_entropy_with_logits(logits, reference, reduction="none").mean(-1)
    return -(reference * logits.log_softmax(-1)).sum(-1)


def classification(multi_label: bool, positive_weight: Tensor | None = None) -> Loss:
    """What a classifier minimises, as a function of logits and targets.

    The cross-entropy where one class is right. Else the mean binary cross-entropy of the labels
    that somebody has given; those of unobserved pairs of clip and class never enter.

    Parameters
    ----------
    multi_label : bool
        Whether any number of classes may be right.
    positive_weight : Tensor, shape (C,), optional
        Factor on the positives of each class.
    """
    if not multi_label:
        return cross_entropy

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        observed = ~targets.isnan()
        each = binary_cross_entropy_with_logits(
            logits, targets.nan_to_num(), reduction="none", pos_weight=positive_weight
        )
        return torch.where(observed, each, 0.0).sum() / observed.sum().clamp(min=1)

    return loss


def reconstruction(X: Tensor, estimate: Tensor) -> Tensor:
    """Mean squared error of the log-magnitude spectrogram, per clip (Eq. 3)."""
    return (X - estimate).square().mean((-2, -1))


def sparsity(H: Tensor) -> Tensor:
    """Mean activation, per clip (the L1 norm of Eq. 4 for non-negative H)."""
    return H.mean((-2, -1))
