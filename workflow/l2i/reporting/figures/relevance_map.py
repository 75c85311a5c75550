"""Figure 5: relevance vectors in two dimensions, and how far their classes lie apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from l2i.names import class_title
from l2i.reporting.figures.panels import note, round_ticks, signed, without_frame
from l2i.reporting.figures.style import COLOURS, GREY, PAGE, SHAPES, SMALL, style

EDGE = "0.2"  # of all points, whatever their colour


@dataclass(frozen=True)
class RelevanceMap:
    """What Figure 5 shows of one data set.

    points : ``class``, ``x``, ``y``; x and y are NaN where there was too little to project.
    numbers : one row per class, and the last for all, of ``class``, ``n_vectors``, ``silhouette``,
        ``silhouette_exchanged``, ``purity``, ``purity_exchanged``, ``purity_chance``,
        ``n_neighbors``. Colours and shapes follow its order.
    tree : of the classes, see `l2i.evaluation.class_tree.class_tree`.
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
    heights = [max(2.6, 1.0 + 0.15 * len(each.classes)) for each in maps]
    figure = Figure(figsize=(PAGE, sum(heights)))
    rows = figure.subfigures(len(maps), 1, height_ratios=heights, squeeze=False)[:, 0]
    for row, each in zip(rows, maps, strict=True):
        left, right = row.subplots(1, 2)
        row.suptitle(_summary(each, titles))
        _scatter(left, each)
        _tree(right, each)
    return figure


def _summary(each: RelevanceMap, titles: Mapping[str, str]) -> str:
    number = each.numbers.iloc[-1]
    name = titles.get(each.dataset, each.dataset)
    if not np.isfinite(number["purity"]):
        return f"{name}: too few relevance vectors to compare"
    columns = ["silhouette", "silhouette_exchanged", "purity", "purity_exchanged", "purity_chance"]
    shown = {c: signed(number[c]) if np.isfinite(number[c]) else "none" for c in columns}
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
        note(ax, "too few different\nvectors for a map")
    else:
        # Rare classes on top of frequent ones.
        sizes = points["class"].map(points["class"].value_counts())
        points = points.loc[sizes.sort_values(ascending=False, kind="stable").index]
        colours, shapes = _looks(each.classes)
        sns.scatterplot(
            points,
            **{"x": "x", "y": "y", "hue": "class", "style": "class"},
            **{"palette": colours, "markers": shapes, "edgecolor": EDGE, "linewidth": 0.3},
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
    ax.set_yticks(range(len(names)), [f"{class_title(name)} ({sizes[name]})" for name in names])
    ax.tick_params(axis="y", length=0, pad=14)
    beside = blended_transform_factory(ax.transAxes, ax.transData)
    heading: dict[str, Any] = {"fontsize": SMALL, "color": GREY, "ha": "right", "va": "bottom"}
    ax.text(-0.01, -0.6, "class (number of vectors)", transform=beside, **heading)
    colours, shapes = _looks(each.classes)
    for row, name in enumerate(names):
        look: dict[str, Any] = {"color": colours[name], "marker": shapes[name], "markersize": 5}
        edge: dict[str, Any] = {"markeredgecolor": EDGE, "markeredgewidth": 0.3}
        ax.plot(-0.04, row, transform=beside, clip_on=False, **look, **edge)
    for across, along in zip(tree["icoord"], tree["dcoord"], strict=True):
        ax.plot(along, (np.array(across) - 5) / 10, color=GREY, linewidth=0.9)
    ax.set_xlabel("cosine distance of mean relevance vectors", loc="right")
    if tree["dcoord"]:
        ax.set_xlim(0, max(1e-6, 1.05 * np.max(tree["dcoord"])))
        round_ticks(ax.xaxis)
    else:
        ax.set_xticks([])
        note(ax, "fewer than two\nclasses to compare")
    without_frame(ax, left=True)
