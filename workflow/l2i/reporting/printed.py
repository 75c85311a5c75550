"""What is printed of a table: one model, whatever it is written as.

A page has a title, a caption, sections and notes; a section has grids; a grid has columns, in
groups where there are any, and rows of cells; a cell has lines, one below the other. Writers are
`l2i.reporting.markdown`, `l2i.reporting.latex` and `l2i.pages.tables`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Line:
    """One line of a cell."""

    text: str
    bold: bool = False


Cell = tuple[Line, ...]
# What those who make grids may give for a cell; a text is a single line.
Given = str | Line | Cell


class Column(NamedTuple):
    """The head of a column; neighbours of one `group` stand under it."""

    heading: str
    group: str = ""


@dataclass(frozen=True)
class Grid:
    """Rows and columns of cells.

    ``n_heads`` is how many columns on the left say what a row is of, ``caption`` what the grid
    shows, where the heading above does not say so already.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    n_heads: int = 1
    caption: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row of a grid has not as many cells as there are columns")


class Section(NamedTuple):
    """A part of a page: grids below each other, or points of text."""

    heading: str
    grids: Sequence[Grid] = ()
    points: Sequence[str] = ()


@dataclass(frozen=True)
class Page:
    """All that is printed of the table `name`; ``notes`` stand below, a point each."""

    name: str
    title: str
    caption: Sequence[str]
    sections: Sequence[Section]
    notes: Sequence[str] = ()

    @property
    def origins(self) -> str:
        """Where, from the page, numbers are traced to what they were made of."""
        apart = "ratings/" if self.name == "ratings" else ""  # see rules/pages.smk
        return f"../{apart}provenance/{self.name}.html"


ORIGINS = "Where each of these numbers comes from"
ORIGINS_HOLD = "scores, networks, settings, code and clips"


def cell(given: Given) -> Cell:
    """What was given for a cell as its lines."""
    if isinstance(given, tuple):
        return given
    return (given if isinstance(given, Line) else Line(given),)


def is_empty(lines: Cell) -> bool:
    """Whether nothing is printed in a cell."""
    return not any(line.text for line in lines)


def grid(rows: Sequence[Mapping[str, Given]], *, n_heads: int = 1, caption: str = "") -> Grid:
    """A grid of rows by their columns' headings, those of the first row.

    Columns that are empty throughout are left out; `n_heads` counts those that are not.
    """
    cells = [{name: cell(row.get(name, "")) for name in rows[0]} for row in rows]
    names = [name for name in cells[0] if not all(is_empty(row[name]) for row in cells)]
    n_heads -= sum(name not in names for name in [*cells[0]][:n_heads])
    return Grid(
        [Column(name) for name in names],
        [[row[name] for name in names] for row in cells],
        n_heads=n_heads,
        caption=caption,
    )


def groups(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """Groups of neighbouring columns, and of how many each is."""
    found: list[tuple[str, int]] = []
    for column in columns:
        if found and found[-1][0] == column.group:
            found[-1] = (column.group, found[-1][1] + 1)
        else:
            found.append((column.group, 1))
    return found
