"""Sparse codes of frames in a fixed dictionary, and how they change with it.

The code of a frame is the one non-negative combination of columns that costs least,

    alpha(x, D) = argmin_{alpha >= 0}  1/2 ||x - D alpha||^2 + l1 sum(alpha) + l2/2 ||alpha||^2.

Names and shapes
----------------
x     : (N, F)  frames, one per row
D     : (F, K)  dictionary, unit-norm columns
alpha : (N, K)  codes
G     : (K, K)  D'D + l2 I
P     : (N, K)  x D - l1, so that P - alpha G is minus the gradient

References
----------
J. Friedman, T. Hastie, R. Tibshirani, "Regularization paths for generalized linear models via
coordinate descent", Journal of Statistical Software 33(1), 2010.
J. Mairal, F. Bach, J. Ponce, "Task-driven dictionary learning", IEEE Trans. PAMI 34(4), 2012.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from l2i.dictionary.moments import block_workers
from l2i.dictionary.relaxation import relax_rows

TOLERANCE = 1e-4  # largest violation of the conditions of optimality, for frames of norm 1
N_ROUNDS = 100  # at most; a code that needs more stays a little off its optimum
SWEEPS_PER_ROUND = 20  # at most
CHUNK = 1024  # frames that one thread codes at a time
# Steps go this much further than to the minimum along an axis, as in l2i.dictionary.hals: fewer
# sweeps.
RELAXATION = 1.5


def codes(
    x: Tensor,
    D: Tensor,
    *,
    l1: float,
    l2: float,
    start: Tensor | None = None,
    tolerance: float = TOLERANCE,
) -> Tensor:
    """Codes alpha (N, K) of frames x (N, F), each by coordinate descent.

    Parameters
    ----------
    x : Tensor, shape (N, F)
        Frames, float32 or float64.
    D : Tensor, shape (F, K)
        Dictionary, of the same type and device.
    l1, l2 : float
        Penalties; l2 above 0.
    start : Tensor, shape (N, K), optional
        Codes to start from, such as those in a dictionary that was nearly the same.
    tolerance : float
        See :func:`violation`.
    """
    with torch.no_grad():
        G, P = normal_equations(x, D, l1, l2)
        H = torch.zeros_like(P) if start is None else start.to(P, copy=True)
        if P.device.type == "cpu":
            with block_workers(P.device) as workers:
                parts = zip(P.split(CHUNK), H.split(CHUNK), strict=True)
                arrays = [(G.numpy(), p.numpy(), h.numpy()) for p, h in parts]

                def solve(i: int) -> None:
                    _descend(*arrays[i], tolerance, RELAXATION, N_ROUNDS)

                list(workers(solve, range(len(arrays))))
        else:
            _descend_on_gpu(G, P, H, l2, tolerance)
        return H


def normal_equations(x: Tensor, D: Tensor, l1: float, l2: float) -> tuple[Tensor, Tensor]:
    """G and P."""
    return D.T @ D + l2 * torch.eye(D.shape[1]).to(D), x @ D - l1


def violation(G: Tensor, P: Tensor, H: Tensor) -> Tensor:
    """How far codes H are from the conditions of optimality, one number per frame.

    Where a code is positive, the slope of the objective must be 0; where it is 0, the slope must
    not be negative.
    """
    slope = P - H @ G
    return torch.where(H > 0, slope.abs(), slope.clamp(min=0)).amax(1)


@njit(nogil=True, cache=True, fastmath={"contract", "nsz"})
def _descend(
    G: np.ndarray, P: np.ndarray, H: np.ndarray, tolerance: float, omega: float, n_rounds: int
) -> None:
    """Improve each row of H in place until :func:`violation` is at most `tolerance`.

    A row keeps its own slope up to date, so an entry that stays 0 costs one comparison. Sweeps soon
    know which entries are positive, but are slow to find their values where columns are alike;
    these come from a linear system then.
    """
    n, K = P.shape
    zero, step = H.dtype.type(0), H.dtype.type(omega)
    slope = np.empty(K, H.dtype)
    for i in range(n):
        h = H[i]
        for _ in range(n_rounds):
            slope[:] = P[i]  # anew in each round: rounding adds up
            for k in range(K):
                if h[k] > 0:
                    for j in range(K):
                        slope[j] -= h[k] * G[k, j]
            if _worst(slope, h) <= tolerance:
                break
            for _ in range(SWEEPS_PER_ROUND):
                for k in range(K):
                    if h[k] > 0 or slope[k] > 0:
                        new = max(zero, h[k] + step * slope[k] / G[k, k])
                        change = new - h[k]
                        h[k] = new
                        for j in range(K):
                            slope[j] -= change * G[k, j]
                if _worst(slope, h) <= tolerance / 2:
                    break
            else:
                _move_to_best(G, P[i], h)


@njit(nogil=True, cache=True)
def _move_to_best(G: np.ndarray, p: np.ndarray, h: np.ndarray) -> None:
    """Go to the minimum over the entries that are positive, or as near as none turns negative."""
    active = np.flatnonzero(h > 0)
    system = np.empty((len(active), len(active)), h.dtype)
    for i in range(len(active)):
        for j in range(len(active)):
            system[i, j] = G[active[i], active[j]]
    best = np.linalg.solve(system, p[active])
    share, last = 1.0, -1
    for i in range(len(active)):
        now = h[active[i]]
        if best[i] < 0 and now < share * (now - best[i]):
            share, last = now / (now - best[i]), i
    for i in range(len(active)):
        h[active[i]] = max(h.dtype.type(0), h[active[i]] + share * (best[i] - h[active[i]]))
    if last >= 0:
        h[active[last]] = 0


@njit(nogil=True, cache=True)
def _worst(slope: np.ndarray, h: np.ndarray) -> float:
    """:func:`violation` of one row."""
    worst = 0.0
    for k in range(len(h)):
        worst = max(worst, abs(slope[k]) if h[k] > 0 else slope[k])
    return worst


def _descend_on_gpu(G: Tensor, P: Tensor, H: Tensor, l2: float, tolerance: float) -> None:
    """The same for all rows of H at once, for unit-norm columns of the dictionary."""
    G1, P1, rows = G / (1 + l2), (P / (1 + l2)).T.contiguous(), H.T.contiguous()
    for _ in range(N_ROUNDS):
        if violation(G, P, rows.T).amax() <= tolerance:
            break
        relax_rows(G1, P1, rows, RELAXATION, SWEEPS_PER_ROUND)
    H.copy_(rows.T)


def differentiable_codes(
    x: Tensor,
    D: Tensor,
    *,
    l1: float,
    l2: float,
    start: Tensor | None = None,
    tolerance: float = TOLERANCE,
) -> Tensor:
    """:func:`codes`, with their exact derivative in D; l2 must be above 0."""
    return _Codes.apply(D, x, l1, l2, start, tolerance)


class _Codes(torch.autograd.Function):
    """Codes as a function of the dictionary.

    With l2 > 0 the code is unique, and a
    small change of D leaves the set of its positive entries A as it is, except where one is just
    about to enter or leave. On A the slope is 0,

        D_A' (x - D_A alpha_A) - l1 - l2 alpha_A = 0,

    which differentiated in D gives, for a gradient g of any loss in alpha, one linear system per
    frame and then matrix products:

        (D_A'D_A + l2 I) beta_A = g_A,     gradient in D = sum (x - D alpha) beta' - D beta alpha'.
    """

    @staticmethod
    def forward(
        ctx: Any,
        D: Tensor,
        x: Tensor,
        l1: float,
        l2: float,
        start: Tensor | None,
        tolerance: float,
    ) -> Tensor:
        """Codes, (N, K)."""
        H = codes(x, D, l1=l1, l2=l2, start=start, tolerance=tolerance)
        ctx.save_for_backward(D, x, H)
        ctx.l2 = l2
        return H

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None, None]:
        """Gradient in D, (F, K)."""
        D, x, H = ctx.saved_tensors
        beta = _solve_active(normal_equations(x[:0], D, 0.0, ctx.l2)[0], H > 0, gradient)
        gradient_in_D = (x - H @ D.T).T @ beta - D @ (beta.T @ H)
        return gradient_in_D, None, None, None, None, None


def _solve_active(G: Tensor, active: Tensor, g: Tensor) -> Tensor:
    """Solve G_AA beta_A = g_A for each row, with zeros elsewhere.

    The active entries of each row are moved to the front and cut to the most that any row has, so
    that one batched solve does for all; rows that have fewer are filled up with the identity.
    """
    size = int(active.sum(1).max()) if len(active) else 0
    order = active.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :size]
    kept = active.gather(1, order)
    both = kept[:, :, None] & kept[:, None, :]
    systems = torch.where(both, G[order[:, :, None], order[:, None, :]], 0.0)
    systems.diagonal(dim1=1, dim2=2).add_((~kept).to(G.dtype))
    right = torch.where(kept, g.gather(1, order), 0.0).unsqueeze(2)
    beta = torch.cholesky_solve(right, torch.linalg.cholesky(systems)).squeeze(2)
    return torch.zeros_like(g).scatter(1, order, beta)


@torch.no_grad()
def project_columns(D: Tensor) -> None:
    """Bring a dictionary back to non-negative columns of unit norm, in place."""
    D.clamp_(min=1e-7)  # rather than 0: a column of zeros would have no direction
    D /= D.norm(dim=0)
