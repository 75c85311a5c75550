"""Scores of interpreters, one row per clip; medians and means are taken later (Sec. IV-C).

Multi-class corpora have columns for the class of a clip, multi-label corpora for every class.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

from l2i.metrics import rank_of
from l2i.networks.classifier import Classifier


@torch.no_grad()
def classification_rows(logits: Tensor, labels: Tensor) -> pd.DataFrame:
    """What a multi-class classifier says about each clip, next to the truth."""
    probabilities, predicted = logits.softmax(-1).max(-1)
    return pd.DataFrame(
        {
            "label": labels.numpy(),
            "predicted": predicted.numpy(),
            "probability": probabilities.numpy(),
            "correct": (predicted == labels).int().numpy(),
            "cross_entropy": torch.nn.functional.cross_entropy(
                logits, labels, reduction="none"
            ).numpy(),
        }
    )


def columns_by_class(classes: Sequence[str], **matrices: Tensor) -> pd.DataFrame:
    """Matrices (B, C) as columns `{name}_{class}`; NaN stays an empty cell."""
    return pd.DataFrame(
        {
            f"{name}_{label}": values[:, c].cpu().numpy()
            for name, values in matrices.items()
            for c, label in enumerate(classes)
        }
    )


@torch.no_grad()
def tagging_rows(
    logits: Tensor, decisions: Tensor, targets: Tensor, classes: Sequence[str]
) -> pd.DataFrame:
    """What a multi-label network says about each clip: label, probability, decided, by class."""
    return columns_by_class(
        classes, label=targets, probability=logits.sigmoid(), decided=decisions.int()
    )


@torch.no_grad()
def fidelity_rows(
    classifier: Classifier, logits: Tensor, estimate: Tensor, classes: Sequence[str]
) -> pd.DataFrame:
    """How well an interpreter follows the classifier on each clip of a batch.

    Parameters
    ----------
    classifier : Classifier
        The one that is followed.
    logits, estimate : Tensor, shape (B, C)
        Of the classifier and of the interpreter.
    classes : sequence of str
        Names, for the columns of a multi-label corpus.

    Returns
    -------
    DataFrame
        Multi-class: both sides' class and the rank of one among the other's scores. Multi-label:
        both sides' probability of every class, and what the classifier decides.
    """
    reference = classifier.probabilities(logits)
    if classifier.multi_label:
        return columns_by_class(
            classes,
            classifier=reference,
            decided=classifier.decisions(logits).int(),
            interpreter=estimate.sigmoid(),
        )
    probabilities, predicted = reference.max(-1)
    columns = {
        "classifier_class": predicted,
        "interpreter_class": estimate.argmax(-1),
        "rank": rank_of(estimate, predicted),
        "classifier_probability": probabilities,
        "interpreter_probability": estimate.softmax(-1).gather(1, predicted[:, None])[:, 0],
    }
    return pd.DataFrame({name: values.cpu().numpy() for name, values in columns.items()})
