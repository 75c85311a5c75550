"""Fold statistics, their spread, and how they vary over recordings.

One number of a table is the mean over folds of a statistic within each fold: a mean of a 0/1
column for accuracy and fidelity, a median for faithfulness (paper, Sec. IV-C), or a metric that
only all clips of the fold together have, such as an area under a curve. Where a fold was measured
several times (runs of a reseeded interpreter, draws of a random baseline), its statistic is the
mean over these replicates.

Frames of clips have the columns ``fold``, ``clip`` and ``source``, and ``run`` or ``draw`` where a
clip was measured more than once. What is measured stands in ``value``; other metrics find their own
columns.

Clips of one source (pieces of one recording, or what one sensor has recorded) are alike, and tell
less than as many clips of different ones. What is drawn at random, here and in permutation tests,
is therefore a source with all of its clips (the cluster bootstrap: Davison & Hinkley 1997, Sec.
3.8; Field & Welsh 2007). A source that lies in two folds is taken for two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from l2i.checks import InputError

REPLICATES = ("run", "draw")
IDENTITY = ("fold", *REPLICATES, "source", "clip")  # columns that say which clip a row is of

# Values (B,) of a frame of N clips, of which each counts as often as a row of counts (B, N) says.
Metric = Callable[[pd.DataFrame, np.ndarray], np.ndarray]
# Counts that a metric sees at a time: enough for whole arrays, few enough for a processor's cache.
BLOCK = 2**18


@dataclass(frozen=True)
class OfSums:
    """A `Metric` that depends on sums over clips alone, so that whole sources can be added up.

    `terms` (N, K) are what each of N clips adds to K sums, and `value` gives (B,) of sums (B, K).
    Terms are whole numbers or NaN: sums of them are the same in any order.
    """

    terms: Callable[[pd.DataFrame], np.ndarray]
    value: Callable[[np.ndarray], np.ndarray]

    def __call__(self, clips: pd.DataFrame, counts: np.ndarray) -> np.ndarray:
        """As any metric."""
        return self.value(counts @ self.terms(clips))


def blocks_of(n: int, n_clips: int) -> Iterator[slice]:
    """Slices of n resamplings of so many clips, as many at a time as a metric is given."""
    size = max(1, BLOCK // n_clips)
    return (slice(start, start + size) for start in range(0, n, size))


def values_of(clips: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """The clips with one value each, as statistics take them."""
    return clips[[name for name in IDENTITY if name in clips]].assign(value=values)


def mean(clips: pd.DataFrame, counts: np.ndarray) -> np.ndarray:
    """Mean of ``value``, a `Metric`."""
    return counts @ clips["value"].to_numpy(dtype=float) / counts.sum(-1)


def median(clips: pd.DataFrame, counts: np.ndarray) -> np.ndarray:
    """Median of ``value``, a `Metric`: of the multiset that holds a clip as often as it counts."""
    values = clips["value"].to_numpy(dtype=float)
    if np.isnan(values).any():
        return np.full(len(counts), np.nan)
    order = np.argsort(values, kind="stable")
    n_below = counts[:, order].cumsum(axis=1)
    half = n_below[:, -1:] / 2
    middle = ((n_below >= half).argmax(axis=1), (n_below > half).argmax(axis=1))
    return np.mean([values[order[place]] for place in middle], axis=0)


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


def repeated_values(clips: pd.DataFrame, metric: Metric) -> np.ndarray:
    """The values whose mean and spread a table prints.

    With several folds there is one value per fold, the mean over its replicates: runs of one fold
    share classifier and dictionary, and counting them as independent would shrink the spread.
    With one fold there is one value per run.

    Parameters
    ----------
    clips : DataFrame
        See the head of the module.
    metric : callable
        See `Metric`.

    Returns
    -------
    (n,) array, by fold or by run in sorted order

    Raises
    ------
    InputError
        If the replicates of a fold do not hold the same clips, each once.
    """
    return _repeated([*folds_of(clips)], metric)


def _repeated(folds: Sequence[FoldClips], metric: Metric) -> np.ndarray:
    has_runs = "run" in folds[0].replicates[0]
    by = "run" if len(folds) == 1 and has_runs else "fold"
    values: dict[object, list[float]] = {}
    for fold in folds:
        once = np.ones((1, len(fold.clips)))
        for each in fold.replicates:
            values.setdefault(each[by].iloc[0], []).append(metric(each, once)[0])
    return np.array([np.mean(of_one) for of_one in values.values()])


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
    pair = _pair(clips)
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
    pair = _pair(clips)
    _require_partners(*(pd.MultiIndex.from_frame(frame[pair]) for frame in (clips, other)))


def resample(clips: pd.DataFrame, metric: Metric, *, n_bootstrap: int, seed: int) -> np.ndarray:
    """Mean over folds of a metric, the sources of each fold being drawn anew in each resampling.

    As many sources are drawn as the fold has, with replacement, and a clip counts as often as its
    source is drawn. The draws of a fold depend on `seed` and on its sources alone: of two frames
    with the same clips, resampling b of one and resampling b of the other draw the same, whatever
    was measured, of which system, at which threshold. Replicates of a fold are paired likewise.

    Parameters
    ----------
    clips : DataFrame
        See the head of the module.
    metric : callable
        See `Metric`.
    n_bootstrap : int
        Number of resamplings.
    seed : int
        Of the draws.

    Returns
    -------
    (n_bootstrap,) array
        NaN where the metric is undefined for a fold as resampled, for instance for want of
        positives.

    Raises
    ------
    InputError
        If `n_bootstrap` is out of range, or the replicates of a fold do not hold the same clips.
    """
    return _resampled([*folds_of(clips)], metric, n_bootstrap, seed)


def repeated_and_resampled(
    clips: pd.DataFrame, metric: Metric, *, n_bootstrap: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """`repeated_values` and `resample` of the same clips, which are sorted only once."""
    folds = [*folds_of(clips)]
    return _repeated(folds, metric), _resampled(folds, metric, n_bootstrap, seed)


def _resampled(
    folds: Sequence[FoldClips], metric: Metric, n_bootstrap: int, seed: int
) -> np.ndarray:
    if n_bootstrap < 1:
        raise InputError(f"statistics.n_bootstrap must be at least 1, got {n_bootstrap}")
    means = []
    for fold in folds:
        drawn = _draws(fold.sources, n_bootstrap, seed)
        if isinstance(metric, OfSums):
            sums = (drawn @ terms_of_sources(fold, each, metric) for each in fold.replicates)
            replicates = [metric.value(each) for each in sums]
        else:
            blocks = [drawn[b, fold.source] for b in blocks_of(n_bootstrap, len(fold.clips))]
            replicates = [
                np.concatenate([metric(each, block) for block in blocks])
                for each in fold.replicates
            ]
        means.append(np.mean(replicates, axis=0))
    return np.mean(means, axis=0)


class FoldClips(NamedTuple):
    """The clips of one fold, sorted by name.

    ``sources`` are the names of their sources, sorted, and ``source`` (n_clips,) says which of them
    a clip is from. ``replicates`` are its rows, run by run or draw by draw.
    """

    clips: list[str]
    sources: list[str]
    source: np.ndarray
    replicates: list[pd.DataFrame]


def folds_of(clips: pd.DataFrame) -> Iterator[FoldClips]:
    """Fold by fold, what is measured of its clips.

    Raises
    ------
    InputError
        If the replicates of a fold do not hold the same clips of the same sources, each once.
    """
    _require_clips(clips)
    by = [name for name in REPLICATES if name in clips]
    for fold, part in clips.groupby("fold", sort=True):
        n_replicates = len(part[by].drop_duplicates()) if by else 1
        clip, names = _numbered(part["clip"])
        order = np.lexsort([clip, *(part[name].to_numpy() for name in reversed(by))])
        part, clip, n = part.take(order), clip[order], len(names)
        source, sources = _numbered(part["source"])
        known = len(part) == n * n_replicates
        if known:  # in each replicate, all clips of the same sources
            of_clips, of_sources = clip.reshape(-1, n), source.reshape(-1, n)
            known = (of_clips == np.arange(n)).all() and (of_sources == of_sources[0]).all()
        if not known:
            raise InputError(
                f"fold {fold}: every run and draw must hold the same {n} clips, each once; got "
                f"{len(part)} rows for {n_replicates} replicate(s). "
                "Delete the evaluation of this fold and run again"
            )
        replicates = [part.iloc[i : i + n] for i in range(0, len(part), n)]
        yield FoldClips(names, sources, source[:n], replicates)


def terms_of_sources(fold: FoldClips, rows: pd.DataFrame, metric: OfSums) -> np.ndarray:
    """What each source adds to the sums of a metric, (n_sources, K), of the rows of a replicate."""
    n = len(fold.sources)
    columns = metric.terms(rows).T
    return np.stack([np.bincount(fold.source, column, n) for column in columns], axis=1)


def _numbered(names: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Which of the sorted names each is; and these names."""
    numbers, found = pd.factorize(names.astype(str), sort=True, use_na_sentinel=False)
    return numbers, [str(name) for name in found]


