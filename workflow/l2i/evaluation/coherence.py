"""How alike the relevance vectors of one class are (paper, Sec. V-B, Fig. 5).

The paper shows a picture and reads clusters off it. A picture in two dimensions bends distances,
so the numbers here are taken in the original space of K components.

Names and shapes
----------------
vectors : (N, K)   relevances r_{c,x}, one row per clip and decided class
labels : (N,)      name of that class

Vectors are compared by the cosine distance 1 - cos: which components speak for a class, whatever
the scale. A vector without direction, all zero or not finite, can take no part (`usable`).

The numbers mean nothing by themselves, nor beside names dealt at random. A relevance is z_k w_ck,
scaled: the weights w_c are a factor of every vector of class c, and vectors cluster by class even
where the activations z are noise. What they are to be read against are the same numbers of the same
decisions with z exchanged between clips, which leaves the weights and takes what they weigh
(workflow/scripts/measure_relevances.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from l2i.checks import InputError
from l2i.names import ALL_CLASSES
from l2i.streams import random_stream

ALL = ALL_CLASSES  # the last row of `coherence`
MIN_DISTINCT = 4  # of fewer different vectors a map says nothing


def usable(vectors: np.ndarray) -> np.ndarray:
    """Mask (N,) of the rows that have a direction: finite throughout, and not all zero."""
    return np.isfinite(vectors).all(1) & (vectors != 0).any(1)


def at_most(labels: np.ndarray, clips: np.ndarray, n: int | None, seed: int) -> np.ndarray:
    """Mask (N,) of at most `n` random rows of each class; all rows where `n` is None.

    The draw of a class depends on the seed, its name and its own clips alone.
    """
    if n is None:
        return np.ones(len(labels), dtype=bool)
    if n < 1:
        raise InputError(f"shown_per_class must be at least 1, or null for all, got {n}")
    mask = np.zeros(len(labels), dtype=bool)
    for name in np.unique(labels):
        rows = np.flatnonzero(labels == name)
        rows = rows[np.argsort(clips[rows], kind="stable")]
        rng = random_stream(seed, "shown", str(name))
        mask[rng.permutation(rows)[:n]] = True
    return mask


def project(vectors: np.ndarray, *, perplexity: float, seed: int) -> np.ndarray:
    """t-SNE of the vectors in two dimensions.

    Rows are brought to unit length first, where the squared Euclidean distance, which t-SNE turns
    into affinities, is twice the cosine distance. One thread: the order in which several add up
    is not reproducible.

    Parameters
    ----------
    vectors : (N, K) array
        Usable ones.
    perplexity : float
        Capped at (N - 1) / 3, beyond which there are not enough neighbours.
    seed : int

    Returns
    -------
    (N, 2) array
        Arbitrary units; NaN where fewer than `MIN_DISTINCT` of the vectors differ.
    """
    if not perplexity > 0:
        raise InputError(f"perplexity must be positive, got {perplexity}")
    unit = _unit(vectors)
    if len(np.unique(unit.round(6), axis=0)) < MIN_DISTINCT:
        return np.full((len(unit), 2), np.nan)
    perplexity = min(float(perplexity), (len(unit) - 1) / 3)
    with threadpool_limits(limits=1):
        return TSNE(init="pca", perplexity=perplexity, random_state=seed).fit_transform(unit)


def purities(vectors: np.ndarray, labels: np.ndarray, n_neighbors: int) -> np.ndarray:
    """Share of each vector's nearest neighbours that belong to its class, (N,).

    A vector is no neighbour of its own. Of fewer than `n_neighbors` others, all are taken; a
    vector without any has NaN.
    """
    if n_neighbors < 1:
        raise InputError(f"n_neighbors must be at least 1, got {n_neighbors}")
    k = min(n_neighbors, len(labels) - 1)
    if k < 1:
        return np.full(len(labels), np.nan)
    # At unit length, Euclidean neighbours are those by cosine, and found several times sooner.
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(_unit(vectors))
    nearest = search.kneighbors(return_distance=False)
    return (labels[nearest] == labels[:, None]).mean(1)


def silhouettes(vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Silhouette of each vector, (N,), between -1 and 1; 0 for the only one of its class.

    NaN throughout where there is one class, or every vector has a class of its own.
    """
    names, own, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if not 1 < len(names) < len(labels):
        return np.full(len(labels), np.nan)
    # Cosine distances to a class add up to its size minus x'S, S the sum of its unit vectors: no
    # need to form all N^2 of them.
    unit, rows = _unit(vectors), np.arange(len(labels))
    sums = np.stack([unit[own == i].sum(0) for i in range(len(names))])
    totals = sizes - unit @ sums.T
    within = totals[rows, own] / np.maximum(sizes[own] - 1, 1)
    means = totals / sizes
    means[rows, own] = np.inf
    without = means.min(1)
    scale = np.maximum(np.maximum(within, without), 1e-12)  # copies of one vector: 0, no noise
    return np.where(sizes[own] == 1, 0.0, (without - within) / scale)


def coherence(
    vectors: np.ndarray, labels: np.ndarray, classes: Sequence[str], *, n_neighbors: int
) -> pd.DataFrame:
    """Silhouette and purity of each class, and of all vectors together.

    Parameters
    ----------
    vectors, labels : array
        See the head of the module; usable ones.
    classes : sequence of str
        All of them in order, those without a vector too.
    n_neighbors : int
        Of the purity.

    Returns
    -------
    DataFrame
        One row per class and one named `ALL`, means over vectors: ``class``, ``n_vectors``,
        ``silhouette`` (NaN for a class of one vector), ``purity``, and ``purity_chance``, what the
        purity would be on average if names were dealt at random: the class's share of the others.
        No bar for relevance vectors, whose names are in them; see the head of the module.
    """
    n = len(labels)
    rows = pd.DataFrame(
        {
            "class": labels,
            "silhouette": silhouettes(vectors, labels),
            "purity": purities(vectors, labels, n_neighbors),
        }
    )
    sizes = rows.groupby("class")["class"].transform("size")
    rows["purity_chance"] = (sizes - 1) / (n - 1) if n > 1 else np.nan
    parts = [(name, rows[rows["class"] == name]) for name in classes] + [(ALL, rows)]
    table = pd.DataFrame(
        {"class": name, "n_vectors": len(part)} | part.drop(columns="class").mean().to_dict()
        for name, part in parts
    )
    lonely = (table["n_vectors"] == 1) & (table["class"] != ALL)
    return table.assign(silhouette=table["silhouette"].mask(lonely))


def class_distances(
    vectors: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> pd.DataFrame:
    """Cosine distance between the mean relevance vectors of every two classes.

    Returns
    -------
    DataFrame, shape (C, C)
        Rows and columns in the order of `classes`. NaN for a class without vectors, or whose mean
        is zero.
    """
    means = np.full((len(classes), vectors.shape[1]), np.nan)
    for i, name in enumerate(classes):
        if (labels == name).any():
            means[i] = vectors[labels == name].mean(0)
    means[~(means != 0).any(1)] = np.nan
    unit = _unit(means)
    distances = np.clip(1 - unit @ unit.T, 0, 2)
    distances[np.diag_indices(len(classes))] = np.where(np.isnan(unit[:, 0]), np.nan, 0.0)
    return pd.DataFrame(distances, index=list(classes), columns=list(classes))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
