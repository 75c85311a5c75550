"""Measured numbers beside the printed ones.

A row of a table is one number. Its key is table, system, data set, metric and condition (settings
such as ``threshold=0.1``). Its verdict says how it stands to the paper's:

==============  ==================================================================================
``agrees``      ``|gap| <= t sqrt(s^2 / n + paper_s^2 / paper_n)``: see `welch_margin`
``differs``     beyond that
``no spread``   the paper, or our own run, gives none
``other data``  measured on other data than the paper's, whose number stands for orientation
``missing``     the paper has a number and we have none
``diverged``    we measured, and the result is not a number
``mixed``       a setting that not all of our runs have in common
``reference``   a system that the paper quotes from elsewhere; not ours to measure
(empty)         the paper has no such number
==============  ==================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from l2i.checks import InputError
from l2i.reporting.intervals import (
    FEWEST,
    NONE,
    percentile_interval,
    score_interval,
    sources_of,
    student_interval,
)
from l2i.reporting.statistics import (
    Metric,
    mean,
    population_sd,
    repeated_and_resampled,
    require_pairs,
)
from l2i.tables import read_rows

KEYS = ["table", "system", "dataset", "metric", "condition"]
COLUMNS = [
    *KEYS,
    *("mean", "spread", "n", "low", "high"),
    *("paper_dataset", "paper_mean", "paper_spread", "paper_n", "bound", "gap", "verdict"),
]
MEASURED = [*KEYS, "mean", "spread", "n", "low", "high"]


def read_clips(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Rows of several per-clip files, one below the other.

    Raises
    ------
    InputError
        If there is no file, or one does not say which data set, fold, clip and source it belongs
        to.
    """
    if not paths:
        raise InputError("nothing to tabulate: name data sets, systems and folds under `run:`")
    names = ("dataset", "fold", "clip", "source")
    parts = [read_rows(path, columns=names, fold=str, run=int) for path in paths]
    return pd.concat(parts, ignore_index=True)


def read_clips_of_datasets(paths: Sequence[str | Path]) -> dict[str, pd.DataFrame]:
    """Data set to the rows of its clips, of files that hold one data set each.

    Data sets keep their own columns. Files without a row, such as of a classifier that decides on
    no class, belong to none.
    """
    parts: dict[str, list[pd.DataFrame]] = {}
    for part in (read_clips([path]) for path in paths):
        for dataset, rows in part.groupby("dataset", sort=False):
            parts.setdefault(str(dataset), []).append(rows)
    return {dataset: pd.concat(rows, ignore_index=True) for dataset, rows in parts.items()}


def measure(
    clips: pd.DataFrame, metric: Metric, *, statistics: Mapping, seed: int
) -> dict[str, float]:
    """Number of a table from the values of its clips, such as drops or losses.

    Parameters
    ----------
    clips : DataFrame
        ``fold``, ``clip``, ``source``, ``value``, and ``run`` or ``draw``: see
        `l2i.reporting.statistics`.
    metric : callable
        `mean` or `median` of that module.
    statistics : mapping
        ``n_bootstrap`` and ``confidence``.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        See `summarise`. Of fewer than `FEWEST` clips there is no interval.
    """
    values, resampled = _measured(clips, metric, statistics, seed)
    interval = percentile_interval(
        values.mean(), resampled, sources_of(clips), confidence=statistics["confidence"]
    )
    few = len(clips[["fold", "clip"]].drop_duplicates()) < FEWEST
    return summarise(values, NONE if few else interval)


def measure_score(
    clips: pd.DataFrame,
    metric: Metric,
    *,
    statistics: Mapping,
    seed: int,
    full: float = 1.0,
    informative: Callable[[pd.DataFrame], np.ndarray] | None = None,
) -> dict[str, float]:
    """As `measure`, of what lies between 0 and `full`: a share of clips, F1, an area.

    Parameters
    ----------
    clips : DataFrame
        ``fold``, ``clip``, ``source``, what the metric reads, and ``run`` where there are runs.
    metric : callable
        See `l2i.reporting.statistics.Metric`.
    statistics, seed
        As in `measure`.
    full : float
        1, or 100 where the metric is given in percent.
    informative : callable, optional
        Which clips the number rests on, as a mask (N,); all by default.

    Returns
    -------
    dict
        See `summarise`. Resamplings in which the metric is undefined, such as those without a clip
        of a rare class, are left out of the interval.
    """
    values, resampled = _measured(clips, metric, statistics, seed)
    low, high = score_interval(
        values.mean() / full,
        resampled / full,
        sources_of(clips),
        confidence=statistics["confidence"],
        informative=None if informative is None else sources_of(clips[informative(clips)]),
    )
    return summarise(values, (full * low, full * high))


