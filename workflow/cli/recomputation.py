"""A number of a table, computed once more from what it is a statistic of, and compared.

The function of the rule that made the table runs again, with the settings of the table's record, on
the files that this record names; what it writes goes to a temporary folder. Means, spreads, counts,
gaps and verdicts need no draws: intervals and p-values, which do, are compared on demand alone.

This is today's code. A number that it does not find again was changed, rests on a score that was
changed, or was computed by other code: the fingerprint in the record tells which.
"""

from __future__ import annotations

import importlib
import inspect
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from l2i.checks import InputError
from l2i.pages.tables import WRITERS
from l2i.reporting.cells import Cell, cells_of
from l2i.reporting.evidence import OF_RECORD
from l2i.tables import read_rows

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
# What depends on random draws.
DRAWN = ("low", "high", "p", "p_holm", "difference_low", "difference_high", "noticed")
DRAWS = ("n_bootstrap", "n_permutations")
SAME = 1e-12  # of a printed number, or of 1 where it is less: sums in another order
TABLE, PAGES = "path_to_table", "path_to_pages"

PathOf = Callable[[str], Path]  # where a file lies, by its path in the record
RecordOf = Callable[[str], dict[str, Any]]  # the record of a file, by its path in the record


@dataclass(frozen=True)
class Compared:
    """A column of a number: as it is printed, as it comes out now, and whether these agree."""

    column: str
    printed: Any
    recomputed: Any

    @property
    def agrees(self) -> bool:
        """Whether both are the same text, or numbers within `SAME`; no number is only like none."""
        return _same(self.printed, self.recomputed)


@dataclass(frozen=True)
class Recomputation:
    """What became of a cell: `compared` columns, those left out, and what it took in seconds.

    ``found`` is false where today's table has no such row.
    """

    found: bool
    compared: tuple[Compared, ...]
    not_compared: tuple[str, ...]
    seconds: float

    @property
    def agrees(self) -> bool:
        """Whether the cell is what its scores give."""
        return self.found and all(each.agrees for each in self.compared)


def recompute_cell(
    cell: Cell,
    record: Mapping[str, Any],
    path_of: PathOf,
    record_of: RecordOf,
    *,
    full: bool = False,
) -> Recomputation:
    """Compute a cell once more from its scores, and compare.

    Parameters
    ----------
    cell : Cell
        See `l2i.reporting.cells`.
    record : mapping
        Of its table.
    path_of : callable
        Where a file lies that the record names.
    record_of : callable
        The record of such a file, by the path that the record names.
    full : bool
        Draw as often as the record says, and compare intervals and p-values too.

    Returns
    -------
    Recomputation

    Raises
    ------
    InputError
        See `recomputed_table`.
    """
    started = time.perf_counter()
    drawn = DRAWN if "statistics" in record["settings"] and not full else ()
    rows = recomputed_table(record, path_of, record_of, full=full)
    again = next((each for each in cells_of(cell.table, rows) if each.keys == cell.keys), None)
    number = {} if again is None else again.number
    compared = [
        Compared(column, printed, number.get(column))
        for column, printed in cell.number.items()
        if column not in drawn
    ]
    left_out = [column for column in cell.number if column in drawn]
    seconds = time.perf_counter() - started
    return Recomputation(again is not None, tuple(compared), tuple(left_out), seconds)


def recomputed_table(
    record: Mapping[str, Any], path_of: PathOf, record_of: RecordOf, *, full: bool = False
) -> pd.DataFrame:
    """A table, made anew from what its record names.

    Parameters
    ----------
    record, path_of, record_of, full
        As in `recompute_cell`.

    Returns
    -------
    DataFrame
        As `l2i.tables.read_rows` reads it. Unless `full`, columns of `DRAWN` mean nothing.

    Raises
    ------
    InputError
        If this checkout has no rule of that name that makes a table, if that takes other settings
        or inputs than the record has, or if an input cannot be read.
    """
    function = _function_of(record["rule"])
    with tempfile.TemporaryDirectory(prefix="l2i-recomputed-") as folder:
        arguments = _arguments(function, record, path_of, record_of, Path(folder), full)
        function(**arguments)
        return read_rows(arguments[TABLE])


def _function_of(rule: str) -> Callable[..., Any]:
    """The function of a rule's script."""
    known = rule.isidentifier() and (SCRIPTS / f"{rule}.py").is_file()
    function = getattr(importlib.import_module(f"scripts.{rule}"), rule) if known else None
    if function is None or TABLE not in inspect.signature(function).parameters:
        raise InputError(
            f"this checkout has no rule {rule!r} that makes a table: check out the commit that the "
            "table's record names, and ask there"
        )
    return function


def _arguments(
    function: Callable[..., Any],
    record: Mapping[str, Any],
    path_of: PathOf,
    record_of: RecordOf,
    folder: Path,
    full: bool,
) -> dict[str, Any]:
    """What the function is called with, as the harness would; outputs lie in `folder`."""
    parameters = inspect.signature(function).parameters
    inputs: dict[str, list[str]] = {}
    recorded = {}  # where a file lies -> as the record names it
    for used in record["inputs"]:
        if not used["name"].startswith(OF_RECORD):
            path = str(path_of(used["path"]))
            recorded[path] = used["path"]
            inputs.setdefault(f"path_to_{used['name']}", []).append(path)
    offered: dict[str, Any] = {
        **record["wildcards"],
        **_settings(record["settings"], full),
        "record_of": lambda path: record_of(recorded.get(str(path), str(path))),
    }
    for name, parameter in parameters.items():
        if not name.startswith("path_to_"):
            continue
        if name == PAGES:
            offered[name] = [str(folder / f"{name}-{i}") for i in range(len(WRITERS))]
        elif parameter.annotation == list[str]:  # of none, the record names none
            offered[name] = inputs.pop(name, [])
        else:
            (offered[name],) = inputs.pop(name, [str(folder / name)])
    lacking = sorted(parameters.keys() - offered.keys())
    unknown = sorted({*record["settings"], *inputs} - parameters.keys())
    if lacking or unknown:
        raise InputError(
            f"{record['output']['path']} was made by another {record['rule']} than this checkout "
            f"has: its record lacks {', '.join(lacking) or 'nothing'}, and has "
            f"{', '.join(unknown) or 'nothing'} that is not taken. Check out the commit that the "
            "record names, and ask there"
        )
    return {name: offered[name] for name in parameters}


def _settings(settings: Mapping[str, Any], full: bool) -> dict[str, Any]:
    """The settings of the record, with no more draws than it takes to run, unless all are asked."""
    if full or "statistics" not in settings:
        return dict(settings)
    return {**settings, "statistics": {**settings["statistics"], **dict.fromkeys(DRAWS, 1)}}


def _same(printed: Any, recomputed: Any) -> bool:
    numbers = isinstance(printed, (int, float)) and isinstance(recomputed, (int, float))
    if not numbers:
        return printed == recomputed
    return abs(printed - recomputed) <= SAME * max(1.0, abs(printed))
