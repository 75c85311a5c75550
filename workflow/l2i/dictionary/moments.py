"""What sparse NMF needs to know of its data: small sums over columns, gathered in one pass over X.

X : (F, N) data, W : (F, K) dictionary, H : (K, N) activations, as in l2i.dictionary.nmf.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from l2i.checks import require_nonnegative
from l2i.dictionary.columns import Blocks


class Moments(NamedTuple):
    """Sums over all columns of X and H, in float64 on the CPU."""

    XHt: Tensor  # (K, F), (X H')'
    HHt: Tensor  # (K, K)
    l1: Tensor  # (), ||H||_1
    energy: Tensor  # (), ||X||^2

    def objective(self, W: Tensor, mu: float) -> float:
        """1/2 ||X - WH||^2 + mu ||H||_1 for W' of shape (K, F), float64, without forming WH."""
        square = self.energy - 2 * (self.XHt * W).sum() + ((W @ W.T) * self.HHt).sum()
        return float(0.5 * square.clamp(min=0) + mu * self.l1)

    @classmethod
    def of_all(cls, parts: Sequence[Moments]) -> Moments:
        """Moments of all columns from those of parts of them."""
        return cls(*(torch.stack(terms).sum(0) for terms in zip(*parts, strict=True)))


def summed(
    visit: Callable[[Tensor, Tensor], tuple[Tensor, ...]],
    X: Blocks,
    H: Tensor,
    workers: Callable,
    numbers: range,
) -> Moments:
    """Sum of `visit(x, h)` over some blocks of X; `h` is the block's part of H and may be changed.

    Blocks add up in their order, whoever is done first: results do not depend on the number of
    threads.
    """

    def visit_block(i: int) -> tuple[Tensor, ...]:
        columns, x = X[i]
        h = H[:, columns].contiguous()
        parts = visit(x, h)
        H[:, columns] = h
        return parts

    n_bins, n_atoms = X.shape[0], len(H)
    shapes = [(n_atoms, n_bins), (n_atoms, n_atoms), (), ()]
    sums = [torch.zeros(shape, dtype=torch.float64, device=X.device) for shape in shapes]
    for parts in workers(visit_block, numbers):
        for total, part in zip(sums, parts, strict=False):  # the energy of X is summed once only
            total += part
    return Moments(*(total.cpu() for total in sums))


def describe_block(x: Tensor, h: Tensor) -> tuple[Tensor, ...]:
    """A block's share of the moments, the energy included; refuses data that are no data.

    Raises
    ------
    InputError
        If an entry of x is negative, infinite or not a number.
    """
    require_nonnegative(x, "X")
    # A few rows at a time: the block in float64 would be the largest thing in memory after X and H.
    energy = sum(part.double().square().sum() for part in x.split(32))
    return *products(x, h), energy


def products(x: Tensor, h: Tensor) -> tuple[Tensor, ...]:
    """A block's share of the moments that change with H."""
    return product(h, x.T), product(h, h.T), h.sum(dtype=torch.float64)


def product(A: Tensor, B: Tensor) -> Tensor:
    """A @ B; on a CPU by numpy's BLAS.

    On processors of AMD it multiplies a sixth faster than torch's, and scikit-learn has it too.
    """
    return A @ B if A.device.type != "cpu" else torch.from_numpy(A.numpy() @ B.numpy())


@contextmanager
def block_workers(device: torch.device) -> Iterator[Callable]:
    """A `map` over numbers: on a CPU with one thread per core, each computing alone.

    Threads that share every small product spend much of their time waiting for each other.
    """
    if device.type != "cpu":
        yield map
        return
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with (
            threadpool_limits(1),
            ThreadPoolExecutor(n_threads, "nmf", torch.set_num_threads, (1,)) as pool,
        ):
            yield partial(_map, pool, 2 * n_threads)
    finally:
        torch.set_num_threads(n_threads)


def _map(
    pool: ThreadPoolExecutor, n_ahead: int, function: Callable, items: Iterable[int]
) -> Iterator:
    """Results in order; unlike `pool.map`, no more than `n_ahead` ever wait to be used."""
    pending: deque[Future] = deque()
    for item in items:
        pending.append(pool.submit(function, item))
        if len(pending) > n_ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()
