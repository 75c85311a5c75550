"""The page of data sets with several labels a clip, class by class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from l2i.names import TITLES, class_title
from l2i.reporting.conditions import in_words
from l2i.reporting.definitions import INTERVAL, definitions_of
from l2i.reporting.numbers import number_cell
from l2i.reporting.printed import Column, Grid, Page, Section, cell
from l2i.reporting.quantities import quantity

NAME = "classes"
SECTIONS = {
    "labels": "test clips",
    "classification": "the classifier against the labels",
    "fidelity": "the interpreters against the classifier's decisions",
    "faithfulness": "median drop where the classifier decides, τ = {threshold}",
    "removed": "what is removed there, τ = {threshold}",
}
LEGEND = (
    INTERVAL,
    "Positives and negatives count what annotators labelled; decided counts what the classifier "
    "decides, labelled or not.",
    "Undefined: no clip holds the class, or the classifier decides on none, or a network diverged. "
    "Resamplings without any such clip are left out of an interval.",
)


def classes_page(
    rows: pd.DataFrame, page: Mapping[str, Any], *, threshold: float, confidence: float
) -> Page:
    """The page, a section per data set and quantity, one line per class.

    Parameters
    ----------
    rows : DataFrame
        ``dataset``, ``class``, ``quantity`` (of `SECTIONS`), ``system``, ``metric``,
        ``condition``, and the number as in `l2i.reporting.beside_paper.summarise`.
    page : mapping
        As in `l2i.reporting.paper_page.paper_page`.
    threshold : float
        Of the relevances behind the faithfulness.
    confidence : float
        Of the intervals.
    """
    titles = {**TITLES, **page["titles"]}
    sections = []
    for dataset, part in rows.groupby("dataset", sort=False):
        of = titles.get(str(dataset), str(dataset))
        for name, heading in SECTIONS.items():
            of_name = part[part["quantity"] == name]
            title = f"{of}: {heading.format(threshold=f'{threshold:g}')}"
            sections += [Section(title, [_grid(of_name, titles)])] if len(of_name) else []
    notes = [f"Numbers are mean ± sd [{confidence * 100:g} % interval].", *LEGEND]
    notes += definitions_of(rows["metric"])
    return Page(NAME, page["title"], page["caption"], sections, notes)


def _grid(rows: pd.DataFrame, titles: Mapping[str, str]) -> Grid:
    """One line per class, a column per metric, under its system and condition."""
    columns: dict[Column, None] = {Column("class"): None}
    lines: dict[str, dict[Column, str]] = {}
    for row in rows.itertuples():
        name = rows.at[row.Index, "class"]  # no attribute can have this name
        shown = quantity(row.metric)
        whose = ""
        if row.quantity not in ("labels", "classification"):
            system = titles.get(row.system, row.system)
            whose = ", ".join(filter(None, [system, in_words(row.condition, titles)]))
        column = Column(shown.title, whose)
        columns[column] = None
        line = lines.setdefault(name, {Column("class"): class_title(name)})
        line[column] = number_cell(row, shown.digits) or "undefined"
    of = [column.group for column in columns]
    every = sorted(columns, key=lambda column: of.index(column.group))  # groups in one piece
    cells = [[cell(line.get(column, "")) for column in every] for line in lines.values()]
    return Grid(every, cells)
