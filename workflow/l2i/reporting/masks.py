"""Measures of explanations as masks, in the table: what is taken of decisions, and how it reads.

Frames are rows of masks.csv of one data set. Here a decision is what other tables call a clip: a
clip in which several classes are decided for has as many explanations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

import pandas as pd

from l2i.checks import InputError
from l2i.reporting.agreement import kendall_of, spearman_of
from l2i.reporting.beside_paper import condition_text, measure, measure_share
from l2i.reporting.numbers import number_cell
from l2i.reporting.printed import Page, Section, grid
from l2i.reporting.quantities import quantity
from l2i.reporting.statistics import Metric, mean, median, values_of

COLUMNS = ["system", "dataset", "metric", "condition", "mean", "spread", "n", "low", "high"]
RANKS, CLIPS = "operator_tau", "operator_spearman"
SAME = 1e-6  # in probability: what rounding makes of one and the same sound
DROP = "probability_drop"  # whose ranks over clips are compared


class Measure(NamedTuple):
    """A number of the table: of which column, what is taken of it, and which way is better."""

    metric: str
    column: str
    statistic: Metric
    in_percent: bool
    better: str  # ↑, ↓, or nothing where a number describes and does not judge


OF_OPERATOR = (
    Measure("average_increase", "increase", mean, True, "↑"),
    Measure("average_drop", "relative_drop", mean, True, "↓"),
    Measure("average_gain", "relative_gain", mean, True, "↑"),
    Measure("ff_median", DROP, median, False, "↑"),
    Measure("fidelity_in", "decided_in", mean, True, "↑"),
    Measure("insertion", "insertion", mean, False, "↑"),
    Measure("deletion", "deletion", mean, False, "↓"),
)
OF_MASK = (
    Measure("sparseness", "sparseness", mean, False, "↑"),
    Measure("complexity", "complexity", mean, False, "↓"),
    Measure("energy_kept", "energy_kept", mean, True, ""),
    Measure("empty_mask", "empty", mean, True, ""),
)

Row = dict[str, Any]
Number = Callable[[pd.DataFrame, Metric], Mapping[str, float]]


def mask_numbers(
    scores: pd.DataFrame,
    *,
    systems: Sequence[str],
    operators: Sequence[str],
    statistics: Mapping,
    seed: int,
) -> Iterator[Row]:
    """Every number of one data set: of systems under operators, of masks, of agreement.

    Parameters
    ----------
    scores : DataFrame
        See the head of the module; all systems with the same decisions.
    systems : sequence of str
        In the order of printing; those without a row are left out.
    operators : sequence of str
    statistics, seed
        As in :func:`l2i.reporting.beside_paper.measure`.

    Yields
    ------
    dict
        ``system``, ``metric``, ``condition``, and the number.

    Raises
    ------
    InputError
        If systems were not measured on the same decisions.
    """
    decisions = scores.assign(clip=scores["clip"] + "\n" + scores["class"])
    systems = [name for name in systems if (scores["system"] == name).any()]
    how: dict[str, Any] = {"statistics": statistics, "seed": seed}
    for system in systems:
        of_system = decisions[decisions["system"] == system]
        for operator in operators:
            part = of_system[of_system["operator"] == operator]
            condition = condition_text({"operator": operator})
            yield from _numbers(part, OF_OPERATOR, system, condition, how)
        once = of_system[of_system["operator"] == operators[0]]
        yield from _numbers(once, OF_MASK, system, "", how)
    number = partial(measure, **how)
    for ours, theirs in combinations(operators, 2):
        yield from _agreement_of_rankings(decisions, systems, ours, theirs, number)
        yield from _agreement_over_clips(decisions, systems, ours, theirs, number)


def _numbers(
    part: pd.DataFrame, measures: Iterable[Measure], system: str, condition: str, how: Mapping
) -> Iterator[Row]:
    for each in measures:
        values = values_of(part, part[each.column] * (100.0 if each.in_percent else 1.0))
        number = (
            measure_share(values, **how)
            if each.in_percent
            else measure(values, each.statistic, **how)
        )
        yield {"system": system, "metric": each.metric, "condition": condition, **number}


def _agreement_of_rankings(
    decisions: pd.DataFrame, systems: Sequence[str], ours: str, theirs: str, number: Number
) -> Iterator[Row]:
    """Whether two operators rank systems alike, for each measure."""
    if len(systems) < 2:
        return
    for each in OF_OPERATOR:
        wide = _side_by_side(decisions, each.column)
        columns = [[f"{system} {operator}" for system in systems] for operator in (ours, theirs)]
        metric = kendall_of(each.statistic, *columns)
        condition = condition_text({"measure": each.metric, "operators": [ours, theirs]})
        yield {"system": "", "metric": RANKS, "condition": condition, **number(wide, metric)}


def _agreement_over_clips(
    decisions: pd.DataFrame, systems: Sequence[str], ours: str, theirs: str, number: Number
) -> Iterator[Row]:
    """Whether what one operator calls a large drop is one under another, for each system."""
    wide = _side_by_side(decisions, DROP)
    condition = condition_text({"operators": [ours, theirs]})
    for system in systems:
        metric = spearman_of(f"{system} {ours}", f"{system} {theirs}")
        yield {"system": system, "metric": CLIPS, "condition": condition, **number(wide, metric)}


def _side_by_side(decisions: pd.DataFrame, column: str) -> pd.DataFrame:
    """A row for each decision, and a column for each system under each operator."""
    named = decisions.assign(name=decisions["system"] + " " + decisions["operator"])
    wide = named.pivot(index=["fold", "source", "clip"], columns="name", values=column)
    if wide.isna().to_numpy().any():
        raise InputError(
            "masks.csv of some systems holds other clips or classes than that of others, which "
            "cannot be ranked then. Delete these files and run again"
        )
    return wide.reset_index()


def coincidences(scores: pd.DataFrame, operators: Sequence[str]) -> Iterator[str]:
    """In words, how often two operators are one and the same, which makes them agree."""
    keys = ["fold", "source", "clip", "class", "system"]
    wide = scores.pivot(index=keys, columns="operator", values="probability_out")
    for ours, theirs in combinations(operators, 2):
        n = int(((wide[ours] - wide[theirs]).abs() < SAME).sum())
        if n:
            yield (
                f"{n} of {len(wide)} explanations leave the same under {_of_pair((ours, theirs))}, "
                "which agree there by definition."
            )


# ---------------------------------------------------------------- the page

NOTES = (
    "What an explanation claims is a mask on the clip's STFT. p is the probability of the class "
    "that is explained, p_in that in what the mask keeps alone, p_out that in what is left without "
    "it; both are heard as waveforms, without renormalisation. ↑: higher is better, ↓: lower is.",
    "Average increase: share of decisions with p_in > p. Average drop: mean of max(0, p - p_in) / "
    "p. Average gain: mean of max(0, p_in - p) / (1 - p). Median faithfulness: of p - p_out, the "
    "paper's FF. Fidelity-in: share in which what is kept alone is still decided for the class.",
    "Insertion and deletion: area under p while cells are kept, or removed, the most relevant "
    "first, over the share of the energy ||X||² that what is kept holds, or that what is left has "
    "lost, X = log(1 + |S|). So do many small pieces compare with few large ones, and soft masks "
    "with hard ones.",
    "Sparseness: Gini index of the mask's cells, 0 where all are equal. Complexity: entropy in "
    "nats of the mask that is made to add up to 1; it compares masks of one data set, whose number "
    "of cells is the same. Energy kept: ||mask X||² / ||X||². A mask that keeps all has no drop, "
    "an insertion and a deletion like any other, and explains nothing: read the measures beside "
    "the energy kept.",
    "Empty masks claim nothing. They count in every row: what is kept is then silence, or noise; "
    "as a mask they have the sparseness and the complexity of a uniform one.",
    "Removals: log magnitude takes the share m of X away, X - m X, as the paper does; linear "
    "magnitude that of |S|; noise fill that as well, and puts Gaussian noise in its place that has "
    "in each bin the median magnitude of the clip over time. What is stationary in a clip is its "
    "background, and is put back. Where more than half of a clip is digital silence, so is its "
    "background, and the fill is the linear removal. Masks of 0 and 1 alone, such as SLIME's, are "
    "the same under log and linear magnitude.",
    "Agreement of rankings: Kendall's tau-b between the orders in which two removals put the "
    "systems, 1 where they are the same. Few systems have few orders, so it moves in steps, and "
    "its interval is wide or, where most resamplings tie, too narrow. "
    "Agreement over decisions: Spearman's correlation of the drops p - p_out of one system. "
    "Undefined: all are equal under one of the two.",
    "Every class that is decided for in a clip is one explanation, and counts as one: numbers are "
    "over all decisions of all classes, of the first fold and run.",
)


def masks_page(
    rows: pd.DataFrame,
    name: str,
    page: Mapping[str, Any],
    *,
    operators: Sequence[str],
    confidence: float,
    notes: Sequence[str] = (),
) -> Page:
    """The page: a section for each data set, in which systems stand side by side.

    Parameters
    ----------
    rows : DataFrame
        Columns `COLUMNS`.
    operators : sequence of str
        In the order of printing.
    name, page, confidence
        As in `l2i.reporting.paper_page.paper_page`.
    notes : sequence of str
        What to say before `NOTES`.
    """
    titles, pairs = page["titles"], [*combinations(operators, 2)]
    sections: list[Section] = []
    for dataset, part in rows.groupby("dataset", sort=False):
        title = titles[str(dataset)]
        known = {(row.system, row.metric, row.condition): row for row in part.itertuples()}
        of_systems = {titles[each]: each for each in part["system"].unique() if each}
        parts = {
            "what is claimed, and the rest": _lines_of_measures(known, of_systems, operators),
            "the masks": _lines_of_masks(known, of_systems),
            "agreement of rankings, tau-b": _lines_of_rankings(known, pairs),
            "agreement over decisions, Spearman": _lines_of_clips(known, of_systems, pairs),
        }
        sections += [
            Section(f"{title}: {of}", [grid(lines, n_heads=2 if "removal" in lines[0] else 1)])
            for of, lines in parts.items()
            if lines
        ]
    shown = f"Numbers are ours [{confidence * 100:g} % interval over recordings]."
    return Page(name, page["title"], page["caption"], sections, (shown, *notes, *NOTES))


Known = Mapping[tuple[str, str, str], Any]


def _lines_of_measures(
    known: Known, of_systems: Mapping[str, str], operators: Sequence[str]
) -> list[dict[str, str]]:
    return [
        {"measure": _name(each), "removal": _in_words(operator)}
        | {
            title: _cell(known, system, each.metric, condition_text({"operator": operator}))
            for title, system in of_systems.items()
        }
        for each in OF_OPERATOR
        for operator in operators
    ]


def _lines_of_masks(known: Known, of_systems: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"measure": _name(each)}
        | {title: _cell(known, system, each.metric, "") for title, system in of_systems.items()}
        for each in OF_MASK
    ]


def _lines_of_rankings(known: Known, pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    def cell(metric: str, pair: tuple[str, str]) -> str:
        return _cell(known, "", RANKS, condition_text({"measure": metric, "operators": [*pair]}))

    ranked = any(metric == RANKS for _, metric, _ in known)
    return [
        {"measure": quantity(each.metric).title}
        | {_of_pair(pair): cell(each.metric, pair) for pair in pairs}
        for each in (OF_OPERATOR if ranked else ())
    ]


def _lines_of_clips(
    known: Known, of_systems: Mapping[str, str], pairs: Sequence[tuple[str, str]]
) -> list[dict[str, str]]:
    return [
        {"system": title}
        | {
            _of_pair(pair): _cell(known, system, CLIPS, condition_text({"operators": [*pair]}))
            for pair in pairs
        }
        for title, system in (of_systems.items() if pairs else ())
    ]


def _cell(known: Known, system: str, metric: str, condition: str) -> str:
    row = known[system, metric, condition]
    return number_cell(row, quantity(row.metric).digits) or "undefined"


def _name(each: Measure) -> str:
    return f"{quantity(each.metric).heading} {each.better}".strip()


def _of_pair(pair: tuple[str, str]) -> str:
    return " and ".join(map(_in_words, pair))


def _in_words(operator: str) -> str:
    return operator.replace("_", " ")
