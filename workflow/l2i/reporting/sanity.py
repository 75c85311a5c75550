"""Sanity checks in tables: whether a measure notices that the network is another one.

A measure is taken of an intact pair of classifier and interpreter, and of the same clips where
something is broken on purpose: weights of the classifier are shuffled, or the interpreter has
followed other clips. Frames of clips are those of `l2i.reporting.statistics`, with what of these is
known of each clip: ``correlation``, ``overlap`` and ``top_same`` of its relevances with the intact
ones, ``followed``, ``probability_drop`` and ``n_selected``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from l2i.names import TITLES
from l2i.reporting.beside_paper import measure, measure_difference, measure_share
from l2i.reporting.conditions import in_words
from l2i.reporting.numbers import number_cell
from l2i.reporting.paper_page import LEGEND
from l2i.reporting.printed import Given, Line, Page, Section, grid
from l2i.reporting.quantities import quantity
from l2i.reporting.statistics import Metric, mean, median, paired_difference, values_of

NUMBER = ("mean", "spread", "n", "low", "high")
COLUMNS = ["dataset", "system", "metric", "condition", *NUMBER]
COLUMNS += ["difference", "difference_low", "difference_high", "noticed"]
NOTICES, DOES_NOT = "notices", "does not notice"
# Conditions: stages of the classifier whose weights are shuffled, and what else is broken.
SHUFFLED = "shuffled"
INTACT = f"{SHUFFLED}=nothing"
RETRAINED = "targets=shuffled"
EXCHANGED = "activations=exchanged"

NOTES = (
    "Intact is the system of the main tables on its first fold and run. Weights are shuffled from "
    "the output down: the values of each parameter change places within their tensor, of more and "
    "more of the classifier; statistics of batch norms are then taken anew, of training clips. The "
    "interpreter stays as it is. Several draws of one step count as one: each clip's numbers are "
    "averaged.",
    "Trained on shuffled targets: the classifier is intact, and the interpreter was trained anew, "
    "held to its output for another training clip each.",
    "Relevances are compared with the intact ones for the same clip and class, the one that the "
    "intact classifier decides. All other measures are taken as of any system: of what the network "
    "at hand decides, and for that.",
    "A relevance is an activation that is read from the network times a weight that is the "
    "interpreter's own and stays. The row of activations of another clip says how alike relevances "
    "are by these weights alone. Where relevances under shuffled "
    "weights are no more alike than there, all of their likeness is owed to the interpreter's "
    "weights, and none to the clip; what is above it, a shuffled network still passes on.",
    "The head comes after all that the interpreter hears: relevances cannot notice it.",
    "A drop in probability is at most the probability that there was. A classifier with shuffled "
    "weights is sure of little, and faithfulness falls for that alone, whatever is selected; "
    "beside an interpreter that was trained on shuffled targets it is as sure as ever.",
    "A measure notices if the interval of its paired difference from the intact system leaves out "
    "0 on the side to be expected: the share of clips without any relevant component rises, and "
    "all others fall. That says that a difference is there, not that it is large.",
)


class Check(NamedTuple):
    """A measure that is asked whether it notices.

    `of_clips` gives its values from a frame of clips, and needs the column `column`; `number` and
    `difference` are how values become a number, and those of two frames their difference.
    """

    column: str
    of_clips: Callable[[pd.Series], pd.Series]
    number: Callable[..., dict[str, float]]
    difference: Callable[..., dict[str, float]]
    falls: bool = True  # where it notices; else it rises


def _of_paired(metric: Metric, clips: pd.DataFrame, other: pd.DataFrame, **how: Any) -> dict:
    return measure(paired_difference(clips, other), metric, **how)


def _as_it_is(values: pd.Series) -> pd.Series:
    return values


def _percent(values: pd.Series) -> pd.Series:
    return 100.0 * values


def _nothing_selected(n_selected: pd.Series) -> pd.Series:
    return 100.0 * (n_selected == 0)


MEAN = partial(measure, metric=mean), partial(_of_paired, mean)
MEDIAN = partial(measure, metric=median), partial(_of_paired, median)
SHARE = measure_share, partial(measure_difference, metric=mean, full=100.0)
CHECKS = {
    "relevance_correlation": Check("correlation", _as_it_is, *MEAN),
    "selection_overlap": Check("overlap", _as_it_is, *MEAN),
    "top_component_same": Check("top_same", _percent, *SHARE),
    "top_1_fidelity": Check("followed", _percent, *SHARE),
    "ff_median": Check("probability_drop", _as_it_is, *MEDIAN),
    "empty_selection": Check("n_selected", _nothing_selected, *SHARE, falls=False),
}


def sanity_numbers(
    intact: pd.DataFrame, broken: Mapping[str, pd.DataFrame], **how: Any
) -> Iterator[dict[str, object]]:
    """Every measure of the intact system and under each condition, and whether it notices.

    Parameters
    ----------
    intact : DataFrame
        Clips of one system on one data set, with all columns.
    broken : mapping
        Condition to the same clips, with the columns that there are. Nothing is broken where
        activations are `EXCHANGED`, so that nothing is said to notice.
    **how
        Statistics and seed, as in `l2i.reporting.beside_paper.measure`.

    Yields
    ------
    dict
        ``metric``, ``condition`` and the other `COLUMNS` but data set and system; those of the
        difference are missing of the intact system.
    """
    for metric, check in CHECKS.items():
        before = _values(check, intact)
        yield {"metric": metric, "condition": INTACT, **check.number(before, **how), "noticed": ""}
        for condition, clips in broken.items():
            if check.column not in clips:
                continue
            after = _values(check, clips)
            differing = check.difference(after, before, **how)
            low, high = differing["low"], differing["high"]
            yield {
                **{"metric": metric, "condition": condition, **check.number(after, **how)},
                **{"difference": differing["mean"], "difference_low": low, "difference_high": high},
                "noticed": "" if condition == EXCHANGED else verdict(low, high, falls=check.falls),
            }


def _values(check: Check, clips: pd.DataFrame) -> pd.DataFrame:
    return values_of(clips, check.of_clips(clips[check.column]))


def verdict(low: float, high: float, *, falls: bool) -> str:
    """Whether an interval of a difference lies on the side to be expected; empty without one."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return NOTICES if (high < 0 if falls else low > 0) else DOES_NOT


