"""Figure 4 of the paper: mean ratings and votes of two systems, class by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MultipleLocator

from l2i.listening_test.preferences import RATING, TIES, VOTES
from l2i.listening_test.ratings import HIGHEST, LOWEST
from l2i.listening_test.report import SIMULATED
from l2i.names import ALL_CLASSES, class_title
from l2i.reporting.figures.panels import (
    across,
    bands,
    legend_below,
    side_by_side,
    without_frame,
)
from l2i.reporting.figures.style import GREY, PAGE, WARNING, looks_of, style

PANELS = {RATING: "mean rating", VOTES: "votes in favour (%)"}
PITCH, AROUND = 0.32, 0.95  # inches of a class, and of what stands above and below all


@style()
def rating_figure(
    table: pd.DataFrame, *, systems: Sequence[str], titles: Mapping[str, str], confidence: float
) -> Figure:
    """Mean ratings on the left, votes on the right, a row for each class (Fig. 4).

    Parameters
    ----------
    table : DataFrame
        Rows of `l2i.listening_test.report.tabulated`; a part of the figure for each data set.
        Where it is of simulated answers, the figure says so above and below.
    systems : sequence of str
        The two that are compared.
    titles : mapping
        What is printed for the names of data sets and systems.
    confidence : float
        Of the intervals.
    """
    datasets = list(table["dataset"].unique())
    parts = [table[table["dataset"] == name] for name in datasets]
    heights = [AROUND + PITCH * part["class"].nunique() for part in parts]
    figure = Figure(figsize=(PAGE, 0.25 + sum(heights)))
    rows = figure.subfigures(len(parts), 1, height_ratios=heights, squeeze=False)[:, 0]
    for row, name, part in zip(rows, datasets, parts, strict=True):
        _draw(row, part, titles.get(name, name), systems, titles, confidence)
    legend_below(figure)
    return figure


def _draw(
    figure: SubFigure,
    table: pd.DataFrame,
    title: str,
    systems: Sequence[str],
    titles: Mapping[str, str],
    confidence: float,
) -> None:
    classes = list(table["class"].unique())
    people = int(table["n_participants"].max())
    is_simulated = bool(table["simulated"].any())
    marked = f"{SIMULATED}\n" if is_simulated else ""
    figure.suptitle(
        f"{marked}{title}: listening test with {people} participants",
        color=WARNING if is_simulated else None,
    )
    panels, looks = figure.subplots(1, len(PANELS), sharey=True), looks_of(systems)
    for ax, (metric, heading) in zip(panels, PANELS.items(), strict=True):
        bands(ax, len(classes))
        for name, offset in zip(systems, side_by_side(len(systems), 0.6), strict=True):
            chosen = (table["metric"] == metric) & (table["system"] == name)
            part = table[chosen].set_index("class").loc[classes]
            y = np.arange(len(classes)) + offset
            across(ax, part, y, looks[name], "mean", titles.get(name, name))
        ax.set_xlim(LOWEST - 3, HIGHEST + 3)
        ax.xaxis.set_major_locator(MultipleLocator(20))
        ax.set_xlabel(f"{heading}, {100 * confidence:g} % interval{_mark(is_simulated)}")
        if classes[-1] == ALL_CLASSES:
            ax.axhline(len(classes) - 1.5, color=GREY, linewidth=0.6)
        without_frame(ax, left=True)
    panels[0].set_yticks(range(len(classes)), [_label(table, name) for name in classes])


def _mark(is_simulated: bool) -> str:
    return ", simulated" if is_simulated else ""


def _label(table: pd.DataFrame, name: str) -> str:
    """A class with its number of trials, and how many of them are votes for neither."""
    (ties,) = table[(table["class"] == name) & (table["metric"] == TIES)].itertuples()
    n_ties = round(ties.mean * ties.n / 100)
    told = f", {n_ties} tied" if n_ties else ""
    return f"{class_title(name)}\n{ties.n} trial{'' if ties.n == 1 else 's'}{told}"
