"""A graph drawn in layers: what came first stands on the left, what was made of it to the right.

The way of Sugiyama, Tagawa and Toda (1981), in four steps. Layers come from longest paths. A
connection that passes a layer gets a place in it; all that leave one node share these places, as
the branches of a tree share its trunk. Each layer is sorted by the barycentres of its neighbours,
left and right by turns, and the order with the fewest crossings is kept. Heights are the means of
the neighbours' where there is room. Nothing is drawn at random, so the same graph looks the same.
"""

from __future__ import annotations

import re
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import accumulate, pairwise

from l2i.checks import InputError

# In pixels of the drawing at its natural size.
NODE_WIDTH, NODE_HEIGHT = 236, 44
LAYER_GAP = 92  # at least, between two layers, where connections bend
TALLEST_BEND = 16  # of the height of all, per width of the gap
NODE_ROOM, TRUNK_ROOM = 58, 12  # height that a node and a passing connection take up in a layer
N_ORDERINGS, N_STRAIGHTENINGS = 12, 8

Point = tuple[float, float]
Vertex = tuple[str, int]  # a node in its own layer, or its trunk in a later one
Columns = list[list[Vertex]]
Neighbours = Mapping[Vertex, Sequence[Vertex]]


@dataclass(frozen=True)
class Drawing:
    """Where everything of a graph stands, in pixels from the upper left."""

    layers: dict[str, int]
    corners: dict[str, Point]  # upper left of each node, NODE_WIDTH by NODE_HEIGHT
    # From the right of one node to the left of another: bends between points 0 and 1, 2 and 3, ...,
    # level between 1 and 2, 3 and 4, ...
    lines: dict[tuple[str, str], list[Point]]
    width: float
    height: float