def measure_share(clips: pd.DataFrame, *, statistics: Mapping, seed: int) -> dict[str, float]:
    """As `measure_score`, of the mean of values in percent: 100 for a hit, say, and 0 for none."""
    return measure_score(clips, mean, statistics=statistics, seed=seed, full=100.0)


def measure_difference(
    clips: pd.DataFrame,
    other: pd.DataFrame,
    metric: Metric,
    *,
    statistics: Mapping,
    seed: int,
    full: float = 1.0,
) -> dict[str, float]:
    """How far one score lies above another on the same clips.

    Parameters
    ----------
    clips, other : DataFrame
        As in `measure_score`, with the same clips in the same folds and runs. Their numbers are
        subtracted fold by fold or run by run, and resampling by resampling with the same draws.
    metric, statistics, seed, full
        As in `measure_score`.

    Returns
    -------
    dict
        See `summarise`.
    """
    require_pairs(clips, other)
    both = [_measured(each, metric, statistics, seed) for each in (clips, other)]
    values, resampled = (ours - theirs for ours, theirs in zip(*both, strict=True))
    low, high = student_interval(
        values.mean() / full,
        resampled / full,
        sources_of(clips),
        confidence=statistics["confidence"],
    )
    return summarise(values, (full * low, full * high))


def _measured(
    clips: pd.DataFrame, metric: Metric, statistics: Mapping, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Repeated values, and their mean as resampled."""
    return repeated_and_resampled(clips, metric, n_bootstrap=statistics["n_bootstrap"], seed=seed)


def summarise(values: np.ndarray, interval: tuple[float, float]) -> dict[str, float]:
    """Mean, population spread, number and interval of repeated values.

    Parameters
    ----------
    values : (n,) array
        One value per fold, or per run: see `l2i.reporting.statistics.repeated_values`.
    interval : (low, high)
        Of their mean.

    Returns
    -------
    dict
        ``mean``, ``spread``, ``n``, ``low``, ``high``. Not-a-number in means not-a-number out.
    """
    low, high = interval
    return {
        "mean": float(np.mean(values)),
        "spread": population_sd(values),
        "n": len(values),
        "low": low,
        "high": high,
    }


def condition_text(condition: Mapping[str, object] | None) -> str:
    """Settings as one key: sorted by name, as in ``of=l2i_att, threshold=0.1``.

    Lists are joined by a plus sign. None and the empty mapping are the empty text.
    """
    return ", ".join(f"{name}={_plain(value)}" for name, value in sorted((condition or {}).items()))


def paper_numbers(
    reference: Mapping, table: int, *, datasets: Mapping[str, str | None], systems: Sequence[str]
) -> pd.DataFrame:
    """The paper's numbers of one table, under the names of our data sets and systems.

    Parameters
    ----------
    reference : mapping
        The parsed ``paper.yaml``, or what it says of this table.
    table : int
        Its number in the paper.
    datasets : mapping
        Our data set to the paper's, or to None where there is none.
    systems : sequence of str
        Those that we measure. Of the others only those stay that the paper quotes from elsewhere.

    Returns
    -------
    DataFrame
        The key columns, ``paper_dataset``, ``paper_mean``, ``paper_spread``, ``paper_n``,
        ``bound``, ``reference``. A spread that stands in the text alone counts as printed.
    """
    quoted = {name for name, entry in reference["systems"].items() if entry.get("quoted")}
    rows = [
        _paper_row(number, dataset) | {"reference": number["system"] in quoted}
        for dataset, printed in datasets.items()
        for number in reference["numbers"]
        if number["table"] == table
        and number["dataset"] == printed
        and (number["system"] in quoted or _measured_by_us(number, systems))
    ]
    columns = [*KEYS, "paper_dataset", "paper_mean", "paper_spread", "paper_n", "bound"]
    return pd.DataFrame(rows, columns=[*columns, "reference"])


def beside_paper(
    measured: pd.DataFrame,
    paper: pd.DataFrame,
    *,
    datasets: Sequence[str],
    comparable: Mapping[str, bool],
) -> pd.DataFrame:
    """Join both sides on their keys; keep what only one side has.

    Parameters
    ----------
    measured : DataFrame
        The key columns and what `summarise` returns.
    paper : DataFrame
        See `paper_numbers`.
    datasets : sequence of str
        Our data sets, in the order of printing.
    comparable : mapping
        Data set to whether it holds the paper's data.

    Returns
    -------
    DataFrame
        The columns `COLUMNS`, one row per number of either side: data sets in the given order,
        quoted systems first, then as they come in `measured`. The gap, ours minus the paper's, is
        left out where it means nothing: on other data, and to a bound.

    Raises
    ------
    InputError
        If a key stands twice on one side.
    """
    for side, rows in (("measured", measured), ("the paper's", paper)):
        twice = rows.loc[rows.duplicated(KEYS), KEYS]
        if len(twice):
            raise InputError(f"{side} numbers hold the key {tuple(twice.iloc[0])} more than once")
    rows = measured.merge(paper, on=KEYS, how="outer", indicator="side")
    rows["reference"] = rows["reference"].eq(True)
    means_nothing = ~rows["dataset"].map(comparable).astype(bool) | rows["bound"].notna()
    rows["gap"] = (rows["mean"] - rows["paper_mean"]).mask(means_nothing)
    rows["verdict"] = [_verdict(row, comparable[row.dataset]) for row in rows.itertuples()]
    rows = _in_printing_order(rows, datasets, pd.concat([measured[KEYS], paper[KEYS]]))
    return rows[COLUMNS].astype({"n": "Int64", "paper_n": "Int64"})


def _plain(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "+".join(_plain(item) for item in value)
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def _measured_by_us(number: Mapping, systems: Sequence[str]) -> bool:
    # A random baseline exists only beside the system whose selection it counters.
    of = number.get("condition", {}).get("of")
    return number["system"] in systems and (of is None or of in systems)


def _paper_row(number: Mapping, dataset: str) -> dict[str, object]:
    text = number.get("text") or {}
    spread, n = number["spread"], number["n"]
    if spread is None and text.get("spread") is not None:
        spread, n = text["spread"], text["n"]
    return {
        "table": number["table"],
        "system": number["system"],
        "dataset": dataset,
        "metric": number["metric"],
        "condition": condition_text(number.get("condition")),
        "paper_dataset": number["dataset"],
        "paper_mean": float(number["mean"]),
        "paper_spread": math.nan if spread is None else float(spread),
        "paper_n": n,
        "bound": number.get("bound"),
    }


def _verdict(row: Any, comparable: bool) -> str:
    if row.reference:
        return "reference"
    if row.side == "right_only":
        return "missing"
    if not math.isfinite(row.mean):
        return "diverged"
    if row.side == "left_only":
        return ""
    if not comparable:
        return "other data"
    sides = (row.spread, row.n), (row.paper_spread, row.paper_n)
    if any(math.isnan(spread) or pd.isna(n) or n < 2 for spread, n in sides):
        return "no spread"
    margin = welch_margin(*sides)
    return "agrees" if abs(row.gap) <= margin else "differs"


def welch_margin(ours: tuple[float, int], theirs: tuple[float, int]) -> float:
    """How far two means of one and the same process lie apart in at most 1 of 20 pairs.

    Welch's t-test at 95 %: B. L. Welch, Biometrika 34, 1947, with the degrees of freedom of F. E.
    Satterthwaite, Biometrics Bulletin 2, 1946.

    Parameters
    ----------
    ours, theirs : (spread, n)
        Population standard deviation of n values, the form in which tables print it, of both sides.
        The sample variance over n, which estimates the variance of their mean, is
        ``spread^2 / (n - 1)``.

    Returns
    -------
    float
        0 where neither side varies.
    """
    (spread, n), (their_spread, their_n) = ours, theirs
    a, b = spread**2 / (n - 1), their_spread**2 / (their_n - 1)
    if a + b == 0:
        return 0.0
    df = (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (their_n - 1))
    return float(stdtrit(df, 0.975) * math.sqrt(a + b))


def _in_printing_order(
    rows: pd.DataFrame, datasets: Sequence[str], keys: pd.DataFrame
) -> pd.DataFrame:
    def rank(column: str) -> pd.Series:
        names = datasets if column == "dataset" else list(keys[column].unique())
        return rows[column].map({name: place for place, name in enumerate(names)})

    places = pd.DataFrame({column: rank(column) for column in KEYS})
    places["quoted"] = ~rows["reference"]
    order = places.sort_values(["dataset", "quoted", "system", "metric", "condition"]).index
    return rows.loc[order].reset_index(drop=True)
