"""The same work at three sizes, measured by itself: what holds the formulas of costs to account."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch

from configuration.operations import TRAINING, classifier_pass, factorization_sweep
from l2i.dictionary.learning import learn_together
from l2i.networks.classifier import Classifier

N_FRAMES, N_BINS, N_MELS = 216, 513, 128
N_COMPONENTS, N_ITER = 50, 10
BATCH, REPEATS = 4, 5


def trials() -> list[dict[str, Any]]:
    """Units of work and CPU seconds, of a dictionary and of steps of the classifier."""
    torch.set_num_threads(1)
    rows = []
    for n_clips in (20, 40, 80):
        sweep = factorization_sweep(n_clips * N_FRAMES, N_BINS, N_COMPONENTS)
        rows.append(_row("learn_dictionary", N_ITER * sweep, _factorization(n_clips)))
    for n_frames in (N_FRAMES, 2 * N_FRAMES, 4 * N_FRAMES):
        work = TRAINING * BATCH * classifier_pass(n_frames, 1.0)
        rows.append(_row("train_classifier", work, _step(n_frames)))
    return rows


def _row(kind: str, work: float, do: Callable[[], None]) -> dict[str, Any]:
    do()
    seconds = [_measured(do) for _ in range(REPEATS)]
    return {"kind": kind, "work": round(work, 3), "core_seconds": round(median(seconds), 3)}


def _measured(do: Callable[[], None]) -> float:
    start = time.process_time()
    do()
    return time.process_time() - start


def _factorization(n_clips: int) -> Callable[[], None]:
    X = np.random.default_rng(0).random((n_clips, N_BINS, N_FRAMES), dtype=np.float32)

    def do() -> None:
        learn_together(
            X,
            np.arange(n_clips),
            n_components=N_COMPONENTS,
            sparsity=0.8,
            n_iter=N_ITER,
            solver="hals",
            generator=torch.Generator().manual_seed(0),
            device="cpu",
        )

    return do


def _step(n_frames: int) -> Callable[[], None]:
    network = Classifier(10).train()
    M = torch.randn(BATCH, n_frames, N_MELS)
    return lambda: network(M).square().sum().backward()