def draw(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> Drawing:
    """Lay out a directed graph without cycles; edges go from an input to what was made of it.

    Raises
    ------
    InputError
        Where an edge names a node that is not given, or edges lead round in a circle.
    """
    layers = layers_of(nodes, edges)
    left, right = _segments(layers, edges)
    columns = _ordered(_first_columns(layers, left), left, right)
    rooms = {
        vertex: NODE_ROOM if layers[vertex[0]] == vertex[1] else TRUNK_ROOM
        for column in columns
        for vertex in column
    }
    heights = _heights(columns, rooms, left, right)
    top = min((heights[v] - rooms[v] / 2 for v in heights), default=0.0)
    level = {vertex: round(height - top, 1) for vertex, height in heights.items()}

    height = round(max((level[v] + rooms[v] / 2 for v in level), default=0.0), 1)
    step = NODE_WIDTH + round(max(LAYER_GAP, height / TALLEST_BEND))  # from layer to layer

    def line(source: str, target: str) -> list[Point]:
        begin, end = layers[source], layers[target]
        points = [(step * begin + NODE_WIDTH, level[source, begin])]
        for layer in range(begin + 1, end):
            y = level[source, layer]
            points += [(step * layer, y), (step * layer + NODE_WIDTH, y)]
        return [*points, (step * end, level[target, end])]

    return Drawing(
        layers=layers,
        corners={n: (step * k, round(level[n, k] - NODE_HEIGHT / 2, 1)) for n, k in layers.items()},
        lines={edge: line(*edge) for edge in edges},
        width=step * max(layers.values(), default=0) + NODE_WIDTH,
        height=height,
    )


def layers_of(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Layer of each node, from 0: every edge leads to a later one.

    A node is as far left as its longest path from any beginning allows, but a beginning stands
    beside the first that was made of it. Raises InputError as `draw` does.
    """
    inputs: dict[str, list[str]] = {node: [] for node in nodes}
    made: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in edges:
        for end in (source, target):
            if end not in inputs:
                raise InputError(f"the edge {source} -> {target} names {end}, which is no node")
        inputs[target].append(source)
        made[source].append(target)
    layers: dict[str, int] = {}
    try:
        for node in TopologicalSorter(inputs).static_order():
            layers[node] = 1 + max((layers[i] for i in inputs[node]), default=-1)
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise InputError(
            f"records lead round in a circle: {circle}. No result can be made of itself: "
            "delete one of these files with its record, and make it again"
        ) from None
    beginnings = [node for node in nodes if made[node] and not inputs[node]]
    return layers | {b: min(layers[target] for target in made[b]) - 1 for b in beginnings}


def crossings(columns: Columns, right: Neighbours) -> int:
    """How often connections between neighbouring layers cross."""
    count = 0
    for column, following in pairwise(columns):
        place = {vertex: i for i, vertex in enumerate(following)}
        seen: list[int] = []  # ends of what begins higher up
        for vertex in column:
            ends = [place[end] for end in right[vertex]]
            count += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return count


def natural(text: str) -> list[tuple[int, str]]:
    """A key for sorting by which fold2 comes before fold10."""
    parts = re.split(r"(\d+)", text)
    return [(int(part), "") if i % 2 else (0, part) for i, part in enumerate(parts)]


def _segments(
    layers: Mapping[str, int], edges: Sequence[tuple[str, str]]
) -> tuple[dict[Vertex, list[Vertex]], dict[Vertex, list[Vertex]]]:
    """Neighbours of each vertex in the layers to its left and to its right."""
    left, right = defaultdict[Vertex, list[Vertex]](list), defaultdict[Vertex, list[Vertex]](list)
    for source, target in edges:
        trunk = [(source, layer) for layer in range(layers[source], layers[target])]
        for a, b in pairwise([*trunk, (target, layers[target])]):
            if b not in right[a]:
                right[a].append(b)
                left[b].append(a)
    return left, right


def _first_columns(layers: Mapping[str, int], left: Neighbours) -> Columns:
    columns: Columns = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for vertex in sorted({*layers.items(), *left}, key=lambda v: natural(v[0])):
        columns[vertex[1]].append(vertex)
    return columns


def _ordered(columns: Columns, left: Neighbours, right: Neighbours) -> Columns:
    """The columns, each sorted such that few connections cross."""
    best, fewest = columns, crossings(columns, right)
    for turn in range(N_ORDERINGS):
        if not fewest:
            break
        columns = _sorted_by(columns, right if turn % 2 else left, backwards=bool(turn % 2))
        count = crossings(columns, right)
        if count < fewest:
            best, fewest = columns, count
    return best


def _sorted_by(columns: Columns, neighbours: Neighbours, *, backwards: bool) -> Columns:
    """Each column sorted by the mean place of its neighbours in the column before it."""
    done: Columns = []
    place: dict[Vertex, int] = {}
    for column in reversed(columns) if backwards else columns:
        means = {
            v: sum(place[n] for n in neighbours[v]) / len(neighbours[v]) if neighbours[v] else i
            for i, v in enumerate(column)
        }
        done.append(sorted(column, key=means.__getitem__))
        place |= {vertex: i for i, vertex in enumerate(done[-1])}
    return done[::-1] if backwards else done


def _heights(
    columns: Columns, rooms: Mapping[Vertex, float], left: Neighbours, right: Neighbours
) -> dict[Vertex, float]:
    """The middle of each vertex: near its neighbours', and in the order of its column."""
    heights: dict[Vertex, float] = {}
    for turn in range(N_STRAIGHTENINGS):
        for column in reversed(columns) if turn % 2 else columns:
            wanted = []
            for vertex in column:
                near = [n for n in [*left[vertex], *right[vertex]] if n in heights]
                middle = sum(heights[n] for n in near) / len(near) if near else 0.0
                wanted.append(middle)
            apart = _apart(wanted, [rooms[vertex] for vertex in column])
            heights |= zip(column, apart, strict=True)
    return heights


def _apart(wanted: Sequence[float], rooms: Sequence[float]) -> list[float]:
    """Heights nearest to the wanted ones, in order, each with its room around it.

    Least squares by pooling adjacent violators, on what is left when the room above is taken off.
    """
    taken = [*accumulate((a + b) / 2 for a, b in pairwise(rooms))]
    above = [0.0, *taken][: len(rooms)]
    pools: list[tuple[float, int]] = []  # sum and number of neighbours that touch
    for height, room in zip(wanted, above, strict=True):
        total, n = height - room, 1
        while pools and pools[-1][0] * n >= total * pools[-1][1]:
            total, n = total + pools[-1][0], n + pools[-1][1]
            pools.pop()
        pools.append((total, n))
    shifts = [total / n for total, n in pools for _ in range(n)]
    return [shift + room for shift, room in zip(shifts, above, strict=True)]
