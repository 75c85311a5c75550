"""What columns of a dictionary look like: where they lie, how tonal they are, which are alike.

Names and shapes
----------------
W : (n_bins, K)  columns, non-negative, of log-magnitudes
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
from scipy.signal import find_peaks
from scipy.spatial.distance import squareform

N_PEAKS = 3
PROMINENCE = 0.1  # of a column's largest value, above which a maximum of it is a peak
FLOOR = 1e-3  # of a column's largest value: what lies below counts as this much
LOW, HIGH = 1000.0, 4000.0  # Hz of the centroid: below is low, above is high
TONAL, NOISY = 0.5, 0.8  # flatness: below is tonal, above is noisy
LOWEST_OCTAVE = 8  # bins below are taken as one band: narrower ones say nothing of flatness


@dataclass(frozen=True)
class Shape:
    """Measures of one column; None of a column of zeros, which has no shape."""

    centroid_hz: float | None  # mean frequency, weighted by the squares of the column
    bandwidth_hz: float | None  # standard deviation about it, weighted likewise
    flatness: float | None  # see :func:`flatness`
    peaks_hz: tuple[float, ...]  # at most `N_PEAKS`, the most prominent first

    @property
    def words(self) -> tuple[str, ...]:
        """Plain words: where it lies, and how tonal it is; see `LOW`, `HIGH`, `TONAL`, `NOISY`."""
        if self.centroid_hz is None or self.flatness is None:
            return ("empty",)
        place = "low" if self.centroid_hz < LOW else "high" if self.centroid_hz > HIGH else "middle"
        tone = "tonal" if self.flatness < TONAL else "noisy" if self.flatness > NOISY else "mixed"
        return place, tone


def shapes_of(W: np.ndarray, frequencies: np.ndarray) -> list[Shape]:
    """Measures of all columns; `frequencies` (n_bins,) are those of their bins, in Hz."""
    return [_shape(column, frequencies) for column in W.T.astype(np.float64)]


def flatness(column: np.ndarray) -> float:
    """Spectral flatness within octaves: near 0 of single lines, 1 where nothing stands out.

    The geometric over the arithmetic mean of each octave, weighted by what the octave holds. Taken
    over the whole spectrum, a smooth low-pass, such as wind, would count as tonal. Values below
    `FLOOR` of the largest count as that much, so that a single zero does not decide.
    """
    floored = np.maximum(column, FLOOR * column.max())
    edges = [0]
    edge = LOWEST_OCTAVE
    while edge < len(column):
        edges.append(edge)
        edge *= 2
    octaves = [part for part in np.split(floored, edges[1:]) if len(part) > 1]
    held = np.array([part.sum() for part in octaves])
    flat = [np.exp(np.log(part).mean()) / part.mean() for part in octaves]
    return float(held @ flat / held.sum())


def cosines(W: np.ndarray) -> np.ndarray:
    """Cosine similarity of all pairs of columns, (K, K); 0 with a column of zeros, 1 with itself.

    No column has negative values, so neither has a similarity.
    """
    W = W.astype(np.float64)
    norms = np.linalg.norm(W, axis=0)
    unit = W / np.where(norms == 0, 1, norms)
    found = np.clip(unit.T @ unit, 0, 1)
    np.fill_diagonal(found, 1)
    return found


def most_alike(similarity: np.ndarray, k: int, n: int) -> list[int]:
    """The `n` columns that are most similar to column `k`, the most similar first."""
    others = np.argsort(-similarity[k], kind="stable")
    return [int(i) for i in others if i != k][:n]


@dataclass(frozen=True)
class Grouping:
    """Columns that are alike."""

    groups: list[list[int]]  # of two or more columns, the largest first
    order: list[int]  # all columns, those that are alike beside each other


def grouped(similarity: np.ndarray, threshold: float) -> Grouping:
    """Groups in which any two columns are at least `threshold` similar.

    By agglomerative clustering with complete linkage, so that the threshold means what it says:
    no chain of neighbours joins two columns that are unlike.

    Parameters
    ----------
    similarity : np.ndarray [shape=(K, K)]
        From :func:`cosines`.
    threshold : float
        Between 0 and 1.
    """
    n = len(similarity)
    if n < 2:
        return Grouping([], list(range(n)))
    distance = 1 - (similarity + similarity.T) / 2
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), method="complete", optimal_ordering=True)
    labels = fcluster(tree, 1 - threshold, criterion="distance")
    groups = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    several = [group for group in groups if len(group) > 1]
    return Grouping(
        sorted(several, key=lambda group: (-len(group), group)), leaves_list(tree).tolist()
    )


def _shape(column: np.ndarray, frequencies: np.ndarray) -> Shape:
    weights = np.square(column / (column.max() or 1))
    total = weights.sum()
    if total == 0:
        return Shape(None, None, None, ())
    centroid = float(weights @ frequencies / total)
    spread = weights @ np.square(frequencies - centroid) / total
    padded = np.pad(column, 1)  # the first and the last bin may be peaks too
    at, found = find_peaks(padded, prominence=PROMINENCE * column.max())
    foremost = at[np.argsort(-found["prominences"], kind="stable")][:N_PEAKS] - 1
    peaks = tuple(float(frequencies[i]) for i in foremost)
    return Shape(centroid, float(np.sqrt(spread)), flatness(column), peaks)
