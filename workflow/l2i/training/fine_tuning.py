"""Training the classifier on one fold (Sec. IV-B.1).

From published weights only the head learns, on embeddings computed once: the trunk stands still,
batch-norm statistics included. From scratch everything learns, and what the paper did not need is
added: random crops, mixed clips, a learning rate that rises and falls.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from l2i.features.cache import rows_of
from l2i.networks.classifier import Classifier
from l2i.progress import progress
from l2i.runtime import autocast, on_device
from l2i.training.augmentation import Augmentation, augment
from l2i.training.loop import Losses, Plan, plan_of, train
from l2i.training.losses import Loss

INFERENCE_BATCH = 32


def fit_classifier(
    classifier: Classifier,
    log_mel: np.ndarray,
    rows: np.ndarray,
    targets: Tensor,
    settings: dict[str, Any],
    **how: Any,
) -> pd.DataFrame:
    """Train what the settings of a classifier name; returns the history.

    Parameters
    ----------
    classifier, log_mel, rows, targets, **how
        See :func:`fine_tune_head`.
    settings : dict
        `trainable`, `augmentation`, and those of :class:`l2i.training.loop.Plan`.
    """
    plan = plan_of(settings)
    if settings["trainable"] == "head":
        return fine_tune_head(classifier, log_mel, rows, targets, plan, **how)
    changes = settings["augmentation"]
    augmentation = Augmentation(**changes) if changes else None
    return train_all_layers(
        classifier, log_mel, rows, targets, plan, augmentation=augmentation, **how
    )


def fine_tune_head(
    classifier: Classifier,
    log_mel: np.ndarray,
    rows: np.ndarray,
    targets: Tensor,
    plan: Plan,
    *,
    loss: Loss,
    precision: torch.dtype,
    device: str,
    checkpoint: Path | None,
) -> pd.DataFrame:
    """Train the layers after the convolutional blocks; returns the history.

    Parameters
    ----------
    classifier : Classifier
        On the device; its trunk stays as it is.
    log_mel : np.ndarray [shape=(N, n_frames, n_mels)]
        Features of the data set.
    rows : np.ndarray of int
        Training clips.
    targets : Tensor, shape (len(rows), C)
        Their labels: 1, 0, or NaN where nobody has looked.
    loss : callable
        Of logits and targets, from :func:`l2i.training.losses.classification`.
    checkpoint : Path or None
        See :func:`l2i.training.loop.train`.
    """
    classifier.eval().requires_grad_(False)
    embeddings = []
    for start in progress(
        range(0, len(rows), INFERENCE_BATCH), description="Embed clips", unit="batch"
    ):
        M = rows_of(log_mel, rows[start : start + INFERENCE_BATCH]).to(device)
        with torch.no_grad(), autocast(device, precision):
            embeddings.append(classifier.embed(M).float())
    embedding, targets = torch.cat(embeddings), targets.to(device)

    for parameter in classifier.head_parameters():
        parameter.requires_grad_()
    classifier.dropout.train()

    def batch_losses(batch: Tensor, epoch: int) -> Losses:
        batch = on_device(batch, device)
        return {"total": loss(classifier.classify(embedding[batch]), targets[batch])}

    return train(classifier, batch_losses, len(rows), plan, checkpoint=checkpoint)


def train_all_layers(
    classifier: Classifier,
    log_mel: np.ndarray,
    rows: np.ndarray,
    targets: Tensor,
    plan: Plan,
    *,
    loss: Loss,
    augmentation: Augmentation | None,
    precision: torch.dtype,
    device: str,
    checkpoint: Path | None,
) -> pd.DataFrame:
    """Train every layer; returns the history. Parameters as in :func:`fine_tune_head`."""
    classifier.train().requires_grad_()
    targets = targets.to(device)

    def fetch(batch: Tensor) -> tuple[Tensor, Tensor]:
        return rows_of(log_mel, rows[batch.numpy()]).to(device), targets[on_device(batch, device)]

    def batch_losses(batch: tuple[Tensor, Tensor], epoch: int) -> Losses:
        M, target = batch if augmentation is None else augment(*batch, augmentation)
        with autocast(device, precision):
            logits = classifier(M)
        return {"total": loss(logits.float(), target)}

    return train(classifier, batch_losses, len(rows), plan, fetch=fetch, checkpoint=checkpoint)


@torch.no_grad()
def predict(classifier: Classifier, log_mel: np.ndarray, rows: np.ndarray, device: str) -> Tensor:
    """Class logits of some clips in float32, (len(rows), C), on the CPU."""
    return torch.cat(
        [
            classifier(rows_of(log_mel, rows[i : i + INFERENCE_BATCH]).to(device)).cpu()
            for i in range(0, len(rows), INFERENCE_BATCH)
        ]
    )
