"""A table of the paper in the paper's own layout: our number over the printed one in each cell.

What heads rows and columns, and what is bold, is said by ``workflow/reference/paper.yaml`` of each
table: ``heads``, pairs of a key or setting of numbers and the heading of its column; ``metrics``,
pairs of a metric and its heading; ``bold``, a rule. A number stands in the cell that its key says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from l2i.reporting.beside_paper import condition_text
from l2i.reporting.conditions import FORMS, values_in
from l2i.reporting.numbers import digits_of, setting_text, with_spread
from l2i.reporting.printed import Cell, Column, Grid, Line
from l2i.reporting.quantities import quantity

NONE = "–"  # of a number that one side does not have
NOT_OURS = ("missing", "diverged", "mixed")  # verdicts that stand for our number
MAXIMUM, CHOICE = "maximum", "choice"  # the paper's rules
RULES = {
    MAXIMUM: "Bold, as the paper says of its own: the largest of each column, of ours among ours "
    "and of the paper's among the paper's.",
    CHOICE: "Bold, as the paper says of its own: its choice for all other tables.",
}
HEAD_OF = {"dataset": "Dataset", "system": "System"}
LEAD = "In each cell ours is above, mean ± sd, and the paper's below."
LEAD_OF_SETTINGS = "In each cell ours is above and the paper's below."


class _Place(NamedTuple):
    heads: tuple[str, ...]  # values of what heads the rows
    of: str  # the system whose selection a random baseline counters
    column: tuple[str, str]  # data set, where it heads no rows, and metric


def as_printed(
    rows: pd.DataFrame, paper: Mapping[str, Any], titles: Mapping[str, str], *, caption: str = LEAD
) -> Grid:
    """The grid of a table.

    Parameters
    ----------
    rows : DataFrame
        See `l2i.reporting.beside_paper.beside_paper`; of one table. Rows of ours under conditions
        of which the table has none of the kind, or of other metrics, have no place in it.
    paper : mapping
        What ``paper.yaml`` says of this table.
    titles : mapping
        What systems and data sets are called.

    Returns
    -------
    Grid
        Rows in the paper's order, then ours; no rows where neither side has a number.
    """
    ((_, entry),) = paper["tables"].items()
    kinds = {frozenset(number.get("condition") or ()) for number in paper["numbers"]}
    shown = [
        (_place(row, entry), row)
        for row in rows.itertuples()
        if row.metric in dict(entry["metrics"]) and frozenset(values_in(row.condition)) in kinds
    ]
    lines = _ordered([place for place, _ in shown], paper, entry)
    columns = _columns([place.column for place, _ in shown], rows, entry)
    numbers = {((place.heads, place.of), place.column): row for place, row in shown}
    bold = _Bold(entry["bold"], paper, numbers)
    grid = [
        [
            *(
                _head(name, value, of, titles, bold.is_chosen((heads, of)))
                for name, value in zip(dict(entry["heads"]), heads, strict=True)
            ),
            *(
                _cell(numbers.get(((heads, of), column)), column, bold, (heads, of))
                for column in columns
            ),
        ]
        for heads, of in lines
    ]
    return Grid(
        [*(Column(heading) for _, heading in entry["heads"])]
        + [_column(column, rows, entry, titles, paper) for column in columns],
        grid,
        n_heads=len(entry["heads"]),
        caption=caption,
    )


def _place(row: Any, entry: Mapping[str, Any]) -> _Place:
    """Where the number of a row stands; of a row of the table, or of the reference."""
    settings = values_in(row.condition)
    known = {**settings, "system": row.system, "dataset": row.dataset}
    heads = tuple(known.get(name, "") for name, _ in entry["heads"])
    dataset = "" if "dataset" in dict(entry["heads"]) else row.dataset
    return _Place(heads, settings.get("of", ""), (dataset, row.metric))


Key = tuple[tuple[str, ...], str]


def _ordered(
    places: Sequence[_Place], paper: Mapping[str, Any], entry: Mapping[str, Any]
) -> list[Key]:
    """The rows that there are, in the order of the paper's and then of ours."""
    ours = list(dict.fromkeys((place.heads, place.of) for place in places))
    if "dataset" in dict(entry["heads"]):
        return ours  # data sets have our names, and the order in which they run
    theirs = [
        _place(pd.Series({**number, "condition": condition_text(number.get("condition"))}), entry)
        for number in paper["numbers"]
    ]
    order = list(dict.fromkeys((place.heads, place.of) for place in theirs))
    return [key for key in order if key in ours] + [key for key in ours if key not in order]


