"""Figure of corruption: what is found of clips in company, over the ratio of the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FixedLocator, MaxNLocator

from l2i.names import CLASSIFIER, TITLES
from l2i.reporting.figures import COLOURS, GREY, PAGE, SHAPES, style
from l2i.reporting.planted import KINDS

# Metric of each row of panels, and what is written beside it.
PANELS = {
    "interpretation_improvement": "interpretation:\nSI-SDR improvement (dB)",
    "remainder_improvement": "remainder:\nSI-SDR improvement (dB)",
    "class_survives_of_right": "right decisions on the\nclip that survive (%)",
}
SPREAD = 0.24  # share of the way to the next ratio over which systems stand side by side


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
    figure = Figure(figsize=(PAGE, 0.9 + 5.2 * len(datasets)))
    blocks = figure.subfigures(len(datasets), 1, squeeze=False)[:, 0]
    for block, dataset in zip(blocks, datasets, strict=True):
        _block(block, table[table["dataset"] == dataset], systems)
        if len(datasets) > 1:
            block.suptitle(titles.get(dataset, dataset))
    named = {**TITLES, **titles}
    lines = {line.get_label(): line for ax in reversed(figure.axes) for line in ax.lines}
    shown = [name for name in systems if name in lines]
    figure.legend(
        [lines[name] for name in shown],
        [named.get(name, name) for name in shown],
        title=f"means with {100 * confidence:g} % intervals over recordings",
        loc="outside lower center",
        ncols=4,
    )
    return figure


def _block(block: SubFigure, table: pd.DataFrame, systems: Sequence[str]) -> None:
    kinds = list(table["kind"].unique())
    panels = block.subplots(len(PANELS), len(kinds), squeeze=False, sharex=True, sharey="row")
    for row, (metric, label) in zip(panels, PANELS.items(), strict=True):
        for ax, kind in zip(row, kinds, strict=True):
            part = table[(table["metric"] == metric) & (table["kind"] == kind)]
            _lines(ax, part, systems)
        row[0].set_ylabel(label)
    block.align_ylabels(panels[:, 0])
    for ax, kind in zip(panels[0], kinds, strict=True):
        ax.set_title(f"with {KINDS[kind]}")
    for ax in panels[-1]:
        ax.set_ylim(-4, 104)
        ax.set_xlabel("clip over the other sound (dB)")


def _lines(ax: Axes, part: pd.DataFrame, systems: Sequence[str]) -> None:
    """A line per system, side by side at each ratio, so that no bar hides another."""
    ratios = np.sort(part["snr_db"].unique())
    width = SPREAD * (np.diff(ratios).min() if len(ratios) > 1 else 1.0)
    present = [name for name in systems if (part["system"] == name).any()]
    for place, name in enumerate(present):
        line = part[part["system"] == name].sort_values("snr_db")
        x = line["snr_db"] + width * ((place + 0.5) / len(present) - 0.5)
        number = systems.index(name)
        colour = GREY if name == CLASSIFIER else COLOURS[number % len(COLOURS)]
        look: dict[str, Any] = {"color": colour, "linewidth": 1}
        marker = SHAPES[number % len(SHAPES)]
        ax.plot(x, line["mean"], marker=marker, markersize=3.5, label=name, **look)
        ax.vlines(x, line["low"], line["high"], **look)
    if "improvement" in part["metric"].iloc[0]:
        ax.axhline(0, color=GREY, linewidth=0.6, zorder=1)
    ax.xaxis.set_major_locator(FixedLocator(ratios.tolist()))
    ax.yaxis.set_major_locator(MaxNLocator(6))
    sns.despine(ax=ax)
