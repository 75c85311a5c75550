"""`l2i audit diff`: two runs side by side, and which difference can explain which number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.differences import Differences
from cli.showing import AsJson, Outcome, tell
from cli.unpacking import opened
from l2i.checks import printable
from l2i.provenance.comparison import CIRCUMSTANCES, Change
from l2i.provenance.sources import CodeChange
from l2i.reporting.two_runs import EQUAL, Number

SHOWN = 72  # characters of a setting
HOW_TO_READ = (
    "beyond: the intervals lie apart, or B - A is more than Welch's margin of both spreads over "
    "folds or runs (95 %); within: neither. Both runs are measured on the "
    "same clips as a rule, so they are not independent: within does not say that nothing changed, "
    "and beyond is far beyond chance."
)
UNEXPLAINED = (
    "On the way to {} of them no setting, code, package or data differs that is recorded. What "
    "does: {}. Or a table is not what its record says: l2i audit verify tells."
)


class DiffReport(NamedTuple):
    """Two runs, and what differs."""

    found: Differences
    with_equal: bool

    @property
    def outcome(self) -> Outcome:
        """What the exit code says of it: as of what is stale, where a number differs."""
        return Outcome.STALE if self.found.explained else Outcome.FINE

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {
            "rule": HOW_TO_READ,
            "n_equal": self._n_equal(),
            "n_differing": len(self.found.explained),
            "numbers": [
                _facts_of(number) | self._places(place)
                for place, number in enumerate(self.found.numbers)
                if self.with_equal or number.verdict != EQUAL
            ],
            "causes": [
                {**cause.change._asdict(), **self._facts_of_results(cause.results)}
                | {"n_numbers": len(cause.numbers)}
                for cause in self.found.causes
            ],
            "differences": [
                {**change._asdict(), **self._facts_of_results(results)}
                for change, results in self.found.in_general()
            ],
            "code": [
                self._facts_of_results(results)
                | {"parts": None if changes is None else [*map(_facts_of_part, _parts(changes))]}
                for results, changes in self.found.in_code()
            ],
            "commits": dict(zip("ab", self.found.comparison.commits(), strict=True)),
        }

    def _n_equal(self) -> int:
        return sum(number.verdict == EQUAL for number in self.found.numbers)

    def _places(self, place: int) -> dict[str, list[int]]:
        """Of its causes; no list where a number is not to be explained."""
        explained = self.found.explained.get(place)
        return {} if explained is None else explained._asdict()

    def _facts_of_results(self, results: set[str]) -> dict[str, list[str]]:
        return {"rules": self.found.comparison.rules_of(results), "results": sorted(results)}

    # -------------------------------------------------------------- for people

    def show(self, console: Console) -> None:
        """The same for people: numbers, what can explain them, and all that differs."""
        self._show_numbers(console)
        self._show_causes(console)
        self._show_general(console)
        self._show_code(console)

    def _show_numbers(self, console: Console) -> None:
        numbers, explained = self.found.numbers, self.found.explained
        console.print(f"{len(explained)} numbers differ, {self._n_equal()} are equal.")
        if n_costs := sum(n.is_cost and n.verdict != EQUAL for n in numbers):
            console.print(
                f"Not counted: {n_costs} of what it cost in time and memory, which is never the "
                "same twice (--json lists them)."
            )
        shown = [
            (*_shown(number), self._shown_causes(place))
            for place, number in enumerate(numbers)
            if place in explained or (self.with_equal and number.verdict == EQUAL)
        ]
        if shown:
            columns = ("number", "A", "B", "B - A", "verdict", "intervals", "explained by")
            _print_table(console, "Numbers", columns, shown)
        if explained:
            console.print(HOW_TO_READ)

    def _shown_causes(self, place: int) -> str:
        explained = self.found.explained.get(place)
        if explained is None:
            return ""
        first, further = ([str(at + 1) for at in places] for places in explained)
        behind = f" (then {', '.join(further)})" if further else ""
        return f"{', '.join(first)}{behind}" if first else "nothing"

    def _show_causes(self, console: Console) -> None:
        if self.found.causes:
            rows = [
                (str(i), *_shown_change(cause.change), self._rules(cause.results))
                + (str(len(cause.numbers)),)
                for i, cause in enumerate(self.found.causes, 1)
            ]
            columns = ("", "kind", "what", "A", "B", "rules", "numbers")
            _print_table(console, "What can explain them, by the graph", columns, rows)
        n = sum(not self.found.is_explained(place) for place in self.found.explained)
        if n:
            changes = [c for c, _ in self.found.in_general() if c.kind in CIRCUMSTANCES]
            told = [f"{c.what} {_value(c.then)} -> {_value(c.now)}" for c in changes]
            said = "; ".join(told) or "no machine, library or thread that was recorded either"
            console.print(printable(UNEXPLAINED.format(n, said)), markup=False)

    def _show_general(self, console: Console) -> None:
        rows = [
            (*_shown_change(change), self._rules(results), str(len(results) or ""))
            for change, results in self.found.in_general()
        ]
        columns = ("kind", "what", "A", "B", "rules", "results")
        _print_table(console, "All that differs", columns, rows)

    def _show_code(self, console: Console) -> None:
        without_note: set[str] = set()
        of_parts: dict[tuple[str, ...], set[str]] = {}
        for results, changes in self.found.in_code():
            without_note |= results if changes is None else set()
            for part in _parts(changes or ()):
                of_parts.setdefault(part, set()).update(results)
        rows = [(*part, self._rules(results)) for part, results in sorted(of_parts.items())]
        _print_table(console, "Code", ("file", "part", "how", "rules"), rows)
        if without_note:
            commits = [", ".join(each) for each in self.found.comparison.commits()]
            said = (
                f"The code of {self._rules(without_note)} differs, and a run has no note of what "
                f"it did: compare the commits, {commits[0]} of A and {commits[1]} of B."
            )
            console.print(printable(said), markup=False)

    def _rules(self, results: set[str]) -> str:
        return ", ".join(self.found.comparison.rules_of(results))


def _parts(changes: Iterable[CodeChange]) -> Iterator[tuple[str, str, str]]:
    """File, function or the like, and what happened to it."""
    for change in changes:
        yield from ((change.file, part, how) for part, how in change.parts.items())


def _facts_of_part(part: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("file", "name", "how"), part, strict=True))


def _facts_of(number: Number) -> dict[str, Any]:
    sides = {
        name: None if side is None else {k: _plain(v) for k, v in side._asdict().items()}
        for name, side in (("a", number.a), ("b", number.b))
    }
    return {
        "table": number.table,
        "key": number.key,
        **sides,
        "difference": _plain(number.difference),
        "verdict": number.verdict,
        "intervals_overlap": number.overlap,
        "is_cost": number.is_cost,
    }


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _shown(number: Number) -> tuple[str, ...]:
    name = f"{number.table}: {', '.join(number.key.values())}"
    sides = [
        "" if side is None else f"{side.mean:.6g}{_interval(side.low, side.high)}"
        for side in (number.a, number.b)
    ]
    difference = "" if math.isnan(number.difference) else f"{number.difference:+.3g}"
    overlap = {None: "", True: "overlap", False: "apart"}[number.overlap]
    return name, *sides, difference, number.verdict, overlap


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) or math.isnan(high) else f" [{low:.4g}, {high:.4g}]"


def _shown_change(change: Change) -> tuple[str, str, str, str]:
    return change.kind, change.what, _value(change.then), _value(change.now)


def _value(text: str | None) -> str:
    text = "(none)" if text is None else text
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def _print_table(
    console: Console, title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]
) -> None:
    """Nothing where there is no row."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(Text(printable(cell), overflow="fold") for cell in row))
    if table.row_count:
        console.print(table)


def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="Folder of a run, or a crate of one.")],
    b: Annotated[
        Path, typer.Argument(metavar="B", help="The same of the run that it is compared to.")
    ],
    with_equal: Annotated[
        bool, typer.Option("--all", help="List numbers that are equal too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two runs: numbers first, then what can explain them, then all that differs.

    Exit code: 2 a number differs, or only one run has it. What it cost in time and memory is not
    counted.
    """
    with opened(a) as one, opened(b) as other:
        tell(DiffReport(Differences(one, other), with_equal), as_json)
