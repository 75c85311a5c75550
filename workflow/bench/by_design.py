"""Training by design: how much of a step is spent outside of convolutions, and on what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from parts import Given
from rows import Row, at_most
from torch.profiler import ProfilerActivity, profile

from l2i.datasets.fold import Fold
from l2i.features.spectral import FrontEnd
from l2i.networks.classifier import Classifier
from l2i.runtime import precision_name, resolve_precision
from l2i.systems import by_design
from l2i.training import losses
from l2i.training.task import Task

FRONT_END = FrontEnd(sample_rate=44_100, n_fft=1024, hop_length=512, n_mels=128, mel_power=1)
N_FRAMES, N_CLASSES, N_COMPONENTS = 431, 10, 100
BATCH, N_BATCHES = 32, 3
SETTINGS = {  # those of ESC-50
    "predictor": "classifier",
    "prediction_weight": 1.0,
    "fidelity_weight": 1.0,
    "reconstruction_weight": 3.0,
    "sparsity_weight": 0.2,
    "taps": ["B4", "B5", "B6"],
    "pooling": "attention",
    "dropout": 0.4,
    "n_epochs": 1,
    "batch_size": BATCH,
    "learning_rate": 2e-4,
    "schedule": "constant",
    "crop": None,
}
OUTSIDE = 15.0  # per cent of a step, at most
KINDS = {  # of work, by parts of the names that torch has for it; the first that fits counts
    "convolutions": ("conv", "Conv"),
    "matrix products": ("mm", "matmul", "dot", "Bmm", "linear"),
    "optimiser": ("_fused_adam", "_foreach", "addcdiv", "addcmul", "lerp", "Optimizer"),
    "normalisation, pooling and rectifiers": (
        "batch_norm",
        "BatchNorm",
        "pool",
        "Pool",
        "threshold",
        "clamp",
        "relu",
        "Relu",
    ),
    "copies": ("copy", "fill", "zero", "empty", "index", "gather", "cat", "contiguous", "to"),
}
OTHERS = "else, element by element"


def measure(given: Given) -> list[Row]:
    """Shares of the CPU time of steps on random features, those of ESC-50 in size."""
    precision = resolve_precision("auto", "cpu")
    task = random_task(2 if given.tiny else BATCH * N_BATCHES, precision, given.scratch)
    by_design.train(task, SETTINGS)  # warm
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as measured:
        by_design.train(task, SETTINGS)
    seconds = seconds_by_kind(measured)
    per_cent = 100 * seconds / seconds.sum()
    name = f"by design in {precision_name(precision)}: share of a step"
    merged = "those merged with interpolations are matrix products"
    return [
        at_most(
            f"{name} outside of convolutions and matrix products",
            "%",
            100 - per_cent["convolutions"] - per_cent["matrix products"],
            OUTSIDE,
            note=merged,
        ),
        *(at_most(f"{name}: {kind}", "%", share) for kind, share in per_cent.items()),
        at_most(
            f"by design in {precision_name(precision)}: a batch of {BATCH} clips",
            "s",
            seconds.sum() / max(1, len(task.rows) // BATCH),
            note="CPU time under the profiler, all threads",
        ),
    ]


def seconds_by_kind(measured: profile) -> pd.Series:
    """CPU seconds by `KINDS` of what a profiler has seen, callees apart from their callers."""
    seconds = dict.fromkeys([*KINDS, OTHERS], 0.0)
    for event in measured.key_averages():
        seconds[kind_of(event.key)] += event.self_cpu_time_total / 1e6
    return pd.Series(seconds)


def kind_of(name: str) -> str:
    """The kind of work that an operation of torch is."""
    found = (kind for kind, parts in KINDS.items() if any(part in name for part in parts))
    return next(found, OTHERS)


def random_task(n_clips: int, precision: torch.dtype, scratch: Path) -> Task:
    """As many training clips of noise, and one to test, in two folds."""
    rng = np.random.default_rng(0)
    n = n_clips + 1
    index = pd.DataFrame({"clip": [f"clip{i}" for i in range(n)], "fold": 1})
    index["label"] = np.arange(n) % N_CLASSES
    index.loc[n_clips, "fold"] = 2
    fold = Fold("noise", "2", index, [f"class{i}" for i in range(N_CLASSES)], FRONT_END, "absolute")
    torch.manual_seed(0)
    W = torch.rand(FRONT_END.n_bins, N_COMPONENTS)
    features: dict[str, Any] = {
        "log_mel": rng.standard_normal((n, N_FRAMES, FRONT_END.n_mels), np.float32),
        "log_magnitude": rng.random((n, FRONT_END.n_bins, N_FRAMES), np.float32),
    }
    return Task(
        fold=fold,
        data="nowhere",
        clip_seconds=5.0,
        device="cpu",
        classifier=None,
        rows=fold.train_rows,
        loss=losses.classification(multi_label=False),
        start=Classifier(N_CLASSES),
        W=W / W.norm(dim=0),
        precision=precision,
        scratch=scratch,
        checkpoints=scratch / "checkpoints",
        **features,
    )
