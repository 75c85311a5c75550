"""Figure 4 of the paper: mean ratings and votes of two systems, class by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MultipleLocator

from l2i.listening_test.preferences import RATING, TIES, VOTES
from l2i.listening_test.ratings import HIGHEST, LOWEST
from l2i.listening_test.report import SIMULATED
from l2i.names import ALL_CLASSES
from l2i.reporting.figures import COLOURS, GREY, PAGE, SHAPES, bands, style

PANELS = {RATING: "mean rating", VOTES: "votes in favour (%)"}
PITCH, AROUND = 0.36, 1.15  # inches of a class, and of what stands above and below all


@style()
def rating_figure(
    table: pd.DataFrame, *, systems: Sequence[str], titles: Mapping[str, str], confidence: float
) -> Figure:
    """Mean ratings on the left, votes on the right, a row for each class (Fig. 4).

    Parameters
    ----------
    table : DataFrame
        Rows of `l2i.listening_test.report.tabulated`; a part of the figure for each data set.
        Where it is of simulated answers, the figure says so above and below.
    systems : sequence of str
        The two that are compared.
    titles : mapping
        What is printed for the names of data sets and systems.
    confidence : float
        Of the intervals.
    """
    datasets = list(table["dataset"].unique())
    parts = [table[table["dataset"] == name] for name in datasets]
    heights = [AROUND + PITCH * part["class"].nunique() for part in parts]
    figure = Figure(figsize=(PAGE, sum(heights)))
    rows = figure.subfigures(len(parts), 1, height_ratios=heights, squeeze=False)[:, 0]
    for row, name, part in zip(rows, datasets, parts, strict=True):
        _draw(row, part, titles.get(name, name), systems, titles, confidence)
    return figure


def _draw(
    figure: SubFigure,
    table: pd.DataFrame,
    title: str,
    systems: Sequence[str],
    titles: Mapping[str, str],
    confidence: float,
) -> None:
    classes = list(table["class"].unique())
    people = int(table["n_participants"].max())
    is_simulated = bool(table["simulated"].any())
    marked = f"{SIMULATED}\n" if is_simulated else ""
    figure.suptitle(
        f"{marked}{title}: listening test with {people} participants",
        color="#b00020" if is_simulated else None,
    )
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for ax, (metric, heading) in zip(panels, PANELS.items(), strict=True):
        bands(ax, len(classes))
        for i, name in enumerate(systems):
            chosen = (table["metric"] == metric) & (table["system"] == name)
            part = table[chosen].set_index("class").loc[classes]
            y = np.arange(len(classes)) + 0.4 * (i / (len(systems) - 1) - 0.5)
            _dots(ax, part, y, i, titles.get(name, name))
        ax.set_xlim(LOWEST - 3, HIGHEST + 3)
        ax.xaxis.set_major_locator(MultipleLocator(20))
        ax.set_xlabel(f"{heading}, {100 * confidence:g} % interval{_mark(is_simulated)}")
        if classes[-1] == ALL_CLASSES:
            ax.axhline(len(classes) - 1.5, color=GREY, linewidth=0.6)
        sns.despine(ax=ax, left=True)
    panels[0].set_yticks(range(len(classes)), [_label(table, name) for name in classes])
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, handletextpad=0.3)


def _mark(is_simulated: bool) -> str:
    return ", simulated" if is_simulated else ""


def _label(table: pd.DataFrame, name: str) -> str:
    """A class with its number of trials, and how many of them are votes for neither."""
    (ties,) = table[(table["class"] == name) & (table["metric"] == TIES)].itertuples()
    n_ties = round(ties.mean * ties.n / 100)
    told = f", {n_ties} tied" if n_ties else ""
    return f"{name}\n{ties.n} trial{'' if ties.n == 1 else 's'}{told}"


def _dots(ax: Axes, part: pd.DataFrame, y: np.ndarray, i: int, label: str) -> None:
    ax.hlines(y, part["low"], part["high"], color=COLOURS[i], linewidth=1.2, zorder=2)
    look = {"color": COLOURS[i], "marker": SHAPES[i], "markersize": 4, "linestyle": "none"}
    ax.plot(part["mean"], y, label=label, zorder=3, **look)