def generator_of(sources: list[str], seed: int) -> np.random.Generator:
    """A generator that depends on `seed` and on the sources of a fold alone."""
    key = hashlib.sha256("\n".join([str(seed), *sources]).encode()).digest()
    return np.random.default_rng(int.from_bytes(key[:16], "big"))


def _draws(sources: list[str], n_bootstrap: int, seed: int) -> np.ndarray:
    """How often each of n sources is drawn, (n_bootstrap, n)."""
    n = len(sources)
    drawn = generator_of(sources, seed).integers(n, size=(n_bootstrap, n))
    places = (drawn + n * np.arange(n_bootstrap)[:, None]).ravel()
    return np.bincount(places, minlength=n_bootstrap * n).reshape(n_bootstrap, n).astype(float)


def _require_clips(clips: pd.DataFrame, *columns: str) -> None:
    missing = {"fold", "clip", "source", *columns} - set(clips.columns)
    if missing:
        raise InputError(f"a frame of clips lacks the column(s) {', '.join(sorted(missing))}")
    if clips.empty:
        raise InputError("a frame of clips is empty: there is nothing to average")


def _pair(clips: pd.DataFrame) -> list[str]:
    return [name for name in ("fold", "run", "source", "clip") if name in clips]


def _require_partners(clips: pd.Index, other: pd.Index) -> None:
    lonely = clips.symmetric_difference(other)
    if len(lonely):
        raise InputError(
            f"{len(lonely)} clip(s) without partner to be compared with, the first at "
            f"{', '.join(clips.names)} = {lonely[0]}. Delete the evaluation of this fold and run "
            "again"
        )
