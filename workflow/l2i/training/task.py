"""What a system gets: the recordings of a fold, and what to learn from them.

Names and shapes
----------------
log_mel       : (B, n_frames, n_mels)  log-mel in dB
log_magnitude : (B, n_bins, n_frames)  log(1 + |STFT|)
logits        : (B, C)                 before softmax or sigmoid
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from l2i.datasets.fold import Fold
from l2i.features.cache import rows_of
from l2i.networks.classifier import Classifier
from l2i.training.checkpoints import checkpoint_path
from l2i.training.losses import Loss

BATCH = 16  # clips that are scored together

Value = TypeVar("Value")


def needed(value: Value | None, name: str) -> Value:
    """What `NEEDS` of a system names, and a task therefore has."""
    if value is None:
        raise ValueError(f"this system's entry in the configuration does not need a {name}")
    return value


@dataclass(frozen=True)
class Recordings:
    """One fold of a data set, as it can be read.

    `log_mel` and `log_magnitude` are the feature arrays of all clips, usually memory-mapped; row i
    belongs to row i of `fold.index`. `data` is the folder of audio. `classifier` is the one under
    interpretation, frozen, or None for systems that explain none.
    """

    fold: Fold
    log_mel: np.ndarray
    log_magnitude: np.ndarray
    data: str
    clip_seconds: float
    device: str
    classifier: Classifier | None

    def clips(self, rows: np.ndarray | Sequence[int]) -> Clips:
        """Some clips, by row number."""
        return Clips(self, rows)

    def batches(self, rows: np.ndarray | Sequence[int]) -> Iterator[Clips]:
        """The same, a few at a time."""
        for start in range(0, len(rows), BATCH):
            yield Clips(self, rows[start : start + BATCH])


@dataclass(frozen=True)
class Clips:
    """A few clips; what is asked of them is read then, and stays."""

    recordings: Recordings
    rows: np.ndarray | Sequence[int]

    @cached_property
    def log_mel(self) -> Tensor:
        """Log-mel on the device."""
        return rows_of(self.recordings.log_mel, self.rows).to(self.recordings.device)

    @cached_property
    def log_magnitude(self) -> Tensor:
        """Log-magnitude on the device."""
        return rows_of(self.recordings.log_magnitude, self.rows).to(self.recordings.device)

    @cached_property
    def waveforms(self) -> Tensor:
        """(B, n_samples) on the device, for systems with a front end of their own."""
        source = self.recordings
        each = [source.fold.waveform(source.data, row, source.clip_seconds) for row in self.rows]
        return torch.stack(each).to(source.device)

    @property
    def classifier(self) -> Classifier:
        """The frozen classifier under interpretation."""
        return needed(self.recordings.classifier, "classifier")

    @cached_property
    def reference(self) -> Tensor:
        """Logits of the classifier under interpretation."""
        with torch.no_grad():
            return self.classifier(self.log_mel)


@dataclass(frozen=True)
class Task(Recordings):
    """Recordings, and what it takes to learn from them.

    `rows` are the clips to learn from and `loss` is the classification loss of the data set, of
    logits and targets. `start` is a trainable classifier, for systems that need one: published
    weights under a fresh head, or all of it fresh. `W` is the fold's dictionary, (n_bins, K).
    `scratch` and `checkpoints` are folders. `positive_weight`, (C,), is the factor that `loss` puts
    on the positives of each class, for what minimises it without calling it.
    """

    rows: np.ndarray
    loss: Loss
    start: Classifier | None
    W: Tensor | None
    precision: torch.dtype
    scratch: Path
    checkpoints: Path
    positive_weight: Tensor | None = None

    @property
    def n_classes(self) -> int:
        """Number C of classes."""
        return len(self.fold.classes)

    @property
    def multi_label(self) -> bool:
        """Whether any number of classes may be right, or one."""
        return self.fold.multi_label

    @cached_property
    def targets(self) -> Tensor:
        """Labels of the clips to learn from, (len(rows), C): 1, 0, or NaN where nobody looked."""
        return self.fold.targets(self.rows).to(self.device)

    def checkpoint(self) -> Path:
        """Where a training run of this task is kept on its way."""
        return checkpoint_path(self.checkpoints, self.device, self.precision)


class Prediction(NamedTuple):
    """What a network makes of a few clips, in float32."""

    logits: Tensor  # (B, C)
    losses: dict[str, Tensor] = {}  # (B,) each, named *_loss; for tables of losses


class Network(Protocol):
    """The network of a system: an `nn.Module` that says what it makes of clips."""

    architecture: dict[str, Any]  # what `build` makes it anew from

    def predict(self, clips: Clips) -> Prediction:
        """What it makes of clips."""

    def eval(self) -> nn.Module:
        """Do not learn from now on."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """All that has been learned by steps."""

    def state_dict(self) -> dict[str, Any]:
        """All that a file keeps of it."""


class Trained(NamedTuple):
    """What a system has learned."""

    network: Network
    history: pd.DataFrame  # one row per epoch: epoch, losses, seconds, seconds_waiting
    facts: dict[str, Any] = {}  # plain values for the record
