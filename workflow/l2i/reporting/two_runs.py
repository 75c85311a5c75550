"""Numbers of two runs side by side, table by table.

A number is a row of a csv table: its keys name it, and mean, spread, n and interval are what was
measured. How it stands in one run to the other:

===============  =================================================================================
``equal``        all that is printed of it is the same
``within``       the intervals overlap, and ``|B - A|`` is at most
                 `l2i.reporting.beside_paper.welch_margin` of both spreads over folds or runs, as
                 far as both sides have them
``beyond``       the intervals lie apart, or it is more than that
``differs``      neither run says how much the number varies
``only in A``    or B: the other has no such row
===============  =================================================================================

Both sides are as a rule measured on the same clips, so they are not independent: what clips have in
common moves both, and the margin is wider than that of a paired comparison. ``within`` therefore
does not say that nothing has changed, and ``beyond`` is far beyond chance.

What a run cost, its times and memory, is never the same twice: such rows are told apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from l2i.checks import InputError
from l2i.reporting.beside_paper import welch_margin
from l2i.tables import read_rows

KEYS = ("system", "other", "dataset", "class", "quantity", "metric", "condition")
# Of the table of costs: what is counted, and what is measured by a clock or as memory.
COUNTED = ("n_parameters", "n_epochs")
COSTS = (*("seconds_per_epoch", "share_waiting", "peak_memory_bytes", "seconds", "seconds_of_all"),)

Key = tuple[tuple[str, str], ...]
EQUAL = "equal"


class Value(NamedTuple):
    """What one run says of a number; NaN where it does not."""

    mean: float
    spread: float = math.nan
    n: float = math.nan
    low: float = math.nan
    high: float = math.nan


class Number(NamedTuple):
    """One number of two runs; `a` or `b` is None where that run has none."""

    table: str  # without its suffix
    key: dict[str, str]
    a: Value | None
    b: Value | None
    is_cost: bool

    @property
    def difference(self) -> float:
        """B - A; NaN where one is missing."""
        return math.nan if self.a is None or self.b is None else self.b.mean - self.a.mean

    @property
    def overlap(self) -> bool | None:
        """Whether their intervals overlap; None where one has none."""
        if self.a is None or self.b is None:
            return None
        ends = (self.a.low, self.a.high, self.b.low, self.b.high)
        if any(map(math.isnan, ends)):
            return None
        return self.a.low <= self.b.high and self.b.low <= self.a.high

    @property
    def verdict(self) -> str:
        """See the head of the module."""
        if self.a is None or self.b is None:
            return "only in A" if self.b is None else "only in B"
        if all(x == y or (x != x and y != y) for x, y in zip(self.a, self.b, strict=True)):
            return EQUAL
        signs = [sign for sign in (self.overlap, self._is_within_spreads()) if sign is not None]
        if not signs:
            return "differs"
        return "within" if all(signs) else "beyond"

    def _is_within_spreads(self) -> bool | None:
        """Whether the spreads are wide enough for the difference; None where one has none."""
        sides = [(side.spread, side.n) for side in (self.a, self.b) if side is not None]
        if not all(spread == spread and n >= 2 for spread, n in sides):
            return None
        margin = welch_margin(*((spread, int(n)) for spread, n in sides))
        return abs(self.difference) <= margin


def compare_tables(a: Path, b: Path) -> list[Number]:
    """All numbers of the csv tables in two folders, table by table in the order of their rows.

    Raises
    ------
    InputError
        A table cannot be read, or holds a key twice.
    """
    names = sorted({path.name for folder in (a, b) for path in folder.glob("[!.]*.csv")})
    found = []
    for name in names:
        sides = [_numbers(folder / name) if (folder / name).is_file() else {} for folder in (a, b)]
        for key in [*sides[0], *(key for key in sides[1] if key not in sides[0])]:
            table = name.removesuffix(".csv")
            is_cost = dict(key).get("metric") in COSTS
            found.append(Number(table, dict(key), sides[0].get(key), sides[1].get(key), is_cost))
    return found


def _numbers(path: Path) -> dict[Key, Value]:
    found: dict[Key, Value] = {}
    try:
        values = [*_values(read_rows(path))]
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{path} is no table of numbers ({error}): verify the run first") from None
    for key, value in values:
        if key in found:
            raise InputError(f"{path} holds two rows of {dict(key)}: verify the run first")
        if not all(map(math.isnan, (value.mean, value.n))):  # else the paper alone has it
            found[key] = value
    return found


def _values(rows: pd.DataFrame) -> Iterator[tuple[Key, Value]]:
    keys = [name for name in KEYS if name in rows]
    for row in rows.to_dict("records"):
        key = tuple((name, row[name]) for name in keys if isinstance(row[name], str))
        if "mean" in row:
            yield key, _value(row, "mean", row.get("n"))
        elif "difference" in row:
            n_folds, n_runs = (_number(row.get(name)) for name in ("n_folds", "n_runs"))
            yield key, _value(row, "difference", n_folds if n_folds > 1 else n_runs)
        else:
            yield from _costs(key, row)


def _value(row: Mapping[str, object], column: str, n: object) -> Value:
    rest = (_number(row.get(name)) for name in ("low", "high"))
    return Value(_number(row[column]), _number(row.get("spread")), _number(n), *rest)


def _costs(key: Key, row: Mapping[str, object]) -> Iterator[tuple[Key, Value]]:
    for name in (*COUNTED, *COSTS):
        if name in row:
            ends = (_number(row.get(f"{name}_{end}")) for end in ("low", "high"))
            value = Value(_number(row[name]), math.nan, math.nan, *ends)
            yield (*key, ("metric", name)), value


def _number(cell: object) -> float:
    return math.nan if cell is None else float(str(cell))


def rests_on(
    key: Mapping[str, str],
    inputs: Sequence[tuple[str, Mapping[str, str]]],
    named: Sequence[str],
) -> list[bool]:
    """Which inputs of its table a number can rest on, by data set, fold and system.

    Parameters
    ----------
    key : mapping
        Of the number.
    inputs : sequence of (str, mapping)
        Their names in the rule, and the wildcards of what made them.
    named : sequence of str
        All names of systems in the table.

    Returns
    -------
    list of bool
        In doubt true. A row may be called otherwise than what it was measured of, `l2i_posthoc`
        (of the input `posthoc`) or `base_f` (of what no system made): such a name stands for the
        inputs of systems that no row is named after.
    """
    parts = key.get("condition", "").split(", ")
    condition = dict(part.split("=", 1) for part in parts if "=" in part)
    said = (key.get("system"), key.get("other"), condition.get("minus"))
    systems = {condition["of"]} if "of" in condition else {name for name in said if name}
    known = {wildcards.get("system", "") for _, wildcards in inputs}
    nameless = [(name, w.get("system", "") not in named) for name, w in inputs]
    claimed = {name for name, free in nameless if free for each in named if name in each}

    def is_of_system(name: str, system: str, free: bool) -> bool:
        return system in systems or any(
            free and (name in each if name in claimed else not any(c in each for c in claimed))
            for each in systems - known
        )

    def fits(wildcards: Mapping[str, str], column: str) -> bool:
        wanted = key.get(column, condition.get(column))
        return not wanted or wildcards.get(column, wanted) == wanted

    found = [
        fits(wildcards, "dataset")
        and fits(wildcards, "fold")
        and (not systems or is_of_system(name, wildcards.get("system", ""), free))
        for (name, wildcards), (_, free) in zip(inputs, nameless, strict=True)
    ]
    return found if any(found) else [fits(wildcards, "dataset") for _, wildcards in inputs]
