"""Figure S6: relevances and faithfulness while more and more of a classifier is shuffled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from l2i.reporting.figures.panels import (
    legend_below,
    named_handles,
    round_ticks,
    side_by_side,
    upright,
    without_frame,
)
from l2i.reporting.figures.style import GREY, PAGE, Look, looks_of, style
from l2i.reporting.sanity import EXCHANGED, RETRAINED, cascade_of

CASCADE_PANELS = {
    "relevance_correlation": "rank correlation with\nthe intact relevances",
    "ff_median": "median drop in probability\nwithout relevant components",
}
# Beside the lines: what is drawn of each system in its colour, and what it is.
BESIDE = {
    EXCHANGED: "likeness by the interpreter's weights alone",
    RETRAINED: "interpreter trained on shuffled targets",
}
SPREAD = 0.3  # of the way to the next step, over which systems stand side by side


@style()
def sanity_cascade(table: pd.DataFrame, *, confidence: float, titles: Mapping[str, str]) -> Figure:
    """Relevances and faithfulness while more and more of a classifier is shuffled.

    Parameters
    ----------
    table : DataFrame
        Rows of ``dataset``, ``system``, ``metric`` (a key of `CASCADE_PANELS`), ``condition``,
        ``mean``, ``low``, ``high``; see `l2i.reporting.sanity`. A row of panels per data set, a
        line per system; dashed, what relevances have in common by the interpreter's weights alone;
        to the right, an interpreter that was trained on shuffled targets.
    confidence : float
        Of the intervals.
    titles : mapping
        What is printed for the names of data sets and systems, if not the name itself.
    """
    datasets, systems = table["dataset"].unique(), list(table["system"].unique())
    looks = {
        name: Look(look.colour, look.shape, hollow=False)
        for name, look in looks_of(systems).items()
    }
    figure = Figure(figsize=(PAGE, 0.7 + 2.25 * len(datasets)))
    rows = figure.subfigures(len(datasets), 1, squeeze=False)[:, 0]
    for row, dataset in zip(rows, datasets, strict=True):
        row.suptitle(titles.get(dataset, dataset))
        for ax, metric in zip(row.subplots(1, len(CASCADE_PANELS)), CASCADE_PANELS, strict=True):
            _panel(ax, table[(table["dataset"] == dataset) & (table["metric"] == metric)], looks)
            ax.set_ylabel(CASCADE_PANELS[metric])
            if row is rows[-1]:
                ax.set_xlabel("weights that are shuffled, from the output down")
    found = named_handles(figure.axes)
    legend_below(
        figure,
        {titles.get(name, name): found[name] for name in systems if name in found}
        | _keys_of_what_is_beside(table),
        title=f"{100 * confidence:g} % intervals over recordings",
        n_columns=4,
    )
    return figure


def _keys_of_what_is_beside(table: pd.DataFrame) -> dict[str, Artist]:
    drawn = {
        EXCHANGED: Line2D([], [], color=GREY, linestyle="--", linewidth=0.9),
        RETRAINED: Line2D([], [], linestyle="none", **Look(GREY, "o", hollow=True).marker),
    }
    return {BESIDE[each]: drawn[each] for each in drawn if (table["condition"] == each).any()}


def _panel(ax: Axes, part: pd.DataFrame, looks: Mapping[str, Look]) -> None:
    """The lines of all systems, side by side so that no interval hides another."""
    present = [name for name in looks if (part["system"] == name).any()]
    names: list[str] = []
    for name, offset in zip(present, side_by_side(len(present), SPREAD), strict=True):
        of_system = part[part["system"] == name]
        look = looks[name]
        steps = of_system[[cascade_of(each) is not None for each in of_system["condition"]]]
        names = max(names, [_last_stage(each) for each in steps["condition"]], key=len)
        upright(ax, steps, np.arange(len(steps)) + offset, look, label=name)
        for each in of_system[of_system["condition"] == EXCHANGED].itertuples():
            ax.axhline(each.mean, color=look.colour, linestyle="--", linewidth=0.9, zorder=1)
    if (part["condition"] == RETRAINED).any():
        at = len(names)
        ax.axvline(at - 0.5, color=GREY, linewidth=0.6, linestyle=":")
        for name, offset in zip(present, side_by_side(len(present), SPREAD), strict=True):
            chosen = part[(part["system"] == name) & (part["condition"] == RETRAINED)]
            look = Look(looks[name].colour, looks[name].shape, hollow=True)
            upright(ax, chosen, at + offset + 0 * chosen["mean"], look, joined=False)
        names = [*names, "targets"]
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    round_ticks(ax.yaxis, 5)
    without_frame(ax)


def _last_stage(condition: str) -> str:
    """The tick of a step: what is shuffled there and was not before."""
    stages = cascade_of(condition)
    return ("+ " * (len(stages) > 1) + stages[-1]) if stages else "nothing"
