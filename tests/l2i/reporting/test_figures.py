"""Pictures: what they show is what the tables say, to the byte."""

from __future__ import annotations

import itertools
import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from helpers.relevance_vectors import CLASSES, parts_of
from l2i.evaluation.coherence import ALL, class_tree
from l2i.reporting.figures import (
    LOSSES,
    RelevanceMap,
    _looks,
    class_faithfulness,
    components_sweep,
    relevance_map,
    save,
)

LONG = [f"instrument-of-uncertain-size-{i:02d}" for i in range(20)]


def texts(figure):
    """What a reader sees: each text with its box in pixels."""
    drawn = {}

    def note(text, renderer):
        draw(text, renderer)
        if text.get_text().strip() and text.get_visible():
            drawn[id(text)] = text.get_text(), text.get_window_extent(renderer)

    with pytest.MonkeyPatch.context() as patch:
        draw = matplotlib.text.Text.draw
        patch.setattr(matplotlib.text.Text, "draw", note)
        figure.draw_without_rendering()
    return list(drawn.values())


def segments(ax):
    """Both ends of every interval, by class of lines, in the order of drawing."""
    lines = [each for each in ax.collections if isinstance(each, LineCollection)]
    return [np.array(each.get_segments()) for each in lines]


def medians(classes=CLASSES, removals=("relevant", "random_all"), n_clips=None):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(itertools.product(classes, removals), columns=["class", "removal"])
    table["median"] = rng.normal(0.2, 0.1, len(table))
    table["low"], table["high"] = table["median"] - 0.05, table["median"] + 0.1
    table.insert(0, "system", "l2i_att")
    table.insert(0, "dataset", "sonyc_ust")
    if n_clips is not None:
        return table.assign(n_clips=[*n_clips] * len(classes))
    return table.assign(n_clips=rng.integers(1, 900, len(classes)).repeat(len(removals)))


def map_of(*args, **kwargs):
    points, numbers, distances = parts_of(*args, **kwargs)
    return RelevanceMap(numbers["dataset"].iloc[0], points, numbers, class_tree(distances))


def sweep(datasets=("esc50", "openmic"), n_components=(25, 50, 100)):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        itertools.product(datasets, n_components, LOSSES),
        columns=["dataset", "n_components", "loss"],
    )
    table["mean"] = rng.random(len(table))
    table["low"], table["high"] = table["mean"] - 0.1, table["mean"] + 0.2
    return table.assign(system="l2i_att", fold="1")


def faithfulness(table=None, **changes):
    defaults = {"threshold": 0.1, "confidence": 0.95, "titles": {}}
    return class_faithfulness(medians() if table is None else table, **(defaults | changes))


FIGURES = {
    "faithfulness": faithfulness,
    "map": lambda: relevance_map([map_of(), map_of(["a", "b$c$"], (4, 5))], titles={}),
    "sweep": lambda: components_sweep(sweep(["esc50"]), confidence=0.95, titles={}),
}
LARGE = {
    "faithfulness": lambda: faithfulness(
        medians(LONG, ("relevant", "random_energy", "nothing"), n_clips=(999, 888, 999)),
        excluded_classes=LONG[:1],
    ),
    "map": lambda: relevance_map([map_of(LONG, [3] * 20)], titles={}),
    "sweep": lambda: components_sweep(
        sweep(n_components=range(50, 401, 50)), confidence=0.95, titles={}
    ),
}


class TestEveryFigure:
    @pytest.mark.parametrize("name", FIGURES)
    def test_the_same_numbers_give_the_same_bytes_whatever_the_user_has_set(self, name, tmp_path):
        with matplotlib.rc_context({"font.size": 20, "svg.hashsalt": None, "axes.grid": True}):
            save(FIGURES[name](), tmp_path / "a.svg", tmp_path / "a.png")
        save(FIGURES[name](), tmp_path / "b.svg", tmp_path / "b.png")
        for suffix in ("svg", "png"):
            first, second = ((tmp_path / f"{f}.{suffix}").read_bytes() for f in "ab")
            assert first == second
            assert b"dc:date" not in first
            assert b"Software" not in first and b"Matplotlib v" not in first
        svg = (tmp_path / "a.svg").read_text()
        sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)]
        assert sizes and min(sizes) >= 8

    @pytest.mark.parametrize("name", LARGE)
    def test_with_many_long_names_no_text_covers_another_or_leaves_the_page(self, name):
        figure = LARGE[name]()
        page = figure.bbox.padded(1)
        found = texts(figure)
        for text, box in found:
            inside = page.x0 <= box.x0 and box.x1 <= page.x1
            assert inside and page.y0 <= box.y0 and box.y1 <= page.y1, f"{text!r} is cut off"
        for (one, a), (other, b) in itertools.combinations(found, 2):
            assert not a.overlaps(b), f"{one!r} covers {other!r}"

    def test_the_state_of_matplotlib_is_left_as_it_was(self, tmp_path):
        before = dict(matplotlib.rcParams)
        save(faithfulness(), tmp_path / "a.svg", tmp_path / "a.png")
        assert dict(matplotlib.rcParams) == before

    def test_every_class_has_a_look_of_its_own_and_neighbours_differ_twice(self):
        names = [str(i) for i in range(50)]
        colours, shapes = _looks(names)
        assert len({(colours[name], shapes[name]) for name in names}) == 50
        for one, other in itertools.pairwise(names):
            assert colours[one] != colours[other] and shapes[one] != shapes[other]


