"""Hierarchical alternating least squares: the row updates of sparse NMF, compiled.

With ||w_k|| = 1, the objective of l2i.dictionary.nmf is a parabola in each entry of row h_k and
linear in w_k, so that given everything else the best row and column are

    h_k = max(0, h_k + w_k'X - w_k'WH - mu)        w_k = max(0, R_k h_k') / ||max(0, R_k h_k')||

where R_k = X - sum_{j != k} w_j h_j. Both need X only through products that are small. All arrays
hold one component per row, W transposed included: the loops then run along contiguous memory.

References
----------
A. Cichocki, A.-H. Phan, "Fast local algorithms for large scale nonnegative matrix and tensor
factorizations", IEICE Trans. Fundamentals E92-A(3), 2009.
C. W. Cryer, "The solution of a quadratic programming problem using systematic overrelaxation",
SIAM J. Control 9(3), 1971.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from torch import Tensor

from l2i.dictionary.relaxation import relax_rows

N_PASSES = 4  # over the rows, for each pass over X: they are cheap beside the products with X
# Rows of H step this much further than to their minimum. Up to 2 the objective cannot rise: the
# far side of a parabola mirrors the near one. About 1.5 saves the most passes over X.
RELAXATION = 1.5


def update_activations(WtX: Tensor, WtW: Tensor, H: Tensor, mu: float) -> None:
    """Over-relaxed row updates of H in place, W fixed; never increases the objective.

    Parameters
    ----------
    WtX : Tensor, shape (K, n)
        W'X for the columns of H; overwritten.
    WtW : Tensor, shape (K, K)
        Gram matrix of unit-norm columns W.
    H : Tensor, shape (K, n)
        Activations.
    mu : float
        Weight of the L1 penalty.
    """
    WtX -= mu
    if H.device.type == "cpu":
        _relax_rows(WtW.numpy(), WtX.numpy(), H.numpy(), RELAXATION, N_PASSES)
    else:
        relax_rows(WtW, WtX, H, RELAXATION, N_PASSES)


def update_atoms(XHt: Tensor, HHt: Tensor, W: Tensor, n_frozen: int) -> Tensor:
    """Columns of W each at its best in turn, H fixed; never increases the objective.

    Parameters
    ----------
    XHt : Tensor, shape (K, F)
        (X H')', float64, on the CPU like all below.
    HHt : Tensor, shape (K, K)
        H H', float64.
    W : Tensor, shape (K, F)
        W', float64.
    n_frozen : int
        The first columns of W, left as they are.

    Returns
    -------
    Tensor, shape (K, F)
    """
    W = W.clone()
    _fit_rows(HHt.numpy(), XHt.numpy(), W.numpy(), n_frozen, N_PASSES)
    return W


# Without `contract` there would be no fused multiply-adds, hence half the speed.
@njit(nogil=True, cache=True, fastmath={"contract", "nsz"})
def _relax_rows(G: np.ndarray, P: np.ndarray, H: np.ndarray, omega: float, n_passes: int) -> None:
    """What :func:`l2i.dictionary.relaxation.relax_rows` does, compiled.

    Two rows share each reading of H, four entries of a sum each store of it; this is what makes
    the loops as fast as a matrix product. The second row then makes up for the change in the first.
    """
    K, n = H.shape
    zero, step = H.dtype.type(0), H.dtype.type(omega)
    a, b = np.empty(n, H.dtype), np.empty(n, H.dtype)
    for _ in range(n_passes):
        for k in range(0, K - 1, 2):
            a[:], b[:] = P[k], P[k + 1]
            for j in range(0, K - K % 4, 4):
                a0, a1, a2, a3 = G[k, j], G[k, j + 1], G[k, j + 2], G[k, j + 3]
                b0, b1, b2, b3 = G[k + 1, j], G[k + 1, j + 1], G[k + 1, j + 2], G[k + 1, j + 3]
                for i in range(n):
                    h0, h1, h2, h3 = H[j, i], H[j + 1, i], H[j + 2, i], H[j + 3, i]
                    a[i] -= a0 * h0 + a1 * h1 + a2 * h2 + a3 * h3
                    b[i] -= b0 * h0 + b1 * h1 + b2 * h2 + b3 * h3
            for j in range(K - K % 4, K):
                for i in range(n):
                    a[i] -= G[k, j] * H[j, i]
                    b[i] -= G[k + 1, j] * H[j, i]
            coupling = G[k + 1, k]
            for i in range(n):
                old = H[k, i]
                H[k, i] = max(old + step * a[i], zero)
                slope = b[i] - coupling * (H[k, i] - old)
                H[k + 1, i] = max(H[k + 1, i] + step * slope, zero)
        if K % 2:
            a[:] = P[K - 1]
            for j in range(K):
                for i in range(n):
                    a[i] -= G[K - 1, j] * H[j, i]
            for i in range(n):
                H[K - 1, i] = max(H[K - 1, i] + step * a[i], zero)


@njit(nogil=True, cache=True, fastmath={"contract", "nsz"})
def _fit_rows(B: np.ndarray, A: np.ndarray, W: np.ndarray, n_frozen: int, n_passes: int) -> None:
    """W[k] <- unit vector along max(0, A[k] - sum_{j != k} B[k, j] W[j]), row after row."""
    K, F = W.shape
    residual = np.empty(F, W.dtype)
    for _ in range(n_passes):
        for k in range(n_frozen, K):
            residual[:] = A[k]
            for j in range(K):
                weight = B[k, j] if j != k else 0.0
                for f in range(F):
                    residual[f] -= weight * W[j, f]
            energy = 0.0
            for f in range(F):
                residual[f] = max(residual[f], 0.0)
                energy += residual[f] ** 2
            if energy > 0:  # else the component is silent, and any direction is as good
                for f in range(F):
                    W[k, f] = residual[f] / np.sqrt(energy)
