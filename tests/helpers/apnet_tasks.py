"""Tones of two classes that APNet learns to tell apart, and tiny networks that do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from l2i.datasets.fold import Fold
from l2i.features.spectral import FrontEnd
from l2i.systems import apnet
from l2i.training.losses import classification
from l2i.training.task import Task

TINY = {"sample_rate": 4000, "n_fft": 256, "hop_length": 128, "n_mels": 16}
SETTINGS = {
    **TINY,
    "n_prototypes": 4,
    "n_channels": 4,
    "classification_weight": 10.0,
    "reconstruction_weight": 5.0,
    "prototype_weight": 5.0,
    "n_epochs": 3,
    "batch_size": 8,
    "learning_rate": 1e-2,
}
TONES = (400.0, 1200.0)  # Hz, of the two classes
RATE = 8000


class Tones(Fold):
    """A data set of noisy tones that needs no files; every second clip is of the second class."""

    def waveform(self, data, row, clip_seconds=None):
        noise = torch.Generator().manual_seed(int(row))
        t = torch.arange(round(clip_seconds * RATE)) / RATE
        x = torch.sin(2 * torch.pi * TONES[row % 2] * t)
        return x + 0.01 * torch.randn(len(t), generator=noise)


def task(tmp_path, *, multi_label=False, seconds=0.6, precision=torch.float32):
    """Sixteen clips, of which the first four are for test."""
    n_clips = 16
    labels = np.arange(n_clips) % 2
    index = pd.DataFrame({"fold": [1 if i < 4 else 2 for i in range(n_clips)]})
    if multi_label:
        index["label_low"], index["label_high"] = 1.0 - labels, 1.0 * labels
        index.loc[5::3, "label_low"] = float("nan")
    else:
        index["label"] = labels
    fold = Tones("tones", "1", index, ["low", "high"], FrontEnd(RATE, 256, 128, 16, 2), "absolute")
    return Task(
        fold=fold,
        log_mel=None,
        log_magnitude=None,
        data="",
        clip_seconds=seconds,
        device="cpu",
        classifier=None,
        rows=fold.train_rows,
        loss=classification(multi_label),
        start=None,
        W=None,
        precision=precision,
        scratch=tmp_path,
        checkpoints=tmp_path,
    )


def network(**changes):
    """A fresh network of two classes, the same every time."""
    torch.manual_seed(0)
    sizes = {"n_classes": 2, "n_prototypes": 4, "n_frames": 8, "n_channels": 3, "front_end": TINY}
    return apnet.build(**(sizes | changes))


def trained(task, **changes):
    """What training gives, the same every time, ready to predict."""
    torch.manual_seed(0)
    result = apnet.train(task, SETTINGS | changes)
    result.network.eval()
    return result
