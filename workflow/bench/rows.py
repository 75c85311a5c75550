"""A row of the report: what was measured, beside what it is compared with, and its bar.

A row is made by the function that says how it is judged. Each takes `floor`, in the unit of `ours`:
the time that follows from the operations at the machine's measured rate (`machine.gemm_rate`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measured quantity.

    Attributes
    ----------
    name : str
        Unique in a report: "part: what".
    unit : str
        Of `ours`, `theirs` and `floor`.
    ours : float, optional
        None where it could not be measured; then `note` says why.
    theirs : float, optional
        The same of what it is compared with, side by side in the same run.
    ratio : float, optional
        What the bar is a bar for.
    bar, is_least : float and bool
        What `ratio` (or `ours`, without one) must reach, or must stay within.
    floor : float, optional
        The least that `ours` can be here, by operations and measured rate.
    note : str
        A short sentence.
    """

    name: str
    unit: str
    ours: float | None
    theirs: float | None = None
    ratio: float | None = None
    bar: float | None = None
    is_least: bool = True
    floor: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None without a bar. What could not be measured meets none."""
        if self.bar is None:
            return None
        value = self.ours if self.ratio is None else self.ratio
        if value is None or math.isnan(value):
            return False
        return value >= self.bar if self.is_least else value <= self.bar

    @property
    def verdict(self) -> str:
        """'met', 'missed', 'not measured' or 'no bar'."""
        if self.ours is None:
            return "not measured"
        return {True: "met", False: "missed", None: "no bar"}[self.met]


def faster(
    name: str,
    unit: str,
    ours: float,
    theirs: float,
    bar: float | None = None,
    *,
    floor: float | None = None,
    note: str = "",
) -> Row:
    """A time: theirs by ours must be at least the bar."""
    return Row(name, unit, ours, theirs, theirs / ours, bar, floor=floor, note=note)


def at_most_of(
    name: str,
    unit: str,
    ours: float,
    theirs: float,
    bar: float | None = None,
    *,
    floor: float | None = None,
    note: str = "",
) -> Row:
    """A size, or a time of an older state: ours by theirs must be at most the bar."""
    return Row(name, unit, ours, theirs, ours / theirs, bar, is_least=False, floor=floor, note=note)


def near_floor(
    name: str, unit: str, ours: float, floor: float, bar: float | None = None, *, note: str = ""
) -> Row:
    """A time: its floor by it, which is the share of the machine's rate, must reach the bar."""
    return Row(name, unit, ours, ratio=floor / ours, bar=bar, floor=floor, note=note)


def at_most(
    name: str,
    unit: str,
    ours: float,
    bar: float | None = None,
    *,
    floor: float | None = None,
    note: str = "",
) -> Row:
    """A quantity on its own that must be at most the bar, or that has none."""
    return Row(name, unit, ours, bar=bar, is_least=False, floor=floor, note=note)
