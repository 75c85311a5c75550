"""Dictionaries on disk, with the identity of their fold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from l2i.weights import fitting, load_weights, save_weights

KIND = "dictionary"


def save_dictionary(
    path: str | Path, W: Tensor, *, component_classes: Sequence[str] | None = None, **identity: Any
) -> None:
    """Write a dictionary W, (F, K), with the identity of its fold (l2i.datasets.fold).

    `component_classes` says of which class each column is, where classes were learned apart.
    """
    save_weights(path, {"W": W}, kind=KIND, component_classes=component_classes, **identity)


def load_dictionary(path: str | Path, **identity: Any) -> Tensor:
    """Read a dictionary W, (F, K), refusing that of another fold, class list or front end."""
    tensors = load_weights(path, kind=KIND, **identity)
    with fitting(path):
        W = tensors["W"]
        if W.ndim != 2 or not W.is_floating_point():
            raise ValueError(f"W is of {W.dtype} and has the shape {tuple(W.shape)}")
    return W
