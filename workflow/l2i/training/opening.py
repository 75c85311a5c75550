"""What jobs open first: the recordings of a fold, and a task to learn from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from l2i.datasets.fold import open_fold
from l2i.dictionary.stored_dictionary import load_dictionary
from l2i.features.cache import open_features
from l2i.networks.stored_classifier import fresh_classifier, load_classifier
from l2i.runtime import resolve_precision
from l2i.streams import stream_seed
from l2i.training import losses
from l2i.training.task import Recordings, Task


def open_recordings(
    path_to_index: str | Path,
    path_to_classes: str | Path,
    path_to_log_mel: str | Path,
    path_to_log_magnitude: str | Path,
    path_to_classifier: Sequence[str],
    *,
    dataset: str,
    fold: str,
    features: dict[str, Any],
    clip_seconds: float,
    data: str,
    device: str,
) -> Recordings:
    """One fold of a data set, with the classifier under interpretation where there is one.

    Parameters
    ----------
    path_to_classifier : sequence of str
        One path, or none.
    dataset, fold, features
        See :func:`l2i.datasets.fold.open_fold`.
    clip_seconds, data, device
        See :class:`Recordings`.
    """
    clips = open_fold(path_to_index, path_to_classes, dataset=dataset, fold=fold, features=features)
    classifier = None
    if path_to_classifier:
        (path,) = path_to_classifier
        classifier = load_classifier(path, device=device, **clips.identity)
    return Recordings(
        fold=clips,
        log_mel=open_features(path_to_log_mel, n_clips=len(clips.index)),
        log_magnitude=open_features(path_to_log_magnitude, n_clips=len(clips.index)),
        data=data,
        clip_seconds=clip_seconds,
        device=device,
        classifier=classifier,
    )


def open_task(
    recordings: Recordings,
    path_to_dictionary: Sequence[str],
    path_to_weights: Sequence[str],
    *,
    start: dict[str, Any] | None,
    positive_weight: list[float] | None,
    precision: str,
    run: str,
    checkpoints: str,
    scratch: str,
) -> Task:
    """The training clips of a fold, and what it takes to learn from them.

    Parameters
    ----------
    recordings : Recordings
        From :func:`open_recordings`.
    path_to_dictionary, path_to_weights : sequence of str
        One path each, or none where the system needs no dictionary or starts from no weights.
    start : dict or None
        Architecture of a classifier that learns along: width, head_units, dropout.
    positive_weight : list of float or None
        Factor on the positives of each class.
    precision : str
        auto, float32 or bfloat16.
    run : str
        Number of the run, which seeds it.
    checkpoints, scratch : str
        Folders, see :class:`Task`.
    """
    fold, device = recordings.fold, recordings.device
    torch.manual_seed(stream_seed(int(run), "start"))
    classifier = None
    if start is not None:
        classifier = fresh_classifier(
            len(fold.classes),
            multi_label=fold.multi_label,
            architecture=start,
            path_to_weights=path_to_weights[0] if path_to_weights else None,
            device=device,
        )
    W = None
    if path_to_dictionary:
        W = load_dictionary(path_to_dictionary[0], **fold.identity).to(device)
    weight = None if positive_weight is None else torch.tensor(positive_weight, device=device)
    return Task(
        **vars(recordings),
        rows=fold.train_rows,
        loss=losses.classification(fold.multi_label, weight),
        start=classifier,
        W=W,
        precision=resolve_precision(precision, device),
        scratch=Path(scratch),
        checkpoints=Path(checkpoints),
        positive_weight=weight,
    )
