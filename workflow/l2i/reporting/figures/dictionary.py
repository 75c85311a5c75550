"""Figure S3: the columns of dictionaries, sorted by where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from l2i.reporting.figures.interpretation import frequency_axis
from l2i.reporting.figures.panels import legend_below
from l2i.reporting.figures.style import COLUMN, PAGE, style

RANGE_DB = 60.0  # shown below the largest value of a column


@style()
def dictionary_map(table: pd.DataFrame, *, titles: Mapping[str, str]) -> Figure:
    """Levels of all columns over frequency, those that are never active marked.

    Parameters
    ----------
    table : DataFrame
        One row per data set, column and band: ``dataset``, ``place`` (of the column, by its
        spectral centroid), ``centroid_hz`` (missing of a column of zeros), ``active``,
        ``frequency_hz``, ``level_db`` re the largest of the column.
    titles : mapping
        What is printed for the names of data sets, if not the name itself.
    """
    datasets = table["dataset"].unique()
    figure = Figure(figsize=(COLUMN if len(datasets) == 1 else PAGE, 2.5))
    panels = figure.subplots(1, len(datasets), sharey=True, squeeze=False)[0]
    for ax, dataset in zip(panels, datasets, strict=True):
        level = _panel(ax, table[table["dataset"] == dataset])
        ax.set_title(titles.get(dataset, dataset), pad=9)
        ax.set_xlabel("component, by centroid")
    panels[0].set_ylabel("frequency (kHz)")
    bar = figure.colorbar(
        level, ax=list(panels), label="level (dB re largest)", aspect=25, pad=0.02
    )
    bar.ax.yaxis.set_major_locator(MaxNLocator(4))
    legend_below(figure)
    return figure


def _panel(ax: Axes, part: pd.DataFrame) -> QuadMesh:
    cells = part.pivot(index="frequency_hz", columns="place", values="level_db")
    level = ax.pcolormesh(
        cells.columns,
        cells.index,
        np.maximum(cells, -RANGE_DB),
        vmin=-RANGE_DB,
        vmax=0,
        cmap="magma",
        rasterized=True,
        shading="nearest",
    )
    ax.set_yscale("log")
    frequency_axis(ax, cells.index.min(), cells.index.max())
    columns = part.drop_duplicates("place")
    look: dict[str, Any] = {"color": "#00a0ff", "linewidth": 1.1}
    ax.plot(columns["place"], columns["centroid_hz"], label="spectral centroid", **look)
    dead = columns.loc[~columns["active"].astype(bool), "place"]
    if len(dead):  # a line of no points would lie outside of the page
        above = blended_transform_factory(ax.transData, ax.transAxes)
        mark: dict[str, Any] = {
            "marker": "|",
            "markersize": 5,
            "linestyle": "none",
            "color": "black",
        }
        marks: dict[str, Any] = {
            "transform": above,
            "clip_on": False,
            "label": "active in no test clip",
        }
        ax.plot(dead, np.full(len(dead), 1.03), **mark, **marks)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    return level
