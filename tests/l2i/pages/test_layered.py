from __future__ import annotations

import random
import time
from collections import defaultdict
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.checks import InputError
from l2i.pages.layered import NODE_HEIGHT, NODE_WIDTH, crossings, draw, layers_of, natural


@st.composite
def graphs(draw_from):
    """Nodes and edges of a graph without cycles, both in any order."""
    n = draw_from(st.integers(0, 24))
    names = draw_from(st.permutations([f"node{i}" for i in range(n)]))
    pairs = [*combinations(names, 2)]
    edges = draw_from(st.lists(st.sampled_from(pairs), unique=True, max_size=60)) if pairs else []
    return draw_from(st.permutations(names)), edges


def study(n_folds=5, n_runs=3, systems=("att", "max", "flint", "vibi")):
    """Nodes and edges as a study has them: everything of a fold reads its classifier and data."""
    edges = []
    for fold in range(n_folds):
        edges += [("index", f"classifier{fold}"), (f"features{fold}", f"classifier{fold}")]
        for system in systems:
            for run in range(n_runs):
                trained, scores = f"{system}{fold}/{run}", f"scores/{system}{fold}/{run}"
                made_of = ("index", f"classifier{fold}", f"features{fold}", trained)
                edges += [*((source, scores) for source in made_of), (scores, "table")]
                edges += [(source, trained) for source in made_of[:3]]
    return sorted({end for edge in edges for end in edge}), edges


@given(graphs())
@settings(deadline=None)
def test_every_edge_leads_to_a_later_layer_further_right(graph):
    nodes, edges = graph
    drawing = draw(nodes, edges)
    assert {*drawing.corners} == {*nodes}
    for source, target in edges:
        assert drawing.layers[source] < drawing.layers[target]
        assert drawing.corners[source][0] + NODE_WIDTH < drawing.corners[target][0]


@given(graphs())
@settings(deadline=None)
def test_no_two_nodes_touch_and_all_are_inside(graph):
    drawing = draw(*graph)
    columns = defaultdict(list)
    for x, y in drawing.corners.values():
        columns[x].append(y)
        assert 0 <= x <= drawing.width - NODE_WIDTH
        assert 0 <= y <= drawing.height - NODE_HEIGHT
    for heights in columns.values():
        heights.sort()
        assert all(b - a > NODE_HEIGHT for a, b in zip(heights, heights[1:], strict=False))


@given(graphs())
@settings(deadline=None)
def test_lines_go_from_box_to_box_and_through_none(graph):
    nodes, edges = graph
    drawing = draw(nodes, edges)
    assert {*drawing.lines} == {*edges}
    for (source, target), points in drawing.lines.items():
        (x, y), (u, v) = drawing.corners[source], drawing.corners[target]
        assert points[0] == (x + NODE_WIDTH, pytest.approx(y + NODE_HEIGHT / 2))
        assert points[-1] == (u, pytest.approx(v + NODE_HEIGHT / 2))
        assert [p[0] for p in points] == sorted(p[0] for p in points)
        for (from_x, level), _ in zip(points[1::2], points[2::2], strict=False):
            beside = [top for left, top in drawing.corners.values() if left == from_x]
            assert not [top for top in beside if top <= level <= top + NODE_HEIGHT]


@given(graphs())
@settings(deadline=None)
def test_the_same_graph_is_drawn_alike(graph):
    nodes, edges = graph
    assert draw(nodes, edges) == draw(list(nodes), list(edges))


def test_what_begins_nowhere_stands_beside_what_was_made_of_it():
    edges = [("a", "b"), ("b", "c"), ("weights", "c")]
    layers = layers_of(["a", "b", "c", "weights"], edges)
    assert layers == {"a": 0, "b": 1, "c": 2, "weights": 1}


def test_a_graph_that_can_be_drawn_without_crossings_is():
    # Two chains whose names sort the wrong way round in the middle.
    edges = [("a1", "z"), ("a2", "y"), ("z", "b1"), ("y", "b2")]
    drawing = draw(["a1", "a2", "b1", "b2", "y", "z"], edges)
    height = {node: y for node, (_, y) in drawing.corners.items()}
    assert height["a1"] == height["z"] == height["b1"] != height["a2"] == height["y"]


def test_crossings_are_counted_as_by_hand():
    columns = [[("a", 0), ("b", 0)], [("c", 1), ("d", 1)]]
    apart = {("a", 0): [("c", 1)], ("b", 0): [("d", 1)], ("c", 1): [], ("d", 1): []}
    crossed = apart | {("a", 0): [("c", 1), ("d", 1)], ("b", 0): [("c", 1), ("d", 1)]}
    assert crossings(columns, apart) == 0
    assert crossings(columns, crossed) == 1


def test_a_study_of_folds_keeps_each_fold_together():
    drawing = draw(*study(n_folds=4, n_runs=1, systems=("att", "max")))
    by_height = sorted((y, n) for n, (_, y) in drawing.corners.items() if n.startswith("scores/"))
    folds = [name.rpartition("/")[0][-1] for _, name in by_height]
    assert len([1 for a, b in zip(folds, folds[1:], strict=False) if a != b]) == 3


@pytest.mark.parametrize("edges", [[("a", "a")], [("a", "b"), ("b", "c"), ("c", "a")]])
def test_a_circle_is_refused_by_name(edges):
    with pytest.raises(InputError, match=r"circle: \w( -> \w)+\. .* delete one of these files"):
        draw(["a", "b", "c"], edges)


def test_an_edge_to_nowhere_is_refused_by_name():
    with pytest.raises(InputError, match="a -> lost names lost, which is no node"):
        draw(["a"], [("a", "lost")])


def test_numbers_in_names_sort_as_numbers():
    assert sorted(["fold10", "fold2", "a"], key=natural) == ["a", "fold2", "fold10"]


def test_three_hundred_nodes_take_no_second():
    draws = random.Random(0)
    nodes = [f"node{i}" for i in range(300)]
    edges = list(
        {
            (nodes[a], nodes[b])
            for a, b in (sorted(draws.sample(range(300), 2)) for _ in range(1500))
        }
    )
    begin = time.process_time()
    draw(nodes, edges)
    assert time.process_time() - begin < 1
