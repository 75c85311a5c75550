"""What several figures are put together from: rows, intervals, ticks, the one legend below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from l2i.reporting.figures.style import FAINT, GREY, SMALL, Look
from l2i.reporting.intervals import FEWEST

PADDING, SPACING = 0.5, 1.2  # of a legend, in its letters: between mark and label, and columns
LETTER = 0.56  # mean width of a letter of DejaVu Sans, of its size
MINUS = "\N{MINUS SIGN}"


def signed(value: float, digits: int = 2) -> str:
    """A number with a true minus sign, and none in front of zero."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def without_few(table: pd.DataFrame, counts: str = "n_clips") -> pd.DataFrame:
    """The table without the intervals (``low``, ``high``) of fewer than `FEWEST` clips."""
    few = table[counts] < FEWEST
    return table.assign(low=table["low"].mask(few), high=table["high"].mask(few))


def side_by_side(n: int, width: float) -> np.ndarray:
    """Places of n marks about 0 over a width, so that none hides another."""
    return width * ((np.arange(n) + 0.5) / n - 0.5)


def round_ticks(axis: Any, n: int = 4, *, integer: bool = False) -> None:
    """At most so many ticks and one, at round numbers."""
    axis.set_major_locator(MaxNLocator(n, steps=[1, 2, 2.5, 5, 10], integer=integer))


def without_frame(ax: Axes, *, left: bool = False) -> None:
    """Take the frame away above and on the right, and on the left where rows have names."""
    ax.spines[["top", "right", *(["left"] if left else [])]].set_visible(False)


def bands(ax: Axes, n: int) -> None:
    """A band behind every other of n rows, the first on top."""
    ax.set_ylim(n - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    for row in range(0, n, 2):
        ax.axhspan(row - 0.5, row + 0.5, color=FAINT, linewidth=0, zorder=0)


def across(ax: Axes, part: pd.DataFrame, y: np.ndarray, look: Look, value: str, label: str) -> None:
    """Points of a column of a table with their intervals, along x."""
    ax.hlines(y, part["low"], part["high"], color=look.colour, linewidth=1, zorder=2)
    ax.plot(part[value], y, label=label, zorder=3, linestyle="none", **look.marker)


def upright(
    ax: Axes, part: pd.DataFrame, x: Any, look: Look, *, label: str = "", joined: bool = True
) -> None:
    """Points of means with their intervals, along y, joined by a line or not."""
    ax.vlines(x, part["low"], part["high"], color=look.colour, linewidth=1, zorder=2)
    how = look.line if joined else {**look.marker, "linestyle": "none"}
    ax.plot(x, part["mean"], label=label or "_", zorder=3, **how)


def note(ax: Axes, text: str) -> None:
    """Words in the place of what cannot be drawn."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, color=GREY, ha="center", va="center")


def legend_below(
    figure: Figure | SubFigure,
    handles: Mapping[str, Artist] | None = None,
    *,
    title: str | None = None,
    n_columns: int = 2,
    handle_length: float = 2.4,
) -> None:
    """The one legend of a figure: each label once, in the order of drawing."""
    found = named_handles(figure.axes) if handles is None else handles
    figure.legend(
        [*found.values()],
        [*found],
        title=title,
        loc="outside lower center",
        ncols=_columns_that_fit(figure, list(found), n_columns, handle_length),
        handletextpad=PADDING,
        columnspacing=SPACING,
        labelspacing=0.3,
        handlelength=handle_length,
    )


def _columns_that_fit(
    figure: Figure | SubFigure, labels: Sequence[str], most: int, handle_length: float
) -> int:
    """The largest number of columns of a legend, filled one by one, that a figure has room for."""
    width = figure.bbox.width / figure.get_dpi() * 72  # in points
    for n in range(min(most, len(labels)), 1, -1):
        letters = [max(map(len, part)) for part in np.array_split(np.array(labels, object), n)]
        between = SPACING * (n - 1)
        if SMALL * (LETTER * sum(letters) + n * (handle_length + PADDING) + between) <= width:
            return n
    return 1


def named_handles(panels: Sequence[Axes]) -> dict[str, Artist]:
    """What is named in some panels, by its name; of several, the first."""
    found: dict[str, Artist] = {}
    for ax in panels:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return found
