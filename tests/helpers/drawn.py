"""Tables that figures are drawn from, made up, and what a reader sees of a figure."""

from __future__ import annotations

import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from helpers.relevance_vectors import CLASSES, parts_of
from l2i.evaluation.class_tree import class_tree
from l2i.reporting.figures.class_faithfulness import class_faithfulness
from l2i.reporting.figures.components_sweep import LOSSES, components_sweep
from l2i.reporting.figures.corruption_sweep import PANELS, corruption_sweep
from l2i.reporting.figures.dictionary import dictionary_map
from l2i.reporting.figures.interpretation import interpreted_clip
from l2i.reporting.figures.relevance_map import RelevanceMap, relevance_map
from l2i.reporting.figures.sanity_cascade import CASCADE_PANELS, sanity_cascade
from l2i.reporting.figures.thresholds import threshold_curves
from l2i.reporting.figures.training_curves import training_curves

LONG = [f"instrument_of-uncertain-size-{i:02d}" for i in range(20)]
LONG_TITLES = {f"s{i}": f"A system of the {i}. kind by design" for i in range(8)}
CAPTION = {"title": "Figure 0: one & all", "text": "What <is> seen."}


def texts(figure):
    """What a reader sees: each text with its box in pixels, as it stands on the page."""
    drawn = {}

    def note(text, renderer):
        draw(text, renderer)
        if text.get_text().strip() and text.get_visible():
            drawn[id(text)] = text.get_text(), matplotlib.text.Text.get_window_extent(text)

    with pytest.MonkeyPatch.context() as patch:
        draw = matplotlib.text.Text.draw
        patch.setattr(matplotlib.text.Text, "draw", note)
        figure.draw_without_rendering()
    return list(drawn.values())


def words(figure):
    """All texts of a figure."""
    return [text for text, _ in texts(figure)]


def segments(ax):
    """Both ends of every interval, by class of lines, in the order of drawing."""
    lines = [each for each in ax.collections if isinstance(each, LineCollection)]
    return [np.array(each.get_segments()) for each in lines]


