"""Figure 6: losses on test clips over the number of components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter
from matplotlib.transforms import blended_transform_factory

from l2i.names import OFFICIAL
from l2i.reporting.figures.panels import legend_below, round_ticks, upright, without_frame
from l2i.reporting.figures.style import COLUMN, PAGE, SMALL, Look, looks_of, style

LOSSES = {"reconstruction_loss": "reconstruction loss", "fidelity_loss": "fidelity loss (nat)"}

IN_A_COLUMN = 5  # numbers of components, at most: of more, ticks would overlap


@style()
def components_sweep(
    table: pd.DataFrame, *, confidence: float, titles: Mapping[str, str]
) -> Figure:
    """Losses on test clips over the number of components (Fig. 6).

    Parameters
    ----------
    table : DataFrame
        One row per variant and loss: ``dataset``, ``fold``, ``system``, ``n_components``,
        ``loss`` (a key of `LOSSES`), ``mean``, ``low``, ``high``. A row of panels per data set,
        in the order of the table; a line per fold and system.
    confidence : float
        Of the intervals.
    titles : mapping
        What is printed for the names of data sets and systems, if not the name itself.
    """
    datasets = table["dataset"].unique()
    lines = [
        f"{titles.get(system, system)}, {'official split' if fold == OFFICIAL else f'fold {fold}'}"
        for system, fold in zip(table["system"], table["fold"], strict=True)
    ]
    table = table.assign(line=lines)
    looks = looks_of(list(dict.fromkeys(lines)))
    most = table.groupby("dataset")["n_components"].nunique().max()
    width = COLUMN if most <= IN_A_COLUMN else PAGE
    figure = Figure(figsize=(width, 0.55 + 1.55 * len(datasets) + 0.14 * len(looks)))
    rows = figure.subfigures(len(datasets), 1, squeeze=False)[:, 0]
    for row, dataset in zip(rows, datasets, strict=True):
        row.suptitle(titles.get(dataset, dataset))
        for ax, loss in zip(row.subplots(1, len(LOSSES)), LOSSES, strict=True):
            _lines(ax, table[(table["dataset"] == dataset) & (table["loss"] == loss)], looks)
            ax.set_ylabel(LOSSES[loss])
            if row is rows[-1]:
                ax.set_xlabel("components K")
    legend_below(figure, title=f"means with {100 * confidence:g} % intervals", n_columns=2)
    return figure


def _lines(ax: Axes, part: pd.DataFrame, looks: Mapping[str, Look]) -> None:
    below = blended_transform_factory(ax.transData, ax.transAxes)
    for label, line in part.groupby("line", sort=False):
        line = line.sort_values("n_components", kind="stable")
        look = looks[label]
        upright(ax, line, line["n_components"], look, label=label)
        words: dict[str, Any] = {
            "color": look.colour,
            "rotation": 90,
            "ha": "center",
            "fontsize": SMALL,
        }
        for K in line.loc[line["mean"].isna(), "n_components"]:
            ax.text(K, 0.03, "diverged", transform=below, **words)
    values = sorted(part["n_components"].unique())
    gaps = np.diff(np.log2(values))
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(values))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    if len(gaps) and gaps.min() < 0.2 * gaps.sum():
        ax.tick_params(axis="x", rotation=90)
    ax.set_xlim(values[0] / 1.15, values[-1] * 1.15)
    round_ticks(ax.yaxis)
    without_frame(ax)
