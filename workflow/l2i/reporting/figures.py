"""Figures 2, 3, 5 and 6 of the paper, and that of sanity checks, drawn from finished tables.

Nothing here computes a number. The same table gives the same bytes: no dates, no versions, a fixed
salt for the names inside of an SVG, and a style of its own whatever the user's matplotlibrc says.
Text in an SVG stays text, so that it can be searched and read aloud.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, StrMethodFormatter
from matplotlib.transforms import blended_transform_factory

from l2i.disk import PART, write_bytes
from l2i.names import OFFICIAL, TITLES
from l2i.reporting.fonts import without_boxes
from l2i.reporting.removals import NOTHING, RELEVANT
from l2i.reporting.sanity import EXCHANGED, RETRAINED, cascade_of

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType
log = logging.getLogger(__name__)

COLUMN, PAGE = 3.5, 7.16  # widths in print, inches
COLOURS = sns.color_palette("colorblind", 10).as_hex()
# Seven shapes beside ten colours: the first seventy classes differ, and neighbours differ twice.
SHAPES = ("o", "s", "^", "D", "v", "P", "X")
GREY, FAINT = "0.35", "0.95"

STYLE: dict[RcKeyType, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "figure.titlesize": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.linewidth": 0.6,
    "figure.constrained_layout.use": True,
    "text.parse_math": False,  # names may hold a dollar sign
    "svg.fonttype": "none",
    "svg.hashsalt": "l2i",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw with `STYLE` on the library's defaults, whatever is set outside; also a decorator."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


@style()
def save(figure: Figure, path_to_svg: str | Path, path_to_png: str | Path) -> None:
    """Write a figure as vectors and as pixels (300 an inch).

    What no font of this machine has is shown by its number in pixels, and warned of. Vectors hold
    the text itself: whoever looks at them may have a font.
    """
    svg, png = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from")
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    if unreadable := without_boxes(figure):
        log.warning(
            "warning: no font of this machine has %s: %s shows them by their numbers, tables and "
            "the SVG as they are. To change that, install a font that has them, as Debian's "
            "fonts-noto-cjk for Chinese, Japanese and Korean, delete the picture and give your "
            "command again",
            unreadable,
            Path(path_to_png).name.removeprefix(PART),
        )
    figure.savefig(png, format="png", dpi=300, metadata={"Software": None})
    write_bytes(path_to_svg, svg.getvalue())
    write_bytes(path_to_png, png.getvalue())


# ---------------------------------------------------------------- faithfulness by class


@style()
def class_faithfulness(
    table: pd.DataFrame,
    *,
    threshold: float,
    confidence: float,
    titles: Mapping[str, str],
    excluded_classes: Sequence[str] = (),
) -> Figure:
    """Median drop in probability of every class, relevant beside random removals (Fig. 2, 3).

    A bar across each class marks its drop when nothing is removed.

    Parameters
    ----------
    table : DataFrame
        One row per class and removal, of one data set and system: ``dataset``, ``system``,
        ``class``, ``removal``, ``n_clips``, ``median``, ``low``, ``high``.
    threshold : float
        Of the relevant components.
    confidence : float
        Of the intervals.
    titles : mapping
        What is printed for the names of data sets, systems and removals, if not the name itself.
    excluded_classes : sequence of str
        Marked: they have no part in means over classes.
    """
    floor = table[table["removal"] == NOTHING]
    dotted = table.drop(floor.index)
    classes, removals = dotted["class"].unique(), dotted["removal"].unique()
    pitch = max(0.3, 0.075 * len(removals))  # two lines of text, or all dots
    n_looks = table["removal"].nunique()
    figure = Figure(figsize=(COLUMN, 0.95 + pitch * len(classes) + 0.16 * n_looks))
    ax = figure.subplots()
    bands(ax, len(classes))
    for i, removal in enumerate(removals):
        part = dotted[dotted["removal"] == removal]
        y = np.arange(len(part)) + 0.8 * ((i + 0.5) / len(removals) - 0.5)
        label = "relevant components" if removal == RELEVANT else TITLES.get(removal, removal)
        _dots(ax, part, y, colour=COLOURS[i], shape=SHAPES[i], label=label)
    if len(floor):
        y, label = np.arange(float(len(floor))), TITLES[NOTHING]
        ax.vlines(
            floor["median"], y - 0.4, y + 0.4, color=GREY, linewidth=1.8, label=label, zorder=1.5
        )
    stars = ["*" if name in excluded_classes else "" for name in classes]
    counts = dotted.groupby("class", sort=False)["n_clips"].agg(["max", "min"])
    ax.set_yticks(
        range(len(classes)),
        [
            f"{name}{star}\nn = {n}" + (f", {least} matched" if least < n else "")
            for star, (name, n, least) in zip(stars, counts.itertuples(), strict=True)
        ],
    )
    _notes_by_class(ax, dotted, classes)
    ax.axvline(0, color=GREY, linewidth=0.6, zorder=1)
    note = "\n* left out of means over classes" if any(stars) else ""
    # To the right end: beside long names the axis is shorter than this text.
    label = f"median drop in probability\nwith {100 * confidence:g} % interval{note}"
    ax.set_xlabel(label, loc="right")
    ax.xaxis.set_major_locator(MaxNLocator(5))
    names = (titles.get(name, name) for name in table[["dataset", "system"]].iloc[0])
    figure.suptitle(f"{', '.join(names)}, threshold {threshold:g}")
    figure.legend(loc="outside lower center", handletextpad=0.3, labelspacing=0.3)
    sns.despine(ax=ax, left=True)
    return figure


def bands(ax: Axes, n: int) -> None:
    """A band behind every other of n rows, the first on top."""
    ax.set_ylim(n - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    for row in range(0, n, 2):
        ax.axhspan(row - 0.5, row + 0.5, color=FAINT, linewidth=0, zorder=0)


def _dots(
    ax: Axes, part: pd.DataFrame, y: np.ndarray, *, colour: str, shape: str, label: str
) -> None:
    ax.hlines(y, part["low"], part["high"], color=colour, linewidth=1.2, zorder=2)
    ax.plot(part["median"], y, shape, color=colour, markersize=3.5, label=label, zorder=3)


def _notes_by_class(ax: Axes, table: pd.DataFrame, classes: Sequence[str]) -> None:
    """Say of rows without a dot why there is none."""
    where = blended_transform_factory(ax.transAxes, ax.transData)
    for row, name in enumerate(classes):
        part = table[table["class"] == name]
        lost = part[part["median"].isna()]
        measured = part["n_clips"].any()
        if not measured or lost["n_clips"].any():  # else none of its clips could be matched
            text = "diverged" if measured else "no decision for it"
            ax.text(0.98, row, text, transform=where, color=GREY, ha="right", va="center")


# ---------------------------------------------------------------- relevance vectors


@dataclass(frozen=True)
class RelevanceMap:
    """What Figure 5 shows of one data set.

    points : ``class``, ``x``, ``y``; x and y are NaN where there was too little to project.
    numbers : one row per class, and the last for all, of ``class``, ``n_vectors``, ``silhouette``,
        ``silhouette_exchanged``, ``purity``, ``purity_exchanged``, ``purity_chance``,
        ``n_neighbors``. Colours and shapes follow its order.
    tree : of the classes, see `l2i.evaluation.coherence.class_tree`.
    """

    dataset: str
    points: pd.DataFrame
    numbers: pd.DataFrame
    tree: Mapping

    @property
    def classes(self) -> list[str]:
        """Names in order."""
        return list(self.numbers["class"][:-1])


@style()
def relevance_map(maps: Sequence[RelevanceMap], *, titles: Mapping[str, str]) -> Figure:
    """Relevance vectors in two dimensions, and how far their classes lie apart (Fig. 5).

    One row per data set: t-SNE on the left, dendrogram of the classes on the right. The names
    at its leaves, with colour and shape, are the legend of both. Silhouette and purity stand above,
    each beside what it is with activations exchanged between clips: vectors of a class share its
    weights, and lie together by them alone.
    """
    heights = [max(2.75, 0.85 + 0.165 * len(each.classes)) for each in maps]
    figure = Figure(figsize=(PAGE, sum(heights)))
    rows = figure.subfigures(len(maps), 1, height_ratios=heights, squeeze=False)[:, 0]
    for row, each in zip(rows, maps, strict=True):
        left, right = row.subplots(1, 2)
        row.suptitle(_summary(each, titles), fontsize=9)
        _scatter(left, each)
        _tree(right, each)
    return figure


def _summary(each: RelevanceMap, titles: Mapping[str, str]) -> str:
    number = each.numbers.iloc[-1]
    name = titles.get(each.dataset, each.dataset)
    if not np.isfinite(number["purity"]):
        return f"{name}: too few relevance vectors to compare"
    columns = ["silhouette", "silhouette_exchanged", "purity", "purity_exchanged", "purity_chance"]
    shown = {c: f"{number[c]:.2f}" if np.isfinite(number[c]) else "none" for c in columns}
    return (
        "{name}: silhouette {silhouette} "
        "({silhouette_exchanged} with activations exchanged between clips)\n"
        "{n_neighbors}-nearest-neighbour purity {purity} ({purity_exchanged} exchanged; "
        "{purity_chance} by chance)"
    ).format(name=name, n_neighbors=number["n_neighbors"], **shown)


def _looks(classes: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Colour and shape of each class."""
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(classes)}
    return colours, {name: SHAPES[i % len(SHAPES)] for i, name in enumerate(classes)}


