"""Figure S1: losses over the epochs of training, a panel for each system."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from l2i.names import TITLES
from l2i.reporting.figures.panels import (
    legend_below,
    named_handles,
    note,
    round_ticks,
    without_frame,
)
from l2i.reporting.figures.style import DASHES, OF_LINES, PAGE, SMALL, style

TOTAL = "total"  # what is minimised, among the losses
# Losses of most systems, in the order of their looks; others come after them.
FIRST = (TOTAL, "fidelity", "reconstruction", "sparsity", "prediction", "classification")
MOST_TICKS = 4
N_COLUMNS = 6  # panels beside each other, at most
LINE = 16  # letters of a title over a panel, of which there are two lines
PANEL, AROUND = 1.1, 0.3  # inches of a panel, and of what stands above those of a data set
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@style()
def training_curves(table: pd.DataFrame, *, titles: Mapping[str, str]) -> Figure:
    """Losses over epochs: what is minimised, and the parts that it is the sum of.

    Parameters
    ----------
    table : DataFrame
        One row per data set, system, loss and epoch: ``dataset``, ``system``, ``loss``, ``epoch``,
        ``mean``, ``least``, ``largest``. A block of panels for each data set, one for each system
        in the order of the table; what is drawn as a shade lies between the least and the largest
        of all folds and runs. The axis is logarithmic: what is not above 0 has no place on it.
    titles : mapping
        What is printed for the names of data sets and systems, if not the name itself.
    """
    named = {**TITLES, **titles}
    losses = [*FIRST, *sorted({*table["loss"]} - {*FIRST})]
    groups = [(name, part) for name, part in table.groupby("dataset", sort=False)]
    n_rows = [-(-part["system"].nunique() // N_COLUMNS) for _, part in groups]
    heights = [AROUND + PANEL * n for n in n_rows]
    heights[-1] += AROUND  # of what stands below all
    figure = Figure(figsize=(PAGE, 0.5 + sum(heights)))
    blocks = figure.subfigures(len(groups), 1, height_ratios=heights, squeeze=False)[:, 0]
    for block, (dataset, part), n in zip(blocks, groups, n_rows, strict=True):
        block.suptitle(named.get(dataset, dataset))
        block.supylabel("loss")
        _block(block, part, losses, named, n)
    blocks[-1].supxlabel("epoch")
    drawn = named_handles(figure.axes)
    legend_below(
        figure,
        {loss: drawn[loss] for loss in losses if loss in drawn},
        title="mean over folds and runs; shaded from the least to the largest",
        n_columns=6,
    )
    return figure


def _block(
    block: SubFigure,
    table: pd.DataFrame,
    losses: Sequence[str],
    named: Mapping[str, str],
    n_rows: int,
) -> None:
    systems = table["system"].unique()
    panels = block.subplots(n_rows, -(-len(systems) // n_rows), squeeze=False).ravel()
    for ax, system in zip(panels, systems, strict=False):
        _panel(ax, table[table["system"] == system], losses)
        title = "\n".join(textwrap.wrap(named.get(system, system), LINE)[:2])
        ax.set_title(title, fontsize=SMALL, pad=2)
    for ax in panels[len(systems) :]:
        ax.set_axis_off()


def _panel(ax: Axes, part: pd.DataFrame, losses: Sequence[str]) -> None:
    part = part[part["mean"] > 0]
    ax.set_yscale("log")
    for loss, line in part.groupby("loss", sort=False):
        look = _look(losses.index(loss))
        shade: dict[str, Any] = {"color": look["color"], "linewidth": 0, "alpha": 0.25}
        ax.fill_between(
            line["epoch"], line["least"].where(line["least"] > 0), line["largest"], **shade
        )
        one: dict[str, Any] = {"marker": "o", "markersize": 3} if len(line) == 1 else {}
        ax.plot(line["epoch"], line["mean"], label=loss, **look, **one)
    if part.empty:
        note(ax, "no loss\nabove 0")
    round_ticks(ax.xaxis, 3, integer=True)
    _log_ticks(ax, part[["mean", "least", "largest"]].where(lambda x: x > 0).stack())
    without_frame(ax)


def _look(i: int) -> dict[str, Any]:
    """Black for what is minimised, and a colour and dashes for each part of it."""
    if i == 0:
        return {"color": "black", "linewidth": 1.3}
    dash = DASHES[i % len(DASHES)]
    return {"color": OF_LINES[(i - 1) % len(OF_LINES)], "linewidth": 1.1, "linestyle": dash}


def _log_ticks(ax: Axes, values: pd.Series) -> None:
    """Few round numbers, as they come on a logarithmic axis; of a narrow one, evenly spaced."""
    low, high = (values.min(), values.max()) if len(values) else (1.0, 1.0)
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    finer = (np.outer(decades, each).ravel() for each in ((1, 2, 5), (1, 3), (1,)))
    within = [ticks[(ticks >= low) & (ticks <= high)] for ticks in finer]
    few = next((ticks for ticks in within if len(ticks) <= MOST_TICKS), within[-1][::2])
    ax.yaxis.set_major_locator(FixedLocator(few.tolist()) if len(few) > 1 else MaxNLocator(3))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _plain(value)))
    ax.yaxis.set_minor_locator(NullLocator())


def _plain(value: float) -> str:
    """A number above 0, as a power of ten where it is far from 1."""
    exponent = np.log10(value) if value > 0 else 0.0
    if value > 0 and abs(exponent) >= 3 and np.isclose(exponent, round(exponent)):
        return "10" + str(round(exponent)).translate(SUPERSCRIPT)
    return f"{value:g}"
