"""Sparse NMF with unit-norm columns (Sec. III-D, IV-B.3).

Minimises  1/2 ||X - WH||^2 + mu ||H||_1  over  W, H >= 0  with  ||w_k|| = 1.

Names and shapes used throughout
--------------------------------
X : (F, N)   data, one log-magnitude STFT frame per column
W : (F, K)   dictionary, one spectral pattern per column; inside this module transposed, (K, F)
H : (K, N)   activations
mu           weight of the L1 penalty, `sparsity`

X is read once in each iteration, block after block of its columns: a block gives W'X, which is all
that its part of H needs, and then its share of XH' and HH', which is all that W needs. Nothing of
the size of X is ever made, and X may be larger than memory (l2i.dictionary.columns).

Where X has many blocks, hierarchical ALS updates W several times in an iteration, each time after a
part of them: the moments of the part are replaced, those of the others stand, and their sum is that
of H as it is. Each update therefore minimises the objective itself, which can only fall.

References
----------
J. Le Roux, F. Weninger, J. Hershey, "Sparse NMF - half-baked or well done?", MERL TR2015-023, 2015.
A. M. S. Ang, N. Gillis, "Accelerating nonnegative matrix factorization algorithms using
extrapolation", Neural Computation 31(2), 2019.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from l2i.checks import InputError, require_nonnegative, require_shape
from l2i.dictionary import hals, multiplicative
from l2i.dictionary.columns import Blocks, as_blocks
from l2i.dictionary.moments import Moments, block_workers, describe_block, product, products, summed
from l2i.dictionary.multiplicative import unit_rows
from l2i.progress import NowAndThen, progress

logger = logging.getLogger(__name__)


class Factorisation(NamedTuple):
    """What :func:`sparse_nmf` returns."""

    W: Tensor  # (F, K), unit-norm columns, frozen ones first
    H: Tensor  # (K, N)
    objective: Tensor  # (n_iter + 1,), float64: of the start, and after each iteration
    seconds: Tensor  # (n_iter + 1,), float64: wall-clock time at which each value was known
    relative_error: float  # ||X - WH|| / ||X||


class Solver(NamedTuple):
    """The two halves of an iteration, neither of which increases the objective."""

    activations: Callable[[Tensor, Tensor, Tensor, float], None]  # WtX, WtW, H, mu; H in place
    atoms: Callable[[Tensor, Tensor, Tensor, int], Tensor]  # XHt, HHt, W, n_frozen -> W
    overshoots: tuple[float, ...]  # how far W may go on beyond its update: shares to try of it
    n_parts: int  # of X at most, after each of which W is updated


SOLVERS = {
    "hals": Solver(hals.update_activations, hals.update_atoms, overshoots=(0.9, 0.45), n_parts=8),
    "multiplicative": Solver(
        multiplicative.update_activations, multiplicative.update_atoms, overshoots=(), n_parts=1
    ),
}
MIN_BLOCKS = 24  # of a part: an update of W takes as long as two, and all threads wait for it


def sparse_nmf(
    X: Tensor | np.ndarray | Blocks,
    n_components: int,
    *,
    sparsity: float,
    n_iter: int,
    generator: torch.Generator,
    solver: str = "hals",
    frozen: Tensor | None = None,
    start: tuple[Tensor, Tensor] | None = None,
    observe: Callable[[int, float, float], None] = lambda iteration, objective, seconds: None,
) -> Factorisation:
    """Learn a non-negative dictionary and its activations.

    The number of iterations is fixed: the cost of a run is known in advance, and the result does
    not depend on a tolerance. All results are on the device and of the type of X.

    Parameters
    ----------
    X : Tensor or ndarray of shape (F, N), or Blocks
        Finite, non-negative data, float32 or float64.
    n_components : int
        Number of columns of W to learn, on top of the frozen ones.
    sparsity : float
        Weight mu of the L1 norm of H; 0 gives plain Euclidean NMF.
    n_iter : int
        Number of iterations, at least 1.
    generator : torch.Generator
        On the CPU; only source of randomness.
    solver : {'hals', 'multiplicative'}
        Hierarchical alternating least squares (l2i.dictionary.hals), or the paper's multiplicative
        rule.
    frozen : Tensor, shape (F, K0), optional
        Unit-norm columns kept as they are, placed first. SONYC-UST models background noise this
        way (Sec. IV-B.3).
    start : (Tensor, Tensor), optional
        Learned columns of W, (F, n_components), and H, (K0 + n_components, N), to start from
        instead of random numbers. Columns of W are scaled to unit norm, rows of H inversely.

    Returns
    -------
    Factorisation

    Raises
    ------
    InputError
        If an argument is out of range or of the wrong shape, or has a negative or infinite entry.
    """
    _require_settings(n_components, sparsity, n_iter, solver)
    X = as_blocks(X)
    frozen = _require_frozen(X, frozen)
    if start is None:
        W, H = _drawn(X, frozen, n_components, generator)
    else:
        W, H = _given(X, frozen, n_components, start)
    began, history, due = time.perf_counter(), [], NowAndThen()

    def note(moments: Moments, iteration: int) -> None:
        history.append((moments.objective(W.double(), sparsity), time.perf_counter() - began))
        observe(iteration, *history[-1])
        if iteration and due(surely=iteration == n_iter):
            told = "iteration %d of %d: objective %.8g, %.2f s"
            logger.info(told, iteration, n_iter, *history[-1])

    rule, n_frozen = SOLVERS[solver], frozen.shape[1]
    parts = _parts(len(X), rule.n_parts)
    with block_workers(X.device) as workers:
        of_part = [summed(describe_block, X, H, workers, part) for part in parts]
        moments = Moments.of_all(of_part)
        note(moments, 0)
        for i in progress(range(n_iter), description="Learn dictionary", unit="iteration"):
            for p, part in enumerate(parts):
                update = _update_of(W, rule.activations, sparsity, X.device)
                # The energy of X is summed once only.
                new = summed(update, X, H, workers, part)
                of_part[p] = new._replace(energy=of_part[p].energy)
                is_end = p + 1 == len(parts)
                if i or is_end:  # at first most of H is random, and nothing to fit W to
                    moments = Moments.of_all(of_part)
                    is_last = is_end and i + 1 == n_iter
                    W = _update_atoms(W, moments, rule, n_frozen, is_last)
            note(moments, i + 1)
    objective, seconds = torch.tensor(history, dtype=torch.float64).T
    error = math.sqrt(2 * moments.objective(W.double(), 0) / (float(moments.energy) or 1))
    return Factorisation(W.T.contiguous().to(X.device), H, objective, seconds, error)


def _parts(n_blocks: int, n_parts: int) -> list[range]:
    """Numbers of blocks, cut into parts of about the same size."""
    n_parts = max(1, min(n_parts, n_blocks // MIN_BLOCKS))
    ends = [n_blocks * p // n_parts for p in range(n_parts + 1)]
    return [range(*pair) for pair in pairwise(ends)]


def _update_of(
    W: Tensor, rule: Callable[..., None], mu: float, device: torch.device
) -> Callable[[Tensor, Tensor], tuple[Tensor, ...]]:
    """What updates a block's part of H in place, and returns its share of the moments."""
    W = W.to(device)
    gram = W @ W.T

    def visit(x: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        rule(product(W, x), gram, h, mu)
        return products(x, h)

    return visit


def _update_atoms(
    W: Tensor, moments: Moments, solver: Solver, n_frozen: int, is_last: bool
) -> Tensor:
    """Update the columns of W, and go on in the same direction where that does no harm.

    H has not yet answered to the new W, and once it has, W will want to move on the same way. So W
    goes further at once, by up to as much as leaves the objective no higher than it was before the
    update: as a whole it never rises. The last update has no H to follow, and stays at the best.
    """
    before = W.double()
    after = solver.atoms(moments.XHt, moments.HHt, before, n_frozen)
    limit = moments.objective(before, 0)
    for share in () if is_last else solver.overshoots:
        beyond = unit_rows((after + share * (after - before)).clamp(min=0))
        beyond[:n_frozen] = before[:n_frozen]
        if moments.objective(beyond, 0) <= limit:
            after = beyond
            break
    # Rounding to the type of X leaves frozen columns, which come from there, as they were.
    return after.to(W.dtype)


# ---------------------------------------------------------------- arguments and start


def _require_settings(n_components: int, sparsity: float, n_iter: int, solver: str) -> None:
    if n_components < 1:
        raise InputError(f"n_components must be at least 1, got {n_components}")
    if not 0 <= sparsity < math.inf:
        raise InputError(f"sparsity must be non-negative and finite, got {sparsity}")
    if n_iter < 1:
        raise InputError(f"n_iter must be at least 1, got {n_iter}")
    if solver not in SOLVERS:
        raise InputError(f"solver must be one of {', '.join(SOLVERS)}, got {solver!r}")


def _require_frozen(X: Blocks, frozen: Tensor | None) -> Tensor:
    """The frozen columns, (F, K0), as they are used; K0 = 0 for none."""
    if 0 in X.shape:
        raise InputError(f"X must have at least one row and one column, got shape {X.shape}")
    if frozen is None:
        return torch.empty(X.shape[0], 0, dtype=X.dtype)
    require_shape(frozen, (X.shape[0], None), "frozen")
    if frozen.shape[1]:
        require_nonnegative(frozen, "frozen")
    frozen = frozen.to("cpu", X.dtype)
    norms = frozen.double().norm(dim=0)
    if ((norms - 1).abs() > 1e-4).any():
        worst = norms[(norms - 1).abs().argmax()]
        raise InputError(f"frozen must have columns of unit norm, one has norm {worst:g}")
    return frozen


def _drawn(
    X: Blocks, frozen: Tensor, n_components: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """A random start: W' (K, F) on the CPU, H (K, N) on the device of X."""
    n_bins, n_columns = X.shape
    W = torch.rand(n_components, n_bins, generator=generator, dtype=X.dtype)
    W = torch.cat([frozen.T, unit_rows(W)])
    return W, torch.rand(len(W), n_columns, generator=generator, dtype=X.dtype).to(X.device)


def _given(
    X: Blocks, frozen: Tensor, n_components: int, start: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """The caller's start in the same form."""
    W, H = start
    n_frozen = frozen.shape[1]
    require_shape(W, (X.shape[0], n_components), "W of start")
    require_shape(H, (n_frozen + n_components, X.shape[1]), "H of start")
    require_nonnegative(W, "W of start")
    require_nonnegative(H, "H of start")
    W = W.T.to("cpu", X.dtype)
    H = H.to(X.device, X.dtype, copy=True)
    H[n_frozen:] *= W.norm(dim=1, keepdim=True).to(X.device)
    return torch.cat([frozen.T, unit_rows(W)]), H