def _scatter(ax: Axes, each: RelevanceMap) -> None:
    points = each.points.dropna(subset=["x", "y"])
    if points.empty:
        _note(ax, "too few different\nvectors for a map")
    else:
        # Rare classes on top of frequent ones.
        sizes = points["class"].map(points["class"].value_counts())
        points = points.loc[sizes.sort_values(ascending=False, kind="stable").index]
        colours, shapes = _looks(each.classes)
        sns.scatterplot(
            points,
            **{"x": "x", "y": "y", "hue": "class", "style": "class"},
            **{"palette": colours, "markers": shapes, "edgecolor": "0.2", "linewidth": 0.3},
            s=18 if len(points) <= 300 else 10,
            legend=False,
            ax=ax,
        )
        ax.set_aspect("equal", adjustable="datalim")
    ax.set(xticks=[], yticks=[], ylabel="")
    n = each.numbers["n_vectors"].iloc[-1]
    share = f"{n}" if len(each.points) == n else f"{len(each.points)} of {n}"
    ax.set_xlabel(f"t-SNE of {share} relevance vectors", visible=True)


def _tree(ax: Axes, each: RelevanceMap) -> None:
    tree = each.tree
    names = tree["leaves"] + [name for name in each.classes if name not in tree["leaves"]]
    sizes = each.numbers.set_index("class")["n_vectors"]
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_yticks(range(len(names)), [f"{name} ({sizes[name]})" for name in names])
    ax.tick_params(axis="y", length=0, pad=14)
    beside = blended_transform_factory(ax.transAxes, ax.transData)
    colours, shapes = _looks(each.classes)
    for row, name in enumerate(names):
        look: dict[str, Any] = {"color": colours[name], "marker": shapes[name], "markersize": 5}
        edge: dict[str, Any] = {"markeredgecolor": "0.2", "markeredgewidth": 0.3}
        ax.plot(-0.04, row, transform=beside, clip_on=False, **look, **edge)
    for across, along in zip(tree["icoord"], tree["dcoord"], strict=True):
        ax.plot(along, (np.array(across) - 5) / 10, color=GREY, linewidth=0.9)
    ax.set_xlabel("cosine distance of mean relevance vectors", loc="right")
    if tree["dcoord"]:
        ax.set_xlim(0, max(1e-6, 1.05 * np.max(tree["dcoord"])))
        ax.xaxis.set_major_locator(MaxNLocator(4))
    else:
        ax.set_xticks([])
        _note(ax, "fewer than two\nclasses to compare")
    sns.despine(ax=ax, left=True)


