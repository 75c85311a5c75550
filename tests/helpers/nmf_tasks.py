"""A task that NMF classifiers can solve without a mistake: two spectral shapes, two classes."""

import numpy as np
import pandas as pd
import torch

from l2i.datasets.fold import Fold
from l2i.features.spectral import FrontEnd
from l2i.training.losses import classification
from l2i.training.task import Task

FRONT_END = FrontEnd(sample_rate=8000, n_fft=64, hop_length=32, n_mels=8, mel_power=2)
N_CLIPS, N_FRAMES = 40, 10
SETTINGS = {
    "representation": "log_magnitude",
    "slice_frames": 4,
    "n_components": 4,
    "sparsity": 0.01,
    "ridge": 1e-3,
    "n_iter": 30,
    "n_epochs": 3,
    "batch_size": 8,
    "learning_rate": 0.05,
    "inverse_regularization": 10.0,
    "head_iterations": 3,
    "published_gradient": False,
}


def make_task(folder, *, multi_label, classes=("hum", "hiss"), noise=0.0, seed=0):
    """Low bands for the first class, high ones for the second; every fifth clip is kept for test.

    With many labels, clips have one, the other, both or none of the shapes, and a part of the
    labels is unknown.
    """
    rng = np.random.default_rng(seed)
    low = np.linspace(1, 0, FRONT_END.n_bins).clip(0.4) - 0.4
    shapes = np.stack([low, low[::-1]])
    present = np.arange(N_CLIPS) % 2
    present = np.stack([present == 0, present == 1], axis=1)
    if multi_label:
        present = np.stack([np.arange(N_CLIPS) % 2, np.arange(N_CLIPS) // 2 % 2], axis=1) == 1
    gains = present[:, :, None] * rng.uniform(1, 2, (N_CLIPS, 2, N_FRAMES))
    X = np.einsum("nkt,kf->nft", gains, shapes) + noise * rng.random(
        (N_CLIPS, FRONT_END.n_bins, N_FRAMES)
    )
    index = pd.DataFrame({"clip": range(N_CLIPS), "fold": 2 - (np.arange(N_CLIPS) % 5 == 4)})
    if multi_label:
        labels = np.where(rng.random((N_CLIPS, 2)) < 0.3, np.nan, present)
        labels[[6, 7]] = np.nan
        index[["label_hum", "label_hiss"]] = labels
    else:
        index["label"] = present[:, 1].astype(int)
    fold = Fold("toy", "1", index, list(classes), FRONT_END, "absolute")
    return Task(
        fold=fold,
        log_mel=np.zeros((N_CLIPS, N_FRAMES, FRONT_END.n_mels), np.float32),
        log_magnitude=X.astype(np.float32),
        data="",
        clip_seconds=1.0,
        device="cpu",
        classifier=None,
        rows=fold.train_rows,
        loss=classification(multi_label),
        start=None,
        W=None,
        precision=torch.float32,
        scratch=folder,
        checkpoints=folder / "checkpoints",
    )
