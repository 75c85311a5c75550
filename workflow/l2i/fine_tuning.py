"""Training the classifier on one fold (Sec. IV-B.1).

From published weights only the head learns, on embeddings computed once: the trunk stands still,
batch-norm statistics included. From scratch everything learns, and what the paper did not need is
added: random excerpts, mixed clips, a learning rate that rises and falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from l2i.classifier import MIN_FRAMES, Classifier
from l2i.features import rows_of
from l2i.losses import Loss
from l2i.progress import progress
from l2i.runtime import autocast
from l2i.training import Losses, Plan, train

INFERENCE_BATCH = 32


@dataclass(frozen=True)
class Augmentation:
    """What is done to training clips, each time anew.

    `excerpt` is the share of a clip that is seen, cut at a random place of the clip closed to a
    ring: 1 is a circular shift in time. `mixup` is the parameter of the symmetric beta distribution
    of mixing weights (Zhang et al. 2018), 0 for none.
    """

    excerpt: float
    mixup: float


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
        Of logits and targets, from :func:`l2i.losses.classification`.
    checkpoint : Path or None
        See :func:`l2i.training.train`.
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
        batch = batch.to(device)
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
        return rows_of(log_mel, rows[batch.numpy()]).to(device), targets[batch.to(device)]

    def batch_losses(batch: tuple[Tensor, Tensor], epoch: int) -> Losses:
        M, target = batch if augmentation is None else augment(*batch, augmentation)
        with autocast(device, precision):
            logits = classifier(M)
        return {"total": loss(logits.float(), target)}

    return train(classifier, batch_losses, len(rows), plan, fetch=fetch, checkpoint=checkpoint)


def augment(M: Tensor, target: Tensor, augmentation: Augmentation) -> tuple[Tensor, Tensor]:
    """A random excerpt of every clip, mixed with another clip of the batch.

    Parameters
    ----------
    M : Tensor, shape (B, n_frames, n_mels)
        Log-mel.
    target : Tensor, shape (B, C)
        Class probabilities. A mixture is known to hold what both of its parts are known to hold.
    """
    B, n_frames, n_mels = M.shape
    frames = excerpts(B, n_frames, augmentation.excerpt, M.device)
    M = M.gather(1, frames[:, :, None].expand(-1, -1, n_mels))
    if augmentation.mixup:
        share = torch.distributions.Beta(augmentation.mixup, augmentation.mixup).sample().item()
        other = torch.randperm(B, device=M.device)
        M = share * M + (1 - share) * M[other]
        target = share * target + (1 - share) * target[other]
    return M, target


def excerpts(n_clips: int, n_frames: int, share: float, device: torch.device) -> Tensor:
    """Frame numbers, (n_clips, n_seen), of one random excerpt of every clip closed to a ring."""
    n_seen = min(n_frames, max(MIN_FRAMES, round(share * n_frames)))
    start = torch.randint(n_frames, (n_clips, 1), device=device)
    return (start + torch.arange(n_seen, device=device)) % n_frames


@torch.no_grad()
def predict(classifier: Classifier, log_mel: np.ndarray, rows: np.ndarray, device: str) -> Tensor:
    """Class logits of some clips in float32, (len(rows), C), on the CPU."""
    return torch.cat(
        [
            classifier(rows_of(log_mel, rows[i : i + INFERENCE_BATCH]).to(device)).cpu()
            for i in range(0, len(rows), INFERENCE_BATCH)
        ]
    )