def _note(ax: Axes, text: str) -> None:
    ax.text(0.5, 0.5, text, transform=ax.transAxes, color=GREY, ha="center", va="center")


# ---------------------------------------------------------------- number of components

LOSSES = {"reconstruction_loss": "reconstruction loss", "fidelity_loss": "fidelity loss (nat)"}


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
    figure = Figure(figsize=(PAGE, 0.35 + 2.1 * len(datasets)))
    panels = figure.subplots(len(datasets), len(LOSSES), squeeze=False)
    for row, dataset in zip(panels, datasets, strict=True):
        for ax, loss in zip(row, LOSSES, strict=True):
            part = table[(table["dataset"] == dataset) & (table["loss"] == loss)]
            _lines(ax, part, titles)
            ax.set_ylabel(LOSSES[loss])
            # In the place of a title, where it hides no data.
            above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1)}
            ax.legend(title=titles.get(dataset, dataset), **above)
    for ax in panels[-1]:
        ax.set_xlabel(f"number of components K, with {100 * confidence:g} % intervals")
    return figure


def _lines(ax: Axes, part: pd.DataFrame, titles: Mapping[str, str]) -> None:
    for i, ((system, fold), line) in enumerate(part.groupby(["system", "fold"], sort=False)):
        line = line.sort_values("n_components", kind="stable")
        split = "official split" if fold == OFFICIAL else f"fold {fold}"
        label, colour = f"{titles.get(system, system)}, {split}", COLOURS[i % len(COLOURS)]
        marker = SHAPES[i % len(SHAPES)]
        look: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 4, "linewidth": 1}
        ax.plot(line["n_components"], line["mean"], label=label, **look)
        ax.vlines(line["n_components"], line["low"], line["high"], color=colour, linewidth=1)
        below = blended_transform_factory(ax.transData, ax.transAxes)
        for K in line.loc[line["mean"].isna(), "n_components"]:
            ax.text(K, 0.03, "diverged", transform=below, color=colour, rotation=90, ha="center")
    values = sorted(part["n_components"].unique())
    gaps = np.diff(np.log2(values))
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(values))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    if len(gaps) and gaps.min() < 0.09 * gaps.sum():
        ax.tick_params(axis="x", rotation=90)
    ax.set_xlim(values[0] / 1.15, values[-1] * 1.15)
    ax.yaxis.set_major_locator(MaxNLocator(5))
    sns.despine(ax=ax)


