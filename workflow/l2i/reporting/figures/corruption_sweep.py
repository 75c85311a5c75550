"""Figure S5: what is found of clips in company, over the ratio of the two."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FixedLocator

from l2i.names import CLASSIFIER, TITLES
from l2i.reporting.figures.panels import (
    legend_below,
    named_handles,
    round_ticks,
    side_by_side,
    upright,
    without_frame,
)
from l2i.reporting.figures.style import GREY, PAGE, Look, looks_of, style
from l2i.reporting.planted import KINDS

# Metric of each row of panels, and what is written beside it.
PANELS = {
    "interpretation_improvement": "SI-SDR gain of the\ninterpretation (dB)",
    "remainder_improvement": "SI-SDR gain of\nthe remainder (dB)",
    "class_survives_of_right": "right decisions on the\nclip that survive (%)",
}
SPREAD = 0.3  # share of the way to the next ratio over which systems stand side by side


@style()
def corruption_sweep(
    table: pd.DataFrame, *, confidence: float, titles: Mapping[str, str]
) -> Figure:
    """Improvements and surviving decisions over the ratio of a clip to its company.

    Parameters
    ----------
    table : DataFrame
        One row per number: ``dataset``, ``system``, ``metric`` (a key of `PANELS`), ``kind``,
        ``snr_db``, ``mean``, ``low``, ``high``. A block of panels per data set, one column of them
        per kind, in the order of the table.
    confidence : float
        Of the intervals.
    titles : mapping
        What is printed for the names of data sets and systems, if not the name itself.
    """
    datasets, systems = table["dataset"].unique(), list(table["system"].unique())
    looks = looks_of(systems)
    if CLASSIFIER in looks:  # no explanation, unlike all others
        looks[CLASSIFIER] = Look(GREY, looks[CLASSIFIER].shape, hollow=False)
    figure = Figure(figsize=(PAGE, 0.65 + 4.6 * len(datasets)))
    blocks = figure.subfigures(len(datasets), 1, squeeze=False)[:, 0]
    for block, dataset in zip(blocks, datasets, strict=True):
        _block(block, table[table["dataset"] == dataset], looks)
        block.suptitle(titles.get(dataset, dataset))
    found, named = named_handles(figure.axes), {**TITLES, **titles}
    legend_below(
        figure,
        {named.get(name, name): found[name] for name in systems},
        title=f"means with {100 * confidence:g} % intervals over recordings",
        n_columns=4,
    )
    return figure


def _block(block: SubFigure, table: pd.DataFrame, looks: Mapping[str, Look]) -> None:
    kinds = list(table["kind"].unique())
    panels = block.subplots(len(PANELS), len(kinds), squeeze=False, sharex=True, sharey="row")
    for row, (metric, label) in zip(panels, PANELS.items(), strict=True):
        for ax, kind in zip(row, kinds, strict=True):
            part = table[(table["metric"] == metric) & (table["kind"] == kind)]
            _lines(ax, part, looks)
        row[0].set_ylabel(label)
    block.align_ylabels(panels[:, 0])
    for ax, kind in zip(panels[0], kinds, strict=True):
        ax.set_title(f"mixed with {KINDS[kind]}")
    for ax in panels[-1]:
        ax.set_ylim(-4, 104)
        ax.set_xlabel("level of the clip over the other sound (dB)")


def _lines(ax: Axes, part: pd.DataFrame, looks: Mapping[str, Look]) -> None:
    """A line per system, side by side at each ratio, so that no bar hides another."""
    ratios = np.sort(part["snr_db"].unique())
    width = SPREAD * (np.diff(ratios).min() if len(ratios) > 1 else 1.0)
    present = [name for name in looks if (part["system"] == name).any()]
    for name, offset in zip(present, side_by_side(len(present), width), strict=True):
        line = part[part["system"] == name].sort_values("snr_db")
        upright(ax, line, line["snr_db"] + offset, looks[name], label=name)
    if part["metric"].str.contains("improvement").any():
        ax.axhline(0, color=GREY, linewidth=0.6, zorder=1)
    ax.xaxis.set_major_locator(FixedLocator(ratios.tolist()))
    round_ticks(ax.yaxis, 6)
    without_frame(ax)
