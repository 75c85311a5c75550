"""Row after row of activations to its minimum and beyond, as matrix products: for a GPU."""

from __future__ import annotations

import torch
from torch import Tensor


def relax_rows(G: Tensor, P: Tensor, H: Tensor, omega: float, n_passes: int) -> None:
    """H[k] <- max(0, H[k] + omega (P[k] - G[k] @ H)) in place, row after row.

    Parameters
    ----------
    G : Tensor, shape (K, K)
        Gram matrix of a dictionary of unit-norm columns.
    P : Tensor, shape (K, n)
        Its products with the data, less the penalty.
    H : Tensor, shape (K, n)
        Activations.
    omega : float
        How far a step goes, as a multiple of the way to the minimum; below 2.
    n_passes : int
        Over all rows.
    """
    for _ in range(n_passes):
        for k, row in enumerate(H):
            slope = torch.addmv(P[k], H.T, G[k], alpha=-1)
            row.add_(slope, alpha=omega).clamp_(min=0)
