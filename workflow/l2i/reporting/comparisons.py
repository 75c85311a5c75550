"""Systems beside each other: the numbers of each, and the differences between any two.

Systems need not have been measured equally often: a baseline may have one run where others have
five. Numbers are of all that a system has; two systems are compared on what both have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from l2i.names import CLASSIFIER, TITLES
from l2i.reporting.beside_paper import (
    condition_text,
    read_clips_of_datasets,
)
from l2i.reporting.numbers import number_cell, p_text
from l2i.reporting.permutation import holm
from l2i.reporting.printed import Page, Section, grid
from l2i.reporting.quantities import quantity
from l2i.reporting.scores import ClipScore, Score, as_classification

COLUMNS = ["table", "dataset", "metric", "system", "other", "difference", "spread", "low", "high"]
COLUMNS += ["p", "p_holm", "n_folds", "n_runs", "n_clips", "n_sources"]

# System -> its clips.
Parts = Mapping[str, pd.DataFrame]


def of_systems(clips: pd.DataFrame | None, systems: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The clips of each system that has any, in the order of `systems`."""
    if clips is None:
        return {}
    parts = {system: clips[clips["system"] == system] for system in systems}
    return {system: part for system, part in parts.items() if len(part)}


def classified_clips(
    systems: Sequence[str | Path],
    classifier: Sequence[str | Path],
    posthoc: Sequence[str | Path],
    *,
    names: Sequence[str],
    as_classifier: Mapping[str, str],
) -> dict[str, dict[str, pd.DataFrame]]:
    """Data set to system to its clips, in the columns of classification.csv.

    Parameters
    ----------
    systems, classifier : sequence of path
        Files classification.csv of systems, and of the classifier itself, which has no runs.
    posthoc : sequence of path
        Files fidelity.csv of interpreters that are scored against the labels as well.
    names : sequence of str
        Systems, in the order of printing.
    as_classifier : mapping
        Interpreter to the name under which it is scored as a classifier.

    Returns
    -------
    dict
        Of each data set the systems that have clips of it: `names`, interpreters, classifier.
    """
    of_names, of_classifier, of_posthoc = (
        read_clips_of_datasets(paths) if paths else {} for paths in (systems, classifier, posthoc)
    )
    parts = {}
    for dataset in {**of_names, **of_posthoc, **of_classifier}:
        interpreters = of_systems(of_posthoc.get(dataset), list(as_classifier))
        parts[dataset] = of_systems(of_names.get(dataset), names) | {
            as_classifier[name]: as_classification(part).assign(system=as_classifier[name])
            for name, part in interpreters.items()
        }
        if dataset in of_classifier:
            parts[dataset][CLASSIFIER] = of_classifier[dataset]
    return parts


