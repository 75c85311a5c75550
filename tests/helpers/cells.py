"""What the rows of a table may be called, and whether all of these find them."""

from __future__ import annotations

import random

from l2i.names import TITLES
from l2i.reporting.cells import (
    cells_of,
    find_cell,
    key_columns,
    names_of_table,
    parse_address,
)
from l2i.reporting.conditions import in_words, settings_of
from l2i.reporting.quantities import QUANTITIES, quantity


def parts_of(cell, titles=None, *, qualified=False):
    """What a row may be called: by its keys, or as they are printed."""
    for column, value in cell.keys.items():
        for text in settings_of(value) if column == "condition" else [value]:
            if titles:
                text = _as_printed(column, text, titles)
            yield f"{column}={text}" if qualified and column != "condition" else text


def _as_printed(column, text, titles):
    if column == "metric" and (text.startswith("top_") or text in QUANTITIES):
        return quantity(text).title
    if column == "condition":
        return in_words(text, titles)
    return titles.get(text, text)


def check_all_rows(name, rows, titles):
    """Each row of a table is found: by its keys, as it is printed, and in any order."""
    shuffled = random.Random(0)
    assert key_columns(rows), f"{name} has no keys"
    for cell in cells_of(name, rows):
        for spelt in (None, {**TITLES, **titles}):
            parts = [*parts_of(cell, spelt)]
            shuffled.shuffle(parts)
            for table in names_of_table(name):
                address = parse_address(f"{table}, {', '.join(parts)}", [name])
                assert find_cell(address, rows, titles=titles).place == cell.place