class TestClassFaithfulness:
    def test_dots_and_intervals_stand_where_the_table_says(self):
        table = medians()
        (ax,) = faithfulness(table).axes
        dots = {line.get_label(): line for line in ax.lines}
        names = {"relevant": "relevant components", "random_all": "random, among all"}
        for removal, ends in zip(names, segments(ax), strict=True):
            part = table[table["removal"] == removal]
            dot = dots[names[removal]]
            assert dot.get_xdata() == pytest.approx(part["median"].to_numpy())
            assert dot.get_ydata().round().tolist() == [0, 1, 2]
            assert ends[:, :, 0] == pytest.approx(part[["low", "high"]].to_numpy())
            assert ends[:, 0, 1] == pytest.approx(dot.get_ydata())

    def test_the_axis_names_its_unit_and_labels_their_counts(self):
        table = medians()
        shown = [text for text, _ in texts(faithfulness(table))]
        assert "median drop in probability\nwith 95 % interval" in shown
        for name, n in table[["class", "n_clips"]].drop_duplicates().itertuples(index=False):
            assert f"{name}\nn = {n}" in shown

    def test_classes_that_are_left_out_are_marked_and_the_mark_explained(self):
        shown = " ".join(text for text, _ in texts(faithfulness(excluded_classes=["music"])))
        assert "music*" in shown and "dog*" not in shown
        assert "* left out of means over classes" in shown
        assert "*" not in " ".join(text for text, _ in texts(faithfulness()))

    def test_titles_stand_for_names(self):
        titles = {"sonyc_ust": "SONYC-UST", "l2i_att": "L2I"}
        shown = [text for text, _ in texts(faithfulness(titles=titles))]
        assert "SONYC-UST, L2I, threshold 0.1" in shown and "random, among all" in shown

    def test_a_bar_across_each_class_marks_what_removing_nothing_does(self):
        table = medians(removals=("relevant", "random_all", "nothing"))
        (ax,) = faithfulness(table).axes
        *_, floor = segments(ax)
        part = table[table["removal"] == "nothing"]
        assert floor[:, :, 0] == pytest.approx(part[["median", "median"]].to_numpy())
        assert floor[:, :, 1].mean(1) == pytest.approx([0, 1, 2])
        assert "nothing (round trip alone)" in [text for text, _ in texts(faithfulness(table))]

    def test_clips_that_a_baseline_lacks_are_counted_beside_the_name(self):
        table = medians().assign(n_clips=9)
        table.loc[(table["class"] == "dog") & (table["removal"] == "random_all"), "n_clips"] = 4
        shown = [text for text, _ in texts(faithfulness(table))]
        assert "dog\nn = 9, 4 matched" in shown and "music\nn = 9" in shown

    def test_a_row_without_a_dot_says_why(self):
        table = medians()
        numbers = ["median", "low", "high"]
        table.loc[table["class"] == "dog", [*numbers, "n_clips"]] = [np.nan] * 3 + [0]
        table.loc[(table["class"] == "siren") & (table["removal"] == "relevant"), numbers] = np.nan
        shown = [text for text, _ in texts(faithfulness(table))]
        assert shown.count("no decision for it") == 1 and shown.count("diverged") == 1
        assert "dog\nn = 0" in shown

    def test_nothing_but_empty_classes_is_legal(self):
        table = medians().assign(median=np.nan, low=np.nan, high=np.nan, n_clips=0)
        assert [t for t, _ in texts(faithfulness(table))].count("no decision for it") == 3


