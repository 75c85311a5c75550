"""Figures 2 and 3: drop in probability without the relevant components, class by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from l2i.names import TITLES, class_title
from l2i.reporting.figures.panels import (
    across,
    bands,
    legend_below,
    round_ticks,
    side_by_side,
    without_frame,
)
from l2i.reporting.figures.style import COLUMN, GREY, SMALL, looks_of, style
from l2i.reporting.removals import ENERGY, NOTHING, RELEVANT

PITCH, OF_A_DOT = 0.2, 0.072  # inches of a row at least, and of each removal in it


@style()
def class_faithfulness(
    table: pd.DataFrame,
    *,
    threshold: float,
    confidence: float,
    titles: Mapping[str, str],
    excluded_classes: Sequence[str] = (),
) -> Figure:
    """Median drop in probability of every class, relevant beside random removals (Fig. 2, 3).

    A bar across each class marks its drop when nothing is removed. To the right stands of how many
    clips the medians are, and of how many those of removals that are matched in energy.

    Parameters
    ----------
    table : DataFrame
        One row per class and removal, of one data set and system: ``dataset``, ``system``,
        ``class``, ``removal``, ``n_clips``, ``median``, ``low``, ``high``; no interval where low
        and high are missing.
    threshold : float
        Of the relevant components.
    confidence : float
        Of the intervals.
    titles : mapping
        What is printed for the names of data sets, systems and removals, if not the name itself.
    excluded_classes : sequence of str
        Marked: they have no part in means over classes.
    """
    floor = table[table["removal"] == NOTHING]
    dotted = table.drop(floor.index)
    classes, removals = dotted["class"].unique(), dotted["removal"].unique()
    pitch = max(PITCH, OF_A_DOT * len(removals))
    n_lines = -(-table["removal"].nunique() // 2)  # of the legend
    figure = Figure(figsize=(COLUMN, 1.0 + pitch * len(classes) + 0.14 * n_lines))
    ax = figure.subplots()
    bands(ax, len(classes))
    if len(floor):
        y, label = np.arange(float(len(floor))), TITLES[NOTHING]
        ax.vlines(
            floor["median"], y - 0.45, y + 0.45, color="0.6", linewidth=2.5, label=label, zorder=1.5
        )
    looks = looks_of(removals)  # what is hollow is random
    places = side_by_side(len(removals), 0.8)
    for removal, place in zip(removals, places, strict=True):
        part = dotted[dotted["removal"] == removal]
        label = "relevant components" if removal == RELEVANT else TITLES.get(removal, removal)
        look = replace(looks[removal], hollow=removal != RELEVANT)
        across(ax, part, np.arange(len(part)) + place, look, "median", label)
    stars = ["*" if name in excluded_classes else "" for name in classes]
    named = [class_title(name) + star for name, star in zip(classes, stars, strict=True)]
    ax.set_yticks(range(len(classes)), named)
    _counts(ax, dotted, classes)
    _notes_by_class(ax, dotted, classes)
    ax.axvline(0, color=GREY, linewidth=0.6, zorder=1)
    starred = "\n* left out of means over classes" if any(stars) else ""
    # To the right end: beside long names the axis is shorter than this text.
    label = f"median drop in probability, {100 * confidence:g} % interval{starred}"
    ax.set_xlabel(label, loc="right")
    round_ticks(ax.xaxis, 5)
    names = (titles.get(name, name) for name in table[["dataset", "system"]].iloc[0])
    figure.suptitle(f"{', '.join(names)}, threshold {threshold:g}")
    legend_below(figure, title="removed from the clip:", handle_length=1.2)
    without_frame(ax, left=True)
    return figure


def _counts(ax: Axes, table: pd.DataFrame, classes: Sequence[str]) -> None:
    """Columns of numbers to the right of the rows, under their headings."""
    columns = {"clips": table[table["removal"] != ENERGY]}
    if (table["removal"] == ENERGY).any():
        columns["matched"] = table[table["removal"] == ENERGY]
    where = blended_transform_factory(ax.transAxes, ax.transData)
    beside: dict[str, Any] = {"xycoords": where, "textcoords": "offset points"}
    look: dict[str, Any] = {"fontsize": SMALL, "color": GREY, "ha": "right", **beside}
    for offset, (heading, part) in zip((22, 58), columns.items(), strict=False):
        ax.annotate(heading, (1, -0.6), (offset, 0), va="bottom", **look)
        counts = part.groupby("class")["n_clips"].max()
        for row, name in enumerate(classes):
            ax.annotate(f"{counts[name]:g}", (1, row), (offset, 0), va="center", **look)


def _notes_by_class(ax: Axes, table: pd.DataFrame, classes: Sequence[str]) -> None:
    """Say of rows without a dot why there is none."""
    where = blended_transform_factory(ax.transAxes, ax.transData)
    for row, name in enumerate(classes):
        part = table[table["class"] == name]
        lost = part[part["median"].isna()]
        measured = part["n_clips"].any()
        if not measured or lost["n_clips"].any():  # else none of its clips could be matched
            text = "diverged" if measured else "no decision for it"
            ax.text(0.98, row, text, transform=where, color=GREY, ha="right", va="center")
