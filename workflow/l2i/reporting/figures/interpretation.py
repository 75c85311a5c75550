"""Figure S2: a clip, the soft mask of what explains a decision on it, and both parts of it."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from l2i.reporting.figures.panels import note, round_ticks
from l2i.reporting.figures.style import PAGE, style

RANGE_DB = 80.0  # shown below the loudest
LEVELS = {
    "input_db": "clip",
    "interpretation_db": "interpretation",
    "remainder_db": "remainder",
}
OCTAVES_HZ = [62.5 * 2**i for i in range(10)]


@style()
def interpreted_clip(table: pd.DataFrame, *, heading: str) -> Figure:
    """Spectrograms of a clip, its interpretation and its remainder, and the mask between them.

    Parameters
    ----------
    table : DataFrame
        One row per cell of the picture: ``time_s``, ``frequency_hz``, ``input_db``, ``mask`` (0 to
        1), ``interpretation_db``, ``remainder_db``; levels re the loudest cell of the clip. Empty
        where there is no clip.
    heading : str
        Which clip, whose decision, and by what it is explained.
    """
    figure = Figure(figsize=(PAGE, 1.95))
    figure.suptitle(heading)
    panels = figure.subplots(1, 4, sharey=True)
    if table.empty:
        for ax in panels:
            ax.set_axis_off()
        note(panels[1], "no clip of this fold is listened to")
        return figure
    clip, masked, *parts = panels
    share = _picture(masked, table, "mask", 0, 1, "cividis")
    masked.set_title("soft mask")
    for ax, (column, title) in zip((clip, *parts), LEVELS.items(), strict=True):
        level = _picture(ax, table, column, -RANGE_DB, 0, "magma")
        ax.set_title(title)
    clip.set_ylabel("frequency (kHz)")
    for ax in panels:
        ax.set_xlabel("time (s)")
        round_ticks(ax.xaxis, 5)
    how: dict[str, Any] = {"aspect": 22, "pad": 0.02}
    figure.colorbar(share, ax=masked, label="share kept", ticks=[0, 0.5, 1], **how)
    bar = figure.colorbar(level, ax=parts[-1], label="level (dB re loudest)", **how)
    bar.ax.yaxis.set_major_locator(MaxNLocator(4))
    return figure


def _picture(
    ax: Axes, table: pd.DataFrame, column: str, low: float, high: float, colours: str
) -> QuadMesh:
    cells = table.pivot(index="frequency_hz", columns="time_s", values=column)
    image = ax.pcolormesh(
        cells.columns,
        cells.index,
        cells,
        vmin=low,
        vmax=high,
        cmap=colours,
        rasterized=True,
        shading="nearest",
    )
    ax.set_yscale("log")
    frequency_axis(ax, cells.index.min(), cells.index.max())
    return image


def frequency_axis(ax: Axes, low: float, high: float) -> None:
    """Ticks at every other octave of a logarithmic axis in Hz, read in kHz."""
    ticks = [hertz for hertz in OCTAVES_HZ[1::2] if low <= hertz <= high]
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda hertz, _: f"{hertz / 1000:g}"))
    ax.yaxis.set_minor_locator(NullLocator())