def in_common(clips: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both frames, on the folds and runs that both have.

    A side without ``run``, such as a classifier, of which a fold has one, stands beside every run
    of the other.
    """
    if "run" in clips and "run" not in other:
        other = other.merge(clips[["fold", "run"]].drop_duplicates(), on="fold")
    elif "run" in other and "run" not in clips:
        clips = clips.merge(other[["fold", "run"]].drop_duplicates(), on="fold")
    by = [name for name in ("fold", "run") if name in clips]
    both = clips[by].drop_duplicates().merge(other[by].drop_duplicates(), on=by)
    return clips.merge(both, on=by), other.merge(both, on=by)


def rows_of_systems(
    parts: Parts, scores: Sequence[Score | ClipScore], compared: Score | ClipScore, **how: Any
) -> Iterator[dict[str, object]]:
    """Numbers of every system, then how far the first one is from each other one.

    Parameters
    ----------
    parts : mapping
        See `of_systems`.
    scores : sequence
        What each system is scored by.
    compared : Score or ClipScore
        What systems are compared by: see `l2i.reporting.scores.compared_by`.
    **how
        Statistics and seed, as in `l2i.reporting.beside_paper.measure`.

    Yields
    ------
    dict
        ``system``, ``metric``, ``condition`` and the number. Systems that share no fold and run
        with the first have no difference.
    """
    for system, part in parts.items():
        for each in scores:
            key = {"system": system, "metric": each.metric, "condition": each.condition}
            yield {**key, **each.number(part, **how)}
    for other in list(parts)[1:]:
        first = next(iter(parts))
        pair = in_common(parts[first], parts[other])
        if len(pair[0]):
            key = {"system": first, "metric": difference_metric(compared.metric)}
            key["condition"] = condition_text({"minus": other})
            yield {**key, **compared.difference(*pair, **how)}


def difference_metric(metric: str) -> str:
    """The name of the quantity that a difference in a metric is."""
    return f"{metric.removesuffix('_fidelity')}_difference"


def compared_pairs(
    parts: Parts, score: Score | ClipScore, *, statistics: Mapping, seed: int
) -> list[dict[str, object]]:
    """All pairs of systems of one data set, whose p-values are one family.

    Parameters
    ----------
    parts : mapping
        See `of_systems`.
    score : Score or ClipScore
        What systems are compared by: see `l2i.reporting.scores.compared_by`. Difference, interval
        and p are all of this one.
    statistics : mapping
        ``n_bootstrap``, ``confidence`` and ``n_permutations``.
    seed : int

    Returns
    -------
    list of dict
        `COLUMNS` without ``table`` and ``dataset``. Pairs that share no fold and run have no
        numbers and do not count in the correction.
    """
    rows = []
    for system, other in combinations(parts, 2):
        clips, theirs = in_common(parts[system], parts[other])
        counts = {f"n_{name}s": clips.get(name, pd.Series()).nunique() for name in ("fold", "run")}
        counts["n_clips"] = len(clips[["fold", "clip"]].drop_duplicates())
        counts["n_sources"] = len(clips[["fold", "source"]].drop_duplicates())
        row = {"metric": score.metric, "system": system, "other": other} | counts | {"p": np.nan}
        if len(clips):
            row |= score.difference(clips, theirs, statistics=statistics, seed=seed)
            n_permutations = statistics["n_permutations"]
            row["p"] = score.p(clips, theirs, n_permutations=n_permutations, seed=seed)
            row["difference"] = row.pop("mean")
        rows.append(row)
    for row, p_holm in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = p_holm
    return rows


def comparisons_page(
    rows: pd.DataFrame,
    name: str,
    page: Mapping[str, Any],
    notes: Sequence[str],
    *,
    n_permutations: int,
    confidence: float,
) -> Page:
    """The page of pairs, a section per data set.

    Parameters
    ----------
    rows : DataFrame
        The columns `COLUMNS`.
    name, page, notes, confidence
        As in `l2i.reporting.paper_page.paper_page`.
    n_permutations : int
        Behind each p, which says how small it can be.
    """
    titles, sections = {**TITLES, **page["titles"]}, []
    for (dataset, metric), part in rows.groupby(["dataset", "metric"], sort=False):
        shown = quantity(difference_metric(metric))
        cells = [
            _cells(row, shown.digits, titles, confidence, smallest_p(n_permutations))
            for row in part.rename(columns={"difference": "mean"}).itertuples()
        ]
        heading = f"{titles.get(dataset, dataset)}: {shown.heading}"
        sections.append(Section(heading, [grid(cells, n_heads=2)]))
    return Page(name, page["title"], page["caption"], sections, notes)


def smallest_p(n_permutations: int) -> float:
    """The smallest p that a test by so many permutations can give."""
    return 1 / (1 + n_permutations)


def _cells(
    row: Any, digits: int, titles: Mapping[str, str], confidence: float, smallest: float
) -> dict[str, str]:
    # What comes of the smallest p, multiplied, is as much of a bound.
    bound = row.p_holm if row.p <= smallest * (1 + 1e-6) and row.p_holm < 1 else 0.0
    return {
        "system": titles.get(row.system, row.system),
        "minus": titles.get(row.other, row.other),
        f"difference ± sd [{confidence * 100:g} % interval]": number_cell(row, digits) or "none",
        "p": p_text(row.p, smallest),
        "p, Holm": p_text(row.p_holm, bound),
        **{name: str(getattr(row, f"n_{name}")) for name in ("folds", "runs", "clips", "sources")},
    }
