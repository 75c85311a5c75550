"""Text and tables in Markdown, whatever stands in them."""

from __future__ import annotations

import re

# What Markdown, with GitHub's additions, does not take as it is. An underscore inside of a word, a
# bracket that no address follows and a < before a blank mean nothing.
_MARKUP = re.compile(
    r"[|`*~$]|\\(?=[!-/:-@\[-`{-~])|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\](?=[(\[])"
)


def pipe_table(cells: list[dict[str, str]]) -> str:
    """GitHub's table; columns that are empty throughout are left out, and texts are escaped."""
    columns = [name for name in cells[0] if any(row[name] for row in cells)]
    rows = [columns, *([row[name] for name in columns] for row in cells)]
    head, *lines = ([escaped(text) for text in row] for row in rows)
    lines = [head, ["---"] * len(columns), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, in a cell of a table too: names come from outside."""
    return text if isinstance(text, Markdown) else _MARKUP.sub(r"\\\g<0>", text)
