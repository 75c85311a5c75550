"""Tables of results as csv: what is text stays text, and is nothing but text in a spreadsheet.

Names of classes and clips come with a corpus. Read back, `NA`, `None` and `007` must be the names
that they were; opened in a spreadsheet, `=HYPERLINK(...)` must not become a formula. Such cells and
headings are written behind an apostrophe, which spreadsheets understand, and read without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from l2i.checks import REMAKE, InputError, reason
from l2i.disk import write_text

# Columns that hold text whatever it looks like. A fold is a number in an index and a name in
# scores: whoever reads it says which.
TEXT = (
    *("dataset", "system", "other", "variant", "metric", "condition", "verdict", "paper_dataset"),
    *("source", "clip", "class", "category", "path", "split", "sha256", "removal", "quantity"),
)
_FORMULA = re.compile(r"'*[=+\-@\t\r]")  # how a cell begins that spreadsheets compute
_QUOTED = re.compile(r"'+[=+\-@\t\r]")


def read_rows(path: str | Path, *, columns: Sequence[str] = (), **kinds: type) -> pd.DataFrame:
    """Read a table that `write_rows` or `to_csv` wrote.

    Parameters
    ----------
    path : str or Path
    columns : sequence of str
        What it must have.
    **kinds : type
        Of columns that are not as they look, beside those of `TEXT`, by their names.

    Returns
    -------
    DataFrame
        Empty cells are missing, no other ones.

    Raises
    ------
    InputError
        If it cannot be read as such a table.
    """
    try:
        rows = pd.read_csv(
            path,
            dtype=dict.fromkeys(TEXT, str) | kinds,
            keep_default_na=False,
            na_values=[""],
        )
    except (OSError, ValueError, OverflowError) as error:  # pandas' own errors are ValueErrors
        raise InputError(f"{path} is no table to be read ({reason(error)}); {REMAKE}") from error
    if missing := [name for name in columns if name not in rows]:
        raise InputError(f"{path} lacks the column(s) {', '.join(missing)}; {REMAKE}")
    return _each_text(rows, lambda text: text[1:] if _QUOTED.match(text) else text)


def write_rows(rows: pd.DataFrame, path: str | Path) -> None:
    """Write a table for `read_rows`; numbers come back to the last bit."""
    write_text(path, _safe(rows).to_csv(index=False, lineterminator="\n"))


def to_csv(rows: pd.DataFrame) -> str:
    """Text of the table, the same bytes for the same numbers (six significant digits)."""
    return _safe(rows).to_csv(index=False, float_format="%.6g", lineterminator="\n")


def _safe(rows: pd.DataFrame) -> pd.DataFrame:
    return _each_text(rows, lambda text: f"'{text}" if _FORMULA.match(text) else text)


def _each_text(rows: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """The table with its headings and cells of text changed, those of each kind together."""
    rows = rows.rename(columns=lambda name: change(name) if isinstance(name, str) else name)
    for i, column in enumerate(rows.columns):
        cells = rows.iloc[:, i]
        if not (pd.api.types.is_object_dtype(cells) or pd.api.types.is_string_dtype(cells)):
            continue
        texts = [text for text in cells.unique() if isinstance(text, str)]
        changed = {text: new for text in texts if (new := change(text)) != text}
        if changed:
            rows[column] = cells.map(lambda text, new=changed: new.get(text, text))
    return rows
