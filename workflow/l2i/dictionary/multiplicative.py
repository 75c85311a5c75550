"""Multiplicative updates of sparse NMF with unit-norm columns: the paper's rule (Sec. III-D).

Arrays hold one component per row, W transposed included, as in l2i.dictionary.hals.

References
----------
J. Le Roux, F. Weninger, J. Hershey, "Sparse NMF - half-baked or well done?", MERL TR2015-023, 2015.
"""

from __future__ import annotations

import torch
from torch import Tensor, threshold_

from l2i.dictionary.moments import product

EPS = 1e-12  # keeps ratios finite; far below the smallest useful spectrogram value
# Entries that only ever shrink end as denormal numbers, with which arithmetic is many times slower.
TINY = 1e-30


def update_activations(WtX: Tensor, WtW: Tensor, H: Tensor, mu: float) -> None:
    """One multiplicative step on H in place, W fixed; never increases the objective.

    Parameters
    ----------
    WtX : Tensor, shape (K, n)
        W'X for the columns of H; overwritten.
    WtW : Tensor, shape (K, K)
        Gram matrix of W.
    H : Tensor, shape (K, n)
        Activations.
    mu : float
        Weight of the L1 penalty.
    """
    push = product(WtW, H).add_(mu + EPS)
    H.mul_(WtX.div_(push))
    threshold_(H, TINY, 0.0)


def update_atoms(XHt: Tensor, HHt: Tensor, W: Tensor, n_frozen: int) -> Tensor:
    """One multiplicative step on W, H fixed; never increases the objective.

    Parameters
    ----------
    XHt : Tensor, shape (K, F)
        (X H')'.
    HHt : Tensor, shape (K, K)
        H H'.
    W : Tensor, shape (K, F)
        W'.
    n_frozen : int
        The first columns of W, left as they are.

    Returns
    -------
    Tensor, shape (K, F)
    """
    pull, push = XHt, HHt @ W
    # The terms with W * (...) keep the step tangent to the unit sphere. Without them the penalty
    # could be lowered for nothing, by shrinking H and growing W.
    numerator = pull + W * (W * push).sum(1, keepdim=True)
    denominator = push + W * (W * pull).sum(1, keepdim=True)
    updated = threshold_(unit_rows(W * numerator / (denominator + EPS)), TINY, 0.0)
    return torch.cat([W[:n_frozen], updated[n_frozen:]])


def unit_rows(W: Tensor) -> Tensor:
    """Scale every row to Euclidean norm 1; rows of zeros stay."""
    return W / W.norm(dim=1, keepdim=True).clamp(min=EPS)