def _columns(
    found: Iterable[tuple[str, str]], rows: pd.DataFrame, entry: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """The columns that there are: data sets as they run, metrics as in the paper."""
    found = set(found)
    datasets = dict.fromkeys(dataset for dataset in ("", *rows["dataset"]))
    every = ((dataset, metric) for dataset in datasets for metric, _ in entry["metrics"])
    return [column for column in every if column in found]


def _column(
    column: tuple[str, str],
    rows: pd.DataFrame,
    entry: Mapping[str, Any],
    titles: Mapping[str, str],
    paper: Mapping[str, Any],
) -> Column:
    """Its metric under its data set, with the paper's where ours has another name."""
    dataset, metric = column
    unit = quantity(metric).unit
    heading = dict(entry["metrics"])[metric] + (" (in\N{NO-BREAK SPACE}%)" if unit == "%" else "")
    if not dataset:
        return Column(heading)
    ours = titles.get(dataset, dataset)
    of = rows.loc[rows["dataset"] == dataset, "paper_dataset"].dropna().unique()
    theirs = [paper["datasets"][name]["title"] for name in of]
    beside = f" (paper: {theirs[0]})" if theirs and theirs != [ours] else ""
    return Column(heading, f"{ours}{beside}")


def _head(name: str, value: str, of: str, titles: Mapping[str, str], bold: bool) -> Cell:
    title = titles.get(value, value)
    if name == "system" and of:
        title = f"{title}, against {titles.get(of, of)}"
    if "{number}" in FORMS.get(name, ""):
        title = setting_text(float(value), 1)
    if name == "taps":
        title = "Input" if value == "input" else value
    return (Line(title, bold),)


def _cell(row: Any, column: tuple[str, str], bold: _Bold, line: Key) -> Cell:
    if row is None:
        return (Line(""),)
    of_ours, of_paper = bold.of_ours(line, column), bold.of_paper(line, column)
    return (
        Line(_ours(row), of_ours or row.verdict in NOT_OURS),
        Line(paper_text(row), of_paper),
    )


def _ours(row: Any) -> str:
    """Our mean ± sd; the interval is among the details."""
    if row.verdict in NOT_OURS:
        return row.verdict
    if math.isnan(row.mean):
        return NONE
    shown = quantity(row.metric)
    if shown.exact:
        return setting_text(row.mean, shown.digits)
    return with_spread(row.mean, row.spread, digits_of(row.mean, shown.digits))


def paper_text(row: Any) -> str:
    """What the paper prints, with its digits."""
    if math.isnan(row.paper_mean):
        return NONE
    shown = quantity(row.metric)
    if not pd.isna(row.bound):
        return f"{row.bound} {row.paper_mean:.10f}".rstrip("0")
    if shown.exact:
        return setting_text(row.paper_mean, shown.digits)
    return with_spread(row.paper_mean, row.paper_spread, shown.digits)


class _Bold:
    """Which numbers are bold, ours and the paper's."""

    def __init__(
        self,
        rule: str | None,
        paper: Mapping[str, Any],
        numbers: Mapping[tuple[Key, tuple[str, str]], Any],
    ) -> None:
        printed = {_reference_key(number) for number in paper["numbers"] if number.get("bold")}
        self.theirs = {place for place, row in numbers.items() if _row_key(row) in printed}
        self.rule, self.ours = rule, self.theirs if rule == CHOICE else set()
        if rule == MAXIMUM:
            self.ours = _largest(numbers)

    def of_ours(self, line: Key, column: tuple[str, str]) -> bool:
        return (line, column) in self.ours

    def of_paper(self, line: Key, column: tuple[str, str]) -> bool:
        return (line, column) in self.theirs

    def is_chosen(self, line: Key) -> bool:
        """Whether a row is the paper's choice, so that its head is bold too."""
        return self.rule == CHOICE and any(line == of for of, _ in self.theirs)


def _largest(
    numbers: Mapping[tuple[Key, tuple[str, str]], Any],
) -> set[tuple[Key, tuple[str, str]]]:
    """Of each column where ours is largest, as far as it is a number."""
    best: dict[tuple[str, str], float] = {}
    for (_, column), row in numbers.items():
        if math.isfinite(row.mean):
            best[column] = max(row.mean, best.get(column, row.mean))
    return {place for place, row in numbers.items() if row.mean == best.get(place[1])}


def _reference_key(number: Mapping[str, Any]) -> tuple[str, ...]:
    condition = condition_text(number.get("condition"))
    return number["system"], number["dataset"], number["metric"], condition


def _row_key(row: Any) -> tuple[str, ...]:
    return row.system, row.paper_dataset, row.metric, row.condition
