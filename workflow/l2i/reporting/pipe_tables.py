"""Text and tables in Markdown, whatever stands in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from l2i.reporting.printed import Column, Given, Grid, Line, grid

# What Markdown, with GitHub's additions, does not take as it is. An underscore inside of a word, a
# bracket that no address follows and a < before a blank mean nothing.
_MARKUP = re.compile(
    r"[|`*~$]|\\(?=[!-/:-@\[-`{-~])|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\](?=[(\[])"
)


def pipe_table(rows: Sequence[Mapping[str, Given]]) -> str:
    """GitHub's table; columns that are empty throughout are left out, and texts are escaped."""
    return of_grid(grid(rows))


def of_grid(shown: Grid) -> str:
    """A grid as GitHub's table, which has one head: groups stand in it above their columns."""
    head = [_head(column) for column in shown.columns]
    rows = [["<br>".join(map(_line, lines)) for lines in row] for row in shown.rows]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _head(column: Column) -> str:
    return "<br>".join(escaped(text) for text in (column.group, column.heading) if text)


def _line(line: Line) -> str:
    return f"**{escaped(line.text)}**" if line.bold and line.text else escaped(line.text)


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, in a cell of a table too: names come from outside."""
    return _MARKUP.sub(r"\\\g<0>", text)