class TestRelevanceMap:
    def test_points_stand_where_the_table_says_in_the_colour_of_their_class(self):
        each = map_of()
        left, _ = relevance_map([each], titles={}).axes
        (drawn,) = left.collections
        at = {tuple(xy): i for i, xy in enumerate(drawn.get_offsets().data.tolist())}
        assert len(at) == len(each.points)
        colours, _ = _looks(each.classes)
        for point in each.points.itertuples(index=False):
            colour = drawn.get_facecolors()[at[point.x, point.y]]
            assert matplotlib.colors.to_hex(colour) == colours[point[0]]
        shapes = [path.vertices.tobytes() for path in drawn.get_paths()]
        assert len(shapes) == len(each.points) and len(set(shapes)) == len(CLASSES)

    def test_the_tree_joins_classes_at_their_distance(self):
        _, right = relevance_map([map_of(["a", "b"], (4, 5))], titles={}).axes
        _, _, distances = parts_of(["a", "b"], (4, 5))
        link = next(line for line in right.lines if len(line.get_xdata()) == 4)
        assert max(link.get_xdata()) == pytest.approx(distances.loc["a", "b"])
        assert sorted(set(link.get_ydata())) == [0, 1]

    def test_names_at_the_leaves_carry_the_look_of_their_points(self):
        each = map_of(LONG, [3] * 20)
        _, right = relevance_map([each], titles={}).axes
        names = [label.get_text() for label in right.get_yticklabels()]
        colours, shapes = _looks(each.classes)
        markers = [line for line in right.lines if line.get_marker() != "None"]
        for row, marker in enumerate(markers):
            name = names[row].removesuffix(" (3)")
            assert marker.get_ydata()[0] == row
            assert (marker.get_color(), marker.get_marker()) == (colours[name], shapes[name])

    def test_silhouette_and_purity_stand_above_beside_those_of_exchanged_activations(self):
        each = map_of()
        number = each.numbers.set_index("class").loc[ALL]
        shown = [text for text, _ in texts(relevance_map([each], titles={"sonyc_ust": "SONYC"}))]
        assert (
            f"SONYC: silhouette {number['silhouette']:.2f} "
            "(-0.12 with activations exchanged between clips)\n"
            f"5-nearest-neighbour purity {number['purity']:.2f} "
            f"(0.38 exchanged; {number['purity_chance']:.2f} by chance)" in shown
        )

    def test_numbers_that_there_are_none_of_are_called_none(self):
        each = map_of(sizes=(0, 9, 0))
        each.numbers["purity_exchanged"] = np.nan
        shown = " ".join(text for text, _ in texts(relevance_map([each], titles={})))
        assert "silhouette none (none with" in shown
        assert "purity 1.00 (none exchanged; 1.00 by chance)" in shown

    def test_the_picture_says_how_many_of_all_vectors_it_shows(self):
        each = map_of()
        part = RelevanceMap(each.dataset, each.points[:9], each.numbers, each.tree)
        shown = [t for one in (each, part) for t, _ in texts(relevance_map([one], titles={}))]
        assert "t-SNE of 21 relevance vectors" in shown
        assert "t-SNE of 9 of 21 relevance vectors" in shown

    @pytest.mark.parametrize("sizes", [(0, 0, 0), (0, 1, 0), (1, 1, 0), (0, 9, 0), (8, 1, 0)])
    def test_few_points_and_empty_classes_are_legal_and_every_class_is_named(self, sizes):
        each = map_of(sizes=sizes)
        if sum(sizes) < 4:
            each.points[["x", "y"]] = np.nan
        shown = [text for text, _ in texts(relevance_map([each], titles={}))]
        assert {f"{c} ({n})" for c, n in zip(CLASSES, sizes, strict=True)} <= set(shown)
        notes = "too few different\nvectors for a map", "fewer than two\nclasses to compare"
        expected = sum(sizes) < 4, sum(n > 0 for n in sizes) < 2
        assert tuple(note in shown for note in notes) == expected


class TestComponentsSweep:
    def test_means_and_intervals_stand_where_the_table_says(self):
        table = sweep().sample(frac=1, random_state=0).sort_values("dataset", kind="stable")
        panels = components_sweep(table, confidence=0.95, titles={}).axes
        keys = itertools.product(["esc50", "openmic"], LOSSES)
        for ax, (dataset, loss) in zip(panels, keys, strict=True):
            part = table[(table["dataset"] == dataset) & (table["loss"] == loss)]
            part = part.sort_values("n_components")
            (line,) = ax.lines
            assert line.get_xdata().tolist() == [25, 50, 100]
            assert line.get_ydata() == pytest.approx(part["mean"].to_numpy())
            (ends,) = segments(ax)
            assert ends[:, :, 1] == pytest.approx(part[["low", "high"]].to_numpy())
            assert ax.get_ylabel() == LOSSES[loss]
            assert ax.get_legend().get_title().get_text() == dataset

    def test_folds_and_systems_are_lines_of_their_own(self):
        table = pd.concat([sweep(), sweep().assign(fold="official", system="l2i_max")])
        ax = components_sweep(table, confidence=0.95, titles={"l2i_max": "MAX"}).axes[0]
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == ["l2i_att, fold 1", "MAX, official split"]
        assert len(ax.lines) == 2

    def test_a_loss_that_diverged_leaves_a_gap_that_says_so(self):
        table = sweep(["esc50"])
        table.loc[table["n_components"] == 50, ["mean", "low", "high"]] = np.nan
        assert [t for t, _ in texts(components_sweep(table, confidence=0.9, titles={}))].count(
            "diverged"
        ) == 2

    def test_one_number_of_components_is_legal(self):
        figure = components_sweep(sweep(["esc50"], [100]), confidence=0.9, titles={})
        assert [text for text, _ in texts(figure)].count("100") == 2
