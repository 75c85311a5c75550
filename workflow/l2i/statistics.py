"""Fold statistics, their spread and their clip-level bootstrap interval.

One number of a table is the mean over folds of a statistic within each fold: a mean of a 0/1
column for accuracy and fidelity, a median for faithfulness (paper, Sec. IV-C). Where a fold was
measured several times (runs of a reseeded interpreter, draws of a random baseline), its statistic
is the mean over these replicates.

Frames of clips have the columns ``fold``, ``clip`` and ``value``, and ``run`` or ``draw`` where a
clip was measured more than once.
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
    _require_clips(clips)
    by = "run" if clips["fold"].nunique() == 1 and "run" in clips else "fold"
    values = [
        statistic(matrix, axis=-1).mean()
        for _, part in clips.groupby(by, sort=True)
        for _, _, matrix in _folds(part)
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
        _require_clips(frame)
    # skipna: a draw that is no number must show, not vanish from the mean of its clip.
    ours, theirs = (frame.groupby(pair)["value"].mean(skipna=False) for frame in (clips, other))
    lonely = ours.index.symmetric_difference(theirs.index)
    if len(lonely):
        raise InputError(
            f"{len(lonely)} clip(s) without partner to be compared with, the first at "
            f"{', '.join(pair)} = {lonely[0]}. Delete the evaluation of this fold and run again"
        )
    return (ours - theirs).reset_index()


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
    if n_bootstrap < 1:
        raise InputError(f"statistics.n_bootstrap must be at least 1, got {n_bootstrap}")
    if not 0 < confidence < 1:
        raise InputError(f"statistics.confidence must lie between 0 and 1, got {confidence}")
    _require_clips(clips)
    means = np.mean(
        [
            _resampled(matrix, statistic, _draws(names, n_bootstrap, seed))
            for _, names, matrix in _folds(clips)
        ],
        axis=0,
    )
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _require_clips(clips: pd.DataFrame) -> None:
    missing = {"fold", "clip", "value"} - set(clips.columns)
    if missing:
        raise InputError(f"a frame of clips lacks the column(s) {', '.join(sorted(missing))}")
    if clips.empty:
        raise InputError("a frame of clips is empty: there is nothing to average")


def _folds(clips: pd.DataFrame) -> Iterator[tuple[object, list[str], np.ndarray]]:
    """Each fold with its sorted clips and its values (n_replicates, n_clips)."""
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
        yield fold, names, part["value"].to_numpy(dtype=float).reshape(n_replicates, len(names))


def _draws(clips: list[str], n_bootstrap: int, seed: int) -> np.ndarray:
    """Row numbers (n_bootstrap, n_clips), drawn with replacement."""
    key = hashlib.sha256("\n".join([str(seed), *clips]).encode()).digest()
    rng = np.random.default_rng(int.from_bytes(key[:16], "big"))
    return rng.integers(len(clips), size=(n_bootstrap, len(clips)))


def _resampled(matrix: np.ndarray, statistic: Statistic, draws: np.ndarray) -> np.ndarray:
    # One replicate at a time: all at once would need n_replicates times the memory of the draws.
    return np.mean([statistic(values[draws], axis=-1) for values in matrix], axis=0)
