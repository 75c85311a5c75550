"""Figure 5: what it shows is what the tables say."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest

from helpers.drawn import LONG, map_of, texts
from helpers.relevance_vectors import CLASSES, parts_of
from l2i.evaluation.coherence import ALL
from l2i.reporting.figures.relevance_map import RelevanceMap, _looks, relevance_map


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
            name = names[row].removesuffix(" (3)").replace("instrument ", "instrument_")
            assert marker.get_ydata()[0] == row
            assert (marker.get_color(), marker.get_marker()) == (colours[name], shapes[name])

    def test_silhouette_and_purity_stand_above_beside_those_of_exchanged_activations(self):
        each = map_of()
        number = each.numbers.set_index("class").loc[ALL]
        shown = [text for text, _ in texts(relevance_map([each], titles={"sonyc_ust": "SONYC"}))]
        assert (
            f"SONYC: silhouette {number['silhouette']:.2f} "
            "(\N{MINUS SIGN}0.12 with activations exchanged between clips)\n"
            f"5-nearest-neighbour purity {number['purity']:.2f} "
            f"(0.38 exchanged; {number['purity_chance']:.2f} by chance)" in shown
        )

    def test_it_says_what_stands_in_brackets(self):
        shown = [text for text, _ in texts(relevance_map([map_of()], titles={}))]
        assert "class (number of vectors)" in shown

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


def test_every_class_has_a_look_of_its_own_and_neighbours_differ_twice():
    names = [str(i) for i in range(50)]
    colours, shapes = _looks(names)
    assert len({(colours[name], shapes[name]) for name in names}) == 50
    for one, other in zip(names, names[1:], strict=False):
        assert colours[one] != colours[other] and shapes[one] != shapes[other]
