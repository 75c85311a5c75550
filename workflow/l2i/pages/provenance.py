"""The page that shows where a result comes from: in words, as a graph, and record by record."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from l2i.checks import InputError
from l2i.pages.layered import NODE_HEIGHT, NODE_WIDTH, Drawing, Point, draw, natural
from l2i.pages.rendering import rendered, style_and_script

# In the order of the data's way. Each has a shape in the template and a colour in the style.
STAGES = (
    *("outside", "datasets", "features", "dictionary", "classifier", "systems", "evaluation"),
    *("prototypes", "listening", "tables", "figures"),
)
STATES = {
    "recorded": "as its record says",
    "accepted": "changed since, and accepted as harmless",
    "stale": "made by other settings, code, packages or inputs than today's",
    "no record": "nothing says how it was made",
    "tampered": "not what its record says",
}
MARGIN = 24  # around the drawing, in its pixels
TITLE_LENGTH, PLACE_LENGTH = 23, 30  # letters that fit into a node
_HASH = re.compile(r"\b([0-9a-f]{64}|[0-9a-f]{40})\b")


class Section(NamedTuple):
    """What is said under one heading."""

    title: str
    rows: list[tuple[str, str]]  # label, text; a text may have many lines


class Node(NamedTuple):
    """A file or folder on the way to the result."""

    id: str  # its path in the run
    title: str  # short
    stage: str  # one of STAGES
    state: str  # one of STATES
    sections: list[Section]


class Account(NamedTuple):
    """Where a result comes from."""

    title: str  # what was asked
    summary: list[Section]
    findings: list[str]  # what does not hold, a sentence each; none where all does
    nodes: list[Node]
    edges: list[tuple[str, str]]  # from an input to what was made of it
    root: str  # the node that was asked about


def provenance_page(account: Account) -> str:
    """The page of an account, in HTML: one file that needs no other and no network.

    All text of the account may hold any letters. Raises InputError where a node has another stage
    or state than the above, the root or an end of an edge is no node, a node is given twice, or
    edges lead round in a circle. An edge that is given twice is drawn once.
    """
    _check(account)
    account = account._replace(edges=list(dict.fromkeys(account.edges)))
    drawing = draw([node.id for node in account.nodes], account.edges)
    # In the order in which one reads the drawing: as tabs and screen readers take them.
    nodes = sorted(account.nodes, key=lambda node: drawing.corners[node.id])
    number = {node.id: i for i, node in enumerate(nodes)}
    values = dict(
        account=account,
        nodes=nodes,
        groups=_by_stage(nodes),
        states={state: STATES[state] for state in STATES if state in {n.state for n in nodes}},
        titles={node.id: node.title for node in nodes},
        inputs=_neighbours(account, to_inputs=True),
        made=_neighbours(account, to_inputs=False),
        box=(NODE_WIDTH, NODE_HEIGHT),
        view=_view(drawing),
        corners=drawing.corners,
        lines=[_path(drawing.lines[edge]) for edge in account.edges],
        graph={
            "root": number[account.root],
            "edges": [[number[source], number[target]] for source, target in account.edges],
        },
        title_length=TITLE_LENGTH,
        places={n: shortened(place, PLACE_LENGTH) for n, place in places_of(nodes).items()},
        **style_and_script("provenance.css", "provenance.js"),
    )
    filters = {"anchor": anchor, "pieces": pieces, "shortened": shortened}
    return rendered("provenance.html", values, filters)


def anchor(path: str) -> str:
    """Name of the place of a node in the page: `page.html#` and this leads there."""
    return f"node/{quote(path)}"


def pieces(text: str) -> list[tuple[bool, str]]:
    """A text in parts, with for each whether it is a hash."""
    parts = _HASH.split(text)
    return [(bool(i % 2), part) for i, part in enumerate(parts) if part]


def shortened(text: str, length: int) -> str:
    """The text with its middle left out where it is longer than `length`."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - (length - 1 - head) :]}"


def places_of(nodes: Sequence[Node]) -> dict[str, str]:
    """What tells each node from those of its stage and title, by its path.

    The folders of its path at which the paths of these part: of runs of one variant, data set and
    run, and no variant. All folders where there is nothing to tell apart.
    """
    folders = {node.id: node.id.split("/")[:-1] for node in nodes}
    following: dict[tuple, set[str]] = defaultdict(set)
    for node in nodes:
        for i, folder in enumerate(folders[node.id]):
            following[node.stage, node.title, *folders[node.id][:i]].add(folder)
    places = {}
    for node in nodes:
        parted = [
            folder
            for i, folder in enumerate(folders[node.id])
            if len(following[node.stage, node.title, *folders[node.id][:i]]) > 1
        ]
        places[node.id] = " \N{MIDDLE DOT} ".join(parted) or "/".join(folders[node.id])
    return places


def _check(account: Account) -> None:
    count = Counter(node.id for node in account.nodes)
    if twice := [node for node in count if count[node] > 1]:
        raise InputError(f"the node {twice[0]} is given twice")
    if account.root not in count:
        raise InputError(f"the root {account.root} is no node")
    for node in account.nodes:
        for what, value, known in (("stage", node.stage, STAGES), ("state", node.state, STATES)):
            if value not in known:
                raise InputError(f"{node.id}: {what} {value!r} is none of {', '.join(known)}")


def _by_stage(nodes: Sequence[Node]) -> list[tuple[str, list[Node]]]:
    """Stages that occur, each with its nodes in the order of their paths."""
    by_path = sorted(nodes, key=lambda node: natural(node.id))
    groups = [(stage, [node for node in by_path if node.stage == stage]) for stage in STAGES]
    return [(stage, found) for stage, found in groups if found]


def _neighbours(account: Account, *, to_inputs: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {node.id: [] for node in account.nodes}
    for source, target in account.edges:
        found[target if to_inputs else source].append(source if to_inputs else target)
    return {node: sorted(others, key=natural) for node, others in found.items()}


def _view(drawing: Drawing) -> tuple[float, float, float, float]:
    """The part of the plane that shows all: left, top, width, height."""
    return -MARGIN, -MARGIN, drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN


def _path(points: Sequence[Point]) -> str:
    """A line as SVG writes it: curves between layers, level through them."""
    (x, y), *rest = points
    drawn = [f"M{x:g} {y:g}"]
    for i, (u, v) in enumerate(rest):
        if i % 2:
            drawn.append(f"H{u:g}")
        else:
            middle = (x + u) / 2
            drawn.append(f"C{middle:g} {y:g} {middle:g} {v:g} {u:g} {v:g}")
        x, y = u, v
    return "".join(drawn)
