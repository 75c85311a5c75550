"""Figure S4: faithfulness over the threshold of relevance, beside what is removed at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from l2i.names import TITLES
from l2i.reporting.figures.panels import (
    legend_below,
    named_handles,
    round_ticks,
    side_by_side,
    upright,
    without_frame,
)
from l2i.reporting.figures.style import COLUMN, GREY, SMALL, Look, looks_of, style
from l2i.reporting.removals import RELEVANT

SPREAD = 0.4  # of the way to the next threshold, over which systems stand side by side


@style()
def threshold_curves(
    table: pd.DataFrame, *, confidence: float, titles: Mapping[str, str]
) -> Figure:
    """Median drop in probability over the threshold, and of random removals at one threshold.

    Parameters
    ----------
    table : DataFrame
        Rows of ``dataset``, ``system``, ``removal``, ``threshold``, ``mean``, ``low``, ``high``: of
        `RELEVANT`, one for each threshold, and of other removals beside that system, at most one
        each, whose threshold is missing where there is none. A row of panels per data set.
    confidence : float
        Of the intervals.
    titles : mapping
        What is printed for the names of data sets, systems and removals, if not the name itself.
    """
    named = {**TITLES, **titles}
    datasets, systems = table["dataset"].unique(), list(table["system"].unique())
    looks = looks_of(systems)
    figure = Figure(figsize=(COLUMN, 0.55 + 2.3 * len(datasets)))
    rows = figure.subfigures(len(datasets), 1, squeeze=False)[:, 0]
    for row, dataset in zip(rows, datasets, strict=True):
        part = table[table["dataset"] == dataset]
        row.suptitle(named.get(dataset, dataset))
        left, right = row.subplots(1, 2, sharey=True, width_ratios=(1.4, 1))
        _over_thresholds(left, part[part["removal"] == RELEVANT], looks)
        _beside(right, part[part["removal"] != RELEVANT], looks, named)
        left.set_ylabel("median drop in probability\nwithout components that are")
        round_ticks(left.yaxis, 6)
    found = named_handles(figure.axes)
    legend_below(
        figure,
        {named.get(name, name): found[name] for name in systems},
        title=f"medians with {100 * confidence:g} % intervals over recordings",
    )
    return figure


def _over_thresholds(ax: Axes, part: pd.DataFrame, looks: Mapping[str, Look]) -> None:
    thresholds = np.sort(part["threshold"].unique())
    width = SPREAD * (np.diff(thresholds).min() if len(thresholds) > 1 else 1.0)
    for name, offset in zip(looks, side_by_side(len(looks), width), strict=True):
        line = part[part["system"] == name].sort_values("threshold")
        upright(ax, line, line["threshold"] + offset, looks[name], label=name)
    ax.set_xticks(thresholds, [f"{threshold:g}" for threshold in thresholds])
    ax.set_xlabel("threshold of relevance")
    ax.set_title("relevant")
    _with_zero(ax)


def _beside(
    ax: Axes, part: pd.DataFrame, looks: Mapping[str, Look], named: Mapping[str, str]
) -> None:
    """What else is removed, side by side as on the left."""
    below = blended_transform_factory(ax.transData, ax.transAxes)
    removals = list(part["removal"].unique())
    for name, offset in zip(looks, side_by_side(len(looks), SPREAD), strict=True):
        of_system = part[part["system"] == name]
        x = np.array([removals.index(removal) for removal in of_system["removal"]]) + offset
        upright(ax, of_system, x, looks[name], joined=False)
        words: dict[str, Any] = {
            "color": looks[name].colour,
            "rotation": 90,
            "ha": "center",
            "fontsize": SMALL,
        }
        for place in x[of_system["mean"].isna()]:
            ax.text(place, 0.03, "no clip", transform=below, **words)
    texts = [_where_drawn(named.get(each, each)) for each in removals]
    ax.set_xticks(range(len(removals)), texts, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_xlim(-0.6, len(removals) - 0.4)
    drawn_at = part["threshold"].dropna().unique()
    if len(drawn_at):
        ax.set_xlabel(f"at threshold {', '.join(f'{each:g}' for each in drawn_at)}")
    ax.set_title("drawn at random")
    _with_zero(ax)


def _where_drawn(title: str) -> str:
    """A removal where all around it is random: `unselected` of `random, among the unselected`."""
    title = title.split(" (")[0].removeprefix("random, ")
    return title.removeprefix("among ").removeprefix("the ")


def _with_zero(ax: Axes) -> None:
    ax.axhline(0, color=GREY, linewidth=0.6, zorder=1)
    without_frame(ax)
