"""Two jobs of one thread each beside one job of two: how much more is done in the same time."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier

import numpy as np
import torch
from parts import Given
from rows import Row, faster

from l2i.determinism import make_deterministic
from l2i.dictionary.nmf import sparse_nmf
from l2i.networks.classifier import Classifier
from l2i.networks.interpreter import Interpreter
from l2i.networks.stored_classifier import frozen
from l2i.runtime import channels_last, resolve_precision
from l2i.systems.posthoc import LossWeights, train_posthoc
from l2i.training.loop import Plan

N_PIECES = 2  # of work, in either arrangement
N_ROUNDS = 3
N_CLASSES, N_FRAMES = 10, 431
STARTED_BY = 120  # seconds: what a process may take to load all libraries

_together: Barrier  # of the jobs of an arrangement, in each of their processes


def measure(given: Given) -> list[Row]:
    """Seconds of the same pieces of work in either arrangement, for either kind of work."""
    n_columns, n_clips = (2000, 2) if given.tiny else (20_000, 32)
    n_rounds = 1 if given.tiny else N_ROUNDS
    with _jobs(N_PIECES, 1) as beside, _jobs(1, N_PIECES) as alone:
        return [
            _compared("learning a dictionary", partial(learn, n_columns), beside, alone, n_rounds),
            _compared("post-hoc training", partial(train, n_clips), beside, alone, n_rounds),
        ]


def learn(n_columns: int) -> None:
    """Ten sweeps of sparse NMF over random data, 513 bins high."""
    X = torch.rand(513, n_columns)
    sparse_nmf(X, 100, sparsity=0.8, n_iter=10, generator=torch.Generator())


def train(n_clips: int) -> None:
    """Hidden maps of random clips of five seconds, and two epochs of one batch."""
    rng = np.random.default_rng(0)
    W = torch.rand(513, 100)
    network = Interpreter(W / W.norm(dim=0), N_CLASSES, pooling="attention", dropout=0.4)
    with tempfile.TemporaryDirectory() as scratch:
        train_posthoc(
            channels_last(network),
            frozen(Classifier(N_CLASSES), "cpu"),
            rng.standard_normal((n_clips, N_FRAMES, 128), np.float32),
            rng.random((n_clips, 513, N_FRAMES), np.float32),
            np.arange(n_clips),
            LossWeights(reconstruction=10.0, sparsity=0.8, fidelity=[(1, 1.0)]),
            Plan(2, n_clips, 2e-4),
            precision=resolve_precision("auto", "cpu"),
            device="cpu",
            scratch=Path(scratch),
            checkpoint=None,
        )


# ---------------------------------------------------------------- arrangements


@contextmanager
def _jobs(n_jobs: int, n_threads: int) -> Iterator[Callable[[Callable[[], None]], float]]:
    """Processes that wait; seconds in which they do all pieces of a work, shared out evenly."""
    context = get_context("spawn")
    given = context.Barrier(n_jobs, timeout=STARTED_BY), n_threads
    with ProcessPoolExecutor(n_jobs, context, _prepare, given) as pool:

        def seconds(work: Callable[[], None]) -> float:
            shares = [pool.submit(_share, work, N_PIECES // n_jobs) for _ in range(n_jobs)]
            return max(share.result() for share in shares)

        yield seconds


def _prepare(together: Barrier, n_threads: int) -> None:
    global _together
    _together = together
    make_deterministic(n_threads)


def _share(work: Callable[[], None], n_pieces: int) -> float:
    """Seconds of one job, which begins when all have."""
    _together.wait()  # so no process takes the share of another
    began = time.perf_counter()
    for _ in range(n_pieces):
        work()
    return time.perf_counter() - began


def _compared(
    name: str,
    work: Callable[[], None],
    beside: Callable[[Callable[[], None]], float],
    alone: Callable[[Callable[[], None]], float],
    n_rounds: int,
) -> Row:
    """Best of several rounds, in turn, after one that loads and compiles."""
    rounds = [(beside(work), alone(work)) for _ in range(1 + n_rounds)][1:]
    ours, theirs = map(min, zip(*rounds, strict=True))
    return faster(f"threads: {name}, two jobs of one against one of two", "s", ours, theirs)