def medians(classes=CLASSES, removals=("relevant", "random_all"), n_clips=None):
    """Drops of classes by removal."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(itertools.product(classes, removals), columns=["class", "removal"])
    table["median"] = rng.normal(0.2, 0.1, len(table))
    table["low"], table["high"] = table["median"] - 0.05, table["median"] + 0.1
    table.insert(0, "system", "l2i_att")
    table.insert(0, "dataset", "sonyc_ust")
    if n_clips is not None:
        return table.assign(n_clips=[*n_clips] * len(classes))
    return table.assign(n_clips=rng.integers(1, 900, len(classes)).repeat(len(removals)))


def faithfulness(table=None, **changes):
    """Figure 2 of a table."""
    defaults = {"threshold": 0.1, "confidence": 0.95, "titles": {}}
    return class_faithfulness(medians() if table is None else table, **(defaults | changes))


def map_of(*args, **kwargs):
    """A part of Figure 5."""
    points, numbers, distances = parts_of(*args, **kwargs)
    return RelevanceMap(numbers["dataset"].iloc[0], points, numbers, class_tree(distances))


def sweep(datasets=("esc50", "openmic"), n_components=(25, 50, 100)):
    """Losses over numbers of components."""
    table = pd.DataFrame(
        itertools.product(datasets, n_components, LOSSES),
        columns=["dataset", "n_components", "loss"],
    )
    return _with_means(table).assign(system="l2i_att", fold="1")


def losses(datasets=("esc50",), systems=("base_f", "l2i_att"), parts=("total", "fidelity"), n=6):
    """Losses over epochs, each half of the one before; by half of it, folds differ."""
    table = pd.DataFrame(
        itertools.product(datasets, systems, parts, range(1, n + 1)),
        columns=["dataset", "system", "loss", "epoch"],
    )
    table["mean"] = 2.0 ** -table["epoch"]
    return table.assign(n=2, least=table["mean"] / 2, largest=table["mean"] * 1.5)


def company(systems=("l2i_att", "oracle_mask", "base_f"), datasets=("esc50",)):
    """Numbers of clips in company."""
    table = pd.DataFrame(
        itertools.product(datasets, systems, PANELS, ("noise", "class"), (-10, 0, 10)),
        columns=["dataset", "system", "metric", "kind", "snr_db"],
    )
    return _with_means(table)


def cascade(systems=("l2i_att",), datasets=("esc50",)):
    """Numbers of sanity checks."""
    steps = ["nothing", *("+".join(["head", "B6", "B5"][:n]) for n in (1, 2, 3))]
    conditions = [f"shuffled={step}" for step in steps]
    conditions += ["targets=shuffled", "activations=exchanged"]
    table = pd.DataFrame(
        itertools.product(datasets, systems, CASCADE_PANELS, conditions),
        columns=["dataset", "system", "metric", "condition"],
    )
    return _with_means(table)


def drops(systems=("l2i_att", "l2i_max"), datasets=("esc50",), random=("unselected", "energy")):
    """Drops over thresholds, and of random removals at 0.1."""
    removals = [("relevant", each) for each in (0.9, 0.5, 0.1)]
    removals += [(f"random_{each}", 0.1) for each in random]
    table = pd.DataFrame(
        [
            {"dataset": dataset, "system": system, "removal": removal, "threshold": threshold}
            for dataset, system, (removal, threshold) in itertools.product(
                datasets, systems, removals
            )
        ]
    )
    return _with_means(table)


def columns(datasets=("esc50",), dead=(2,), n=4):
    """A dictionary, whose k-th column is loudest in the k-th band."""
    table = pd.DataFrame(
        itertools.product(datasets, range(1, n + 1), range(n)),
        columns=["dataset", "place", "band"],
    )
    table["frequency_hz"] = 100.0 * 4 ** table.pop("band")
    table["centroid_hz"] = 100.0 * 4 ** (table["place"] - 1)
    table["level_db"] = -10 * np.log2(table["frequency_hz"] / table["centroid_hz"]).abs()
    return table.assign(active=(~table["place"].isin(dead)).astype(int))


def cells():
    """A picture of two bands and three moments; the mask keeps what comes first."""
    table = pd.DataFrame(
        itertools.product([0.5, 1.5, 2.5], [250.0, 4000.0]), columns=["time_s", "frequency_hz"]
    )
    table["mask"] = 1 - table["time_s"] / 5
    for name in ("input", "interpretation", "remainder"):
        table[f"{name}_db"] = -10 * table["time_s"]
    return table


def _with_means(table):
    mean = np.random.default_rng(0).random(len(table))
    return table.assign(mean=mean, low=mean - 0.1, high=mean + 0.2)


FIGURES = {
    "faithfulness": faithfulness,
    "map": lambda: relevance_map([map_of(), map_of(["a", "b$c$"], (4, 5))], titles={}),
    "sweep": lambda: components_sweep(sweep(["esc50"]), confidence=0.95, titles={}),
    "training": lambda: training_curves(losses(), titles={}),
    "company": lambda: corruption_sweep(company(), confidence=0.95, titles={}),
    "cascade": lambda: sanity_cascade(cascade(), confidence=0.95, titles={}),
    "thresholds": lambda: threshold_curves(drops(), confidence=0.95, titles={}),
    "dictionary": lambda: dictionary_map(columns(), titles={}),
    "interpretation": lambda: interpreted_clip(cells(), heading="a clip"),
}
THREE = ("esc50", "sonyc_ust", "openmic")
LARGE = {
    "faithfulness": lambda: faithfulness(
        medians(
            LONG,
            ("relevant", "random_unselected", "random_all", "random_energy", "nothing"),
            n_clips=(999, 999, 999, 888, 999),
        ),
        excluded_classes=LONG[:1],
    ),
    "map": lambda: relevance_map([map_of(LONG, [3] * 20)], titles={}),
    "sweep": lambda: components_sweep(
        sweep(n_components=range(50, 401, 50)), confidence=0.95, titles={}
    ),
    "training": lambda: training_curves(
        losses(("esc50", "openmic"), [*LONG_TITLES, "x"], ("total", "entropy")),
        titles=LONG_TITLES,
    ),
    "company": lambda: corruption_sweep(
        company([*LONG_TITLES], ("esc50", "esc10")), confidence=0.95, titles=LONG_TITLES
    ),
    "cascade": lambda: sanity_cascade(
        cascade(("s0", "s1"), ("esc50", "esc10")), confidence=0.95, titles=LONG_TITLES
    ),
    "thresholds": lambda: threshold_curves(
        drops(datasets=("esc50", "esc10"), random=("unselected", "all", "energy")),
        confidence=0.95,
        titles={},
    ),
    "dictionary": lambda: dictionary_map(columns(THREE, dead=(), n=20), titles={}),
    "interpretation": lambda: interpreted_clip(
        cells(), heading="SONYC-UST, clip 01_013482; L2I w/ ATT: machinery impact, probability 0.99"
    ),
}
