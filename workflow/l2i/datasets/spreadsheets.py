"""Tables as people keep them: whatever a spreadsheet made of a csv file that was good.

Cells are text. Understood are the marks that Windows puts first (byte order), commas, semicolons
and tabulators, UTF-16, blank rows and cells behind the last, TRUE for True, 1.0 for 1, and 0,5
where commas mark decimals. What a spreadsheet has lost is named, and not guessed.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from l2i.checks import InputError

_SEPARATORS = ",;\t|"
# A comma before three digits may part thousands.
_WHOLE = re.compile(r"([+-]?\d+)(\.0+|,0{1,2})", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)


def read_table(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Read columns of a csv table as text, empty where a cell is; `optional` ones if it has them.

    Returns
    -------
    DataFrame
        Its index holds the lines of the file. Rows without any text are left out, blanks around
        text too, and letters are composed as most keyboards write them (NFC).

    Raises
    ------
    InputError
        If there is no such file, if it is no csv table, or if it lacks a column.
    """
    text = read_text(path, "csv table")
    separator, text = _separator(text, columns)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = [_clean(cell) for cell in next(reader, [])]
        cells = [(reader.line_num, [_clean(cell) for cell in row]) for row in reader]
    except csv.Error as error:
        raise InputError(
            f"{path}: is no csv table (line {reader.line_num}: {error}); restore it"
        ) from error
    wanted = [*columns, *(column for column in optional if column in header)]
    _require_columns(path, header, wanted)
    rows = {line: row for line, row in cells if any(row)}
    for line, row in rows.items():
        if any(row[len(header) :]):
            raise InputError(
                f"{path}: is no csv table (line {line} has {len(row)} cells, and the first one has "
                f"{len(header)}); restore it"
            )
    places = [header.index(column) for column in wanted]
    table = [[row[i] if i < len(row) else "" for i in places] for row in rows.values()]
    return pd.DataFrame(table, columns=wanted, index=list(rows), dtype=str)


def read_text(path: Path, kind: str = "text") -> str:
    """Text of a file in UTF-8 or, with its mark in front, in UTF-16; the mark is left out.

    Raises
    ------
    InputError
        If there is no such file, or it is no such text.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; put the corpus there, or set machine.data")
    try:
        content = path.read_bytes()
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeError as error:
        raise InputError(
            f"{path}: is no {kind} in UTF-8 ({error}); save it as such (of a spreadsheet: CSV "
            "UTF-8), or restore it"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error}); grant access to it") from error
    if "\0" in text:
        raise InputError(f"{path}: is no {kind}, it holds NUL; restore it")
    return text


def whole(text: str) -> str:
    """A whole number as it is written without a spreadsheet: 1 for 1.0; other text as it is."""
    number = _WHOLE.fullmatch(text)
    return number[1] if number else text


def truth(text: str) -> str:
    """True or False, in whichever letters; other text as it is."""
    return text.capitalize() if text.casefold() in ("true", "false") else text


def numbers(cells: pd.Series) -> pd.Series:
    """Cells as floats, NaN where one is no number; commas may mark decimals."""
    pointed = cells.map(lambda t: t.replace(",", ".") if _DECIMAL_COMMA.fullmatch(t) else t)
    return pd.to_numeric(pointed, errors="coerce")


def _clean(cell: str) -> str:
    return unicodedata.normalize("NFC", cell.strip())


def _separator(text: str, columns: Sequence[str]) -> tuple[str, str]:
    """What parts the cells of a table, by its first line, and the table."""
    first, _, rest = text.partition("\n")
    if named := re.fullmatch(r"sep=(.)\r?", first):  # a line that spreadsheets understand
        return named[1], rest

    def n_found(separator: str) -> int:
        header = {_clean(cell.strip().strip('"')) for cell in first.split(separator)}
        return len(header & {*columns})

    return max(_SEPARATORS, key=n_found), text


def _require_columns(path: Path, header: list[str], wanted: Sequence[str]) -> None:
    if not any(header):
        raise InputError(f"{path}: is no csv table (it is empty); restore it")
    missing = [column for column in wanted if column not in header]
    if missing:
        raise InputError(
            f"{path}: lacks the columns {', '.join(missing)}; restore it. Its first line says "
            f"{', '.join(header)[:200]}"
        )
    twice = [column for column in wanted if header.count(column) > 1]
    if twice:
        raise InputError(f"{path}: has the columns {', '.join(twice)} twice; keep one of each")