def sanity_page(
    rows: pd.DataFrame, name: str, page: Mapping[str, Any], *, threshold: float, confidence: float
) -> Page:
    """The page: what does not notice what, then a section per measure.

    Parameters
    ----------
    rows : DataFrame
        `COLUMNS`.
    name, page, confidence
        As in `l2i.reporting.paper_page.paper_page`.
    threshold : float
        Of relevances.
    """
    titles = {**TITLES, **page["titles"]}
    sections = _unnoticed(rows, titles)
    for metric, part in rows.groupby("metric", sort=False):
        shown = quantity(str(metric))
        cells = [_cells(row, shown.digits, titles, confidence) for row in part.itertuples()]
        sections.append(Section(shown.heading, [grid(cells, n_heads=3)]))
    of_threshold = f"Components are relevant above {threshold:g}."
    notes = [of_threshold, *NOTES, *LEGEND[:2]]
    return Page(name, page["title"], page["caption"], sections, notes)


def _unnoticed(rows: pd.DataFrame, titles: Mapping[str, str]) -> list[Section]:
    """Of each system, the conditions that each measure does not notice; in words."""
    cells = []
    by = ["dataset", "system", "metric"]
    for (dataset, system, metric), part in rows.groupby(by, sort=False):
        asked = part[part["noticed"].isin([NOTICES, DOES_NOT])]
        missed = list(asked.loc[asked["noticed"] == DOES_NOT, "condition"])
        cells.append(
            {
                "data set": titles.get(dataset, dataset),
                "system": titles.get(system, system),
                "measure": quantity(metric).title,
                "notices": f"{len(asked) - len(missed)} of {len(asked)}",
                DOES_NOT: "; ".join(in_words(each, titles) for each in missed),
            }
        )
    return [Section("What is not noticed", [grid(cells, n_heads=3)])] if cells else []


def _cells(row: Any, digits: int, titles: Mapping[str, str], confidence: float) -> dict[str, Given]:
    of_interval = f"[{confidence * 100:g} % interval]"
    difference = ""
    if not math.isnan(row.difference):
        ends = f"{row.difference_low:+z.{digits}f}, {row.difference_high:+z.{digits}f}"
        difference = f"{row.difference:+z.{digits}f} [{ends}]"
    return {
        "data set": titles.get(row.dataset, row.dataset),
        "system": titles.get(row.system, row.system),
        "condition": in_words(row.condition, titles),
        f"value {of_interval}": number_cell(row, digits),
        f"difference from intact {of_interval}": difference,
        "verdict": Line(DOES_NOT, bold=True) if row.noticed == DOES_NOT else row.noticed,
    }


def cascade_of(condition: str) -> Sequence[str] | None:
    """The stages that a condition shuffles, from the output down; None of another condition."""
    name, _, stages = condition.partition("=")
    if name != SHUFFLED:
        return None
    return [] if condition == INTACT else stages.split("+")
