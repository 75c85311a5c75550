"""Fold statistics, their spread and their clip-level bootstrap interval.

One number of a table is the mean over folds of a statistic within each fold: a mean of a 0/1
column for accuracy and fidelity, a median for faithfulness (paper, Sec. IV-C), or a metric that
only all clips of the fold together have, such as an area under a curve. Where a fold was measured
several times (runs of a reseeded interpreter, draws of a random baseline), its statistic is the
mean over these replicates.

Frames of clips have the columns ``fold`` and ``clip``, and ``run`` or ``draw`` where a clip was
measured more than once. What is measured stands in ``value``; a metric of whole clips finds its
own columns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from l2i.checks import InputError

REPLICATES = ("run", "draw")

# Reduces the last axis, as np.mean and np.median do when they are called with axis=-1.
Statistic = Callable[..., np.ndarray]
# Values (B,) of a frame of N clips, of which each counts as often as a row of counts (B, N) says.
Metric = Callable[[pd.DataFrame, np.ndarray], np.ndarray]
# Resamplings that a metric sees at a time: enough for whole arrays, few enough for memory.
BLOCK = 100


def population_sd(values: np.ndarray) -> float:
    """Standard deviation with divisor n, which is what the paper's spreads are.

    Parameters
    ----------
    values : (n,) array

    Returns
    -------
    float
        NaN for fewer than two values: one value has no spread.
    """
    values = np.asarray(values, dtype=float)
    return float(np.std(values)) if len(values) > 1 else float("nan")


def repeated_values(clips: pd.DataFrame, statistic: Statistic) -> np.ndarray:
    """The values whose mean and spread a table prints.

    With several folds there is one value per fold, the mean over its replicates: runs of one fold
    share classifier and dictionary, and counting them as independent would shrink the spread.
    With one fold there is one value per run.

    Parameters
    ----------
    clips : DataFrame
        See the head of the module.
    statistic : callable
        Reduces an array of clips along ``axis``.

    Returns
    -------
    (n,) array, by fold or by run in sorted order

    Raises
    ------
    InputError
        If the replicates of a fold do not hold the same clips, each once.
    """
    _require_clips(clips, "value")
    values = [
        statistic(value_matrix(rows, names), axis=-1).mean()
        for _, part in clips.groupby(_repeated_by(clips), sort=True)
        for names, rows in clips_by_fold(part)
    ]
    return np.asarray(values, dtype=float)


def repeated_metric(clips: pd.DataFrame, metric: Metric) -> np.ndarray:
    """As `repeated_values`, of a metric that whole clips have together."""
    _require_clips(clips)
    values = [
        np.mean([metric(each, np.ones((1, len(names))))[0] for each in each_replicate(rows, names)])
        for _, part in clips.groupby(_repeated_by(clips), sort=True)
        for names, rows in clips_by_fold(part)
    ]
    return np.asarray(values, dtype=float)


def paired_difference(clips: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Value of each clip minus the value of the same clip in `other`.

    What is common to both sides of a pair, such as how hard a clip is, drops out before anything
    is averaged over clips; the interval of the difference is narrower for it.

    Parameters
    ----------
    clips, other : DataFrame
        See the head of the module. Pairs have the same fold, run and clip; draws of one clip are
        averaged before.

    Returns
    -------
    DataFrame
        The columns of a pair and ``value``, in sorted order.

    Raises
    ------
    InputError
        If a clip has no partner.
    """
    pair = [name for name in ("fold", "run", "clip") if name in clips]
    for frame in (clips, other):
        _require_clips(frame, "value")
    # skipna: a draw that is no number must show, not vanish from the mean of its clip.
    ours, theirs = (frame.groupby(pair)["value"].mean(skipna=False) for frame in (clips, other))
    _require_partners(ours.index, theirs.index)
    return (ours - theirs).reset_index()


def require_pairs(clips: pd.DataFrame, other: pd.DataFrame) -> None:
    """Raise InputError unless both frames hold the same clips in the same folds and runs.

    Numbers of the two then have the same draws, and the difference of their resamplings is paired.
    """
    pair = [name for name in ("fold", "run", "clip") if name in clips]
    _require_partners(*(pd.MultiIndex.from_frame(frame[pair]) for frame in (clips, other)))


def bootstrap_interval(
    clips: pd.DataFrame,
    statistic: Statistic,
    *,
    n_bootstrap: int,
    confidence: float,
    seed: int,
) -> tuple[float, float]:
    """Percentile interval of the mean over folds, clips being resampled within each fold.

    The draws of a fold depend on `seed` and on its list of clips alone. Systems, thresholds, runs
    and metrics measured on the same clips are therefore resampled alike, and their replicates are
    paired.

    Parameters
    ----------
    clips : DataFrame
        See the head of the module.
    statistic : callable
        Reduces an array of clips along ``axis``, such as ``np.mean`` or ``np.median``.
    n_bootstrap : int
        Number of resamplings.
    confidence : float
        Between 0 and 1.
    seed : int
        Of the draws.

    Returns
    -------
    low, high : float
        Both NaN where a value is NaN.

    Raises
    ------
    InputError
        If a setting is out of range, or the replicates of a fold do not hold the same clips.
    """
    _require_clips(clips, "value")
    if n_bootstrap < 1:
        raise InputError(f"statistics.n_bootstrap must be at least 1, got {n_bootstrap}")
    means = np.mean(
        [
            _resampled(value_matrix(rows, names), statistic, _draws(names, n_bootstrap, seed))
            for names, rows in clips_by_fold(clips)
        ],
        axis=0,
    )
    return percentile_interval(means, confidence=confidence)


