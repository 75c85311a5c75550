"""Relevance vectors of three classes, about one axis each, and tables of their coherence."""

from __future__ import annotations

import numpy as np
import pandas as pd

from l2i.evaluation.coherence import class_distances, coherence

CLASSES = ["dog", "music", "siren"]


def clusters(rng, sizes=(8, 6, 7), n_components=5, spread=0.05):
    """Vectors about one axis per class, and their labels."""
    labels = np.repeat(CLASSES[: len(sizes)], sizes)
    centres = np.eye(n_components)[np.repeat(np.arange(len(sizes)), sizes)]
    return centres + spread * rng.normal(size=(len(labels), n_components)), labels


def row(table, name):
    """The row of a class."""
    return table.set_index("class").loc[name]


def parts_of(classes=CLASSES, sizes=(8, 6, 7), dataset="sonyc_ust", seed=0):
    """Points, numbers and distances of random clusters."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(classes, sizes).astype(object)
    vectors = np.eye(len(classes) + 1)[np.repeat(np.arange(len(classes)), sizes)]
    vectors = vectors + 0.3 * rng.normal(size=vectors.shape)
    numbers = coherence(vectors, labels, classes, n_neighbors=5)
    points = pd.DataFrame({"class": labels, "x": vectors[:, 0], "y": vectors[:, 1]})
    for name, by_weights in {"silhouette": -0.125, "purity": 0.375}.items():
        numbers[f"{name}_exchanged"] = numbers[name].where(numbers[name].isna(), by_weights)
    numbers.insert(0, "dataset", dataset)
    distances = class_distances(vectors, labels, classes)
    return points, numbers.assign(n_neighbors=5), distances