# ---------------------------------------------------------------- sanity checks

CASCADE_PANELS = {
    "relevance_correlation": "rank correlation with the\nintact relevances, mean",
    "ff_median": "median drop in probability\nwithout relevant components",
}


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
    datasets = table["dataset"].unique()
    figure = Figure(figsize=(PAGE, 0.55 + 2.2 * len(datasets)))
    panels = figure.subplots(len(datasets), len(CASCADE_PANELS), squeeze=False)
    for row, dataset in zip(panels, datasets, strict=True):
        for ax, metric in zip(row, CASCADE_PANELS, strict=True):
            part = table[(table["dataset"] == dataset) & (table["metric"] == metric)]
            for i, (system, numbers) in enumerate(part.groupby("system", sort=False)):
                _cascade(ax, numbers, titles.get(system, system), i)
            ax.set_ylabel(CASCADE_PANELS[metric])
            above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1), "ncols": 2}
            ax.legend(title=titles.get(dataset, dataset), **above)
    for ax in panels[-1]:
        ax.set_xlabel(f"shuffled, from the output down; with {100 * confidence:g} % intervals")
    return figure


def _cascade(ax: Axes, numbers: pd.DataFrame, label: str, i: int) -> None:
    """The line of the system i, and what stands beside it."""
    colour, shape = COLOURS[i % len(COLOURS)], SHAPES[i % len(SHAPES)]
    steps = numbers[[cascade_of(each) is not None for each in numbers["condition"]]]
    names = [_last_stage(each) for each in steps["condition"]]
    x = np.arange(len(names)) + 0.12 * i  # beside each other, so that no interval hides another
    look: dict[str, Any] = {"color": colour, "marker": shape, "markersize": 4, "linewidth": 1}
    ax.plot(x, steps["mean"], label=label, **look)
    ax.vlines(x, steps["low"], steps["high"], color=colour, linewidth=1)
    for each in numbers[numbers["condition"] == EXCHANGED].itertuples():
        by_weights = "by weights alone"
        ax.axhline(each.mean, color=colour, linestyle="--", linewidth=0.8, label=by_weights)
    for each in numbers[numbers["condition"] == RETRAINED].itertuples():
        at = len(names) + 0.12 * i
        ax.plot(at, each.mean, **look | {"markerfacecolor": "white"})
        ax.vlines(at, each.low, each.high, color=colour, linewidth=1, zorder=1)
        names.append("targets")
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    ax.yaxis.set_major_locator(MaxNLocator(5))
    sns.despine(ax=ax)


def _last_stage(condition: str) -> str:
    """The tick of a step: what is shuffled there and was not before."""
    stages = cascade_of(condition)
    return ("+ " * (len(stages) > 1) + stages[-1]) if stages else "nothing"