def resampled_metric(
    clips: pd.DataFrame, metric: Metric, *, n_bootstrap: int, seed: int
) -> np.ndarray:
    """Mean over folds of a metric of whole clips, in each resampling of the clips of each fold.

    The draws are those of `bootstrap_interval`: of two frames with the same clips, resampling b of
    one and resampling b of the other draw the same.

    Parameters
    ----------
    clips : DataFrame
        See the head of the module.
    metric : callable
        See `Metric`.
    n_bootstrap, seed : int
        As in `bootstrap_interval`.

    Returns
    -------
    (n_bootstrap,) array
        NaN where the metric is undefined for a fold as resampled, for instance for want of
        positives.
    """
    _require_clips(clips)
    if n_bootstrap < 1:
        raise InputError(f"statistics.n_bootstrap must be at least 1, got {n_bootstrap}")
    folds = []
    for names, rows in clips_by_fold(clips):
        draws = _draws(names, n_bootstrap, seed)
        blocks = [_counts(draws[b : b + BLOCK]) for b in range(0, n_bootstrap, BLOCK)]
        folds.append(
            np.mean(
                [
                    np.concatenate([metric(each, counts) for counts in blocks])
                    for each in each_replicate(rows, names)
                ],
                axis=0,
            )
        )
    return np.mean(folds, axis=0)


def percentile_interval(resampled: np.ndarray, *, confidence: float) -> tuple[float, float]:
    """Interval that holds the share `confidence` of resampled numbers, tails being equal.

    Parameters
    ----------
    resampled : (n_bootstrap,) array
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : float
        Both NaN where a number is NaN, or there is none.
    """
    if not 0 < confidence < 1:
        raise InputError(f"statistics.confidence must lie between 0 and 1, got {confidence}")
    if not len(resampled):
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return float(low), float(high)


def _require_clips(clips: pd.DataFrame, *columns: str) -> None:
    missing = {"fold", "clip", *columns} - set(clips.columns)
    if missing:
        raise InputError(f"a frame of clips lacks the column(s) {', '.join(sorted(missing))}")
    if clips.empty:
        raise InputError("a frame of clips is empty: there is nothing to average")


def _require_partners(clips: pd.Index, other: pd.Index) -> None:
    lonely = clips.symmetric_difference(other)
    if len(lonely):
        raise InputError(
            f"{len(lonely)} clip(s) without partner to be compared with, the first at "
            f"{', '.join(clips.names)} = {lonely[0]}. Delete the evaluation of this fold and run "
            "again"
        )


def _repeated_by(clips: pd.DataFrame) -> str:
    return "run" if clips["fold"].nunique() == 1 and "run" in clips else "fold"


def clips_by_fold(clips: pd.DataFrame) -> Iterator[tuple[list[str], pd.DataFrame]]:
    """Sorted clips of each fold, and its rows: replicate after replicate, each in that order."""
    replicates = [name for name in REPLICATES if name in clips]
    for fold, part in clips.groupby("fold", sort=True):
        names = sorted(part["clip"].unique())
        part = part.sort_values([*replicates, "clip"])
        n_replicates = len(part[replicates].drop_duplicates()) if replicates else 1
        if list(part["clip"]) != names * n_replicates:
            raise InputError(
                f"fold {fold}: every run and draw must hold the same {len(names)} clips, each "
                f"once; got {len(part)} rows for {n_replicates} replicate(s). "
                "Delete the evaluation of this fold and run again"
            )
        yield names, part


def value_matrix(rows: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Values (n_replicates, n_clips) of one fold."""
    return rows["value"].to_numpy(dtype=float).reshape(-1, len(names))


def each_replicate(rows: pd.DataFrame, names: list[str]) -> list[pd.DataFrame]:
    """The rows of one fold, run by run or draw by draw."""
    return [rows.iloc[i : i + len(names)] for i in range(0, len(rows), len(names))]


def generator_of(clips: list[str], seed: int) -> np.random.Generator:
    """A generator that depends on `seed` and on a list of clips alone."""
    key = hashlib.sha256("\n".join([str(seed), *clips]).encode()).digest()
    return np.random.default_rng(int.from_bytes(key[:16], "big"))


def _draws(clips: list[str], n_bootstrap: int, seed: int) -> np.ndarray:
    """Row numbers (n_bootstrap, n_clips), drawn with replacement."""
    return generator_of(clips, seed).integers(len(clips), size=(n_bootstrap, len(clips)))


def _counts(draws: np.ndarray) -> np.ndarray:
    """How often each draw (B, N) holds each of the N rows."""
    n_draws, n = draws.shape
    flat = draws + n * np.arange(n_draws)[:, None]
    return np.bincount(flat.ravel(), minlength=n_draws * n).reshape(n_draws, n).astype(float)


def _resampled(matrix: np.ndarray, statistic: Statistic, draws: np.ndarray) -> np.ndarray:
    # One replicate at a time: all at once would need n_replicates times the memory of the draws.
    return np.mean([statistic(values[draws], axis=-1) for values in matrix], axis=0)
