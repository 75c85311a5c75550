"""l2i audit diff: two runs side by side, and which difference can explain which number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.crates import opened
from cli.showing import AsJson, Outcome, tell
from l2i.checks import printable
from l2i.provenance.comparison import CIRCUMSTANCES, Change, Comparison
from l2i.reporting.two_runs import EQUAL, Number, compare_tables, rests_on

TABLES = "tables"
SHOWN = 72  # characters of a setting
HOW_TO_READ = (
    "within: B - A lies within Welch's margin of both spreads over folds or runs (95 %), or, where "
    "one has no spread, the intervals overlap; beyond: it does not. Both runs are measured on the "
    "same clips as a rule, so they are not independent: within does not say that nothing changed, "
    "and beyond is far beyond chance."
)
UNEXPLAINED = (
    "Nothing that is recorded on the way to them differs. What may: {}. Or a table is not what its "
    "record says: l2i audit verify tells."
)


@dataclass
class Cause:
    """A difference that can explain numbers."""

    change: Change
    results: set[str] = field(default_factory=set)
    n_numbers: int = 0


@dataclass
class DiffReport:
    """Two runs, and what differs."""

    comparison: Comparison
    numbers: list[Number]
    with_equal: bool
    causes: list[Cause] = field(default_factory=list)
    # Of each number that differs: places in `causes`, first ones and further ones.
    of_number: dict[int, tuple[list[int], list[int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        places: dict[Change, int] = {}
        for i, number in enumerate(self.numbers):
            if number.verdict == EQUAL or number.is_cost:
                continue
            explanation = _explanation(self.comparison, number, self.numbers)
            both = ([], [])  # type: tuple[list[int], list[int]]
            for found, place in zip((explanation.first, explanation.further), both, strict=True):
                for change, results in found.items():
                    at = places.setdefault(change, len(places))
                    if at == len(self.causes):
                        self.causes.append(Cause(change))
                    self.causes[at].results |= results
                    self.causes[at].n_numbers += 1
                    place.append(at)
            self.of_number[i] = (sorted(both[0]), sorted(both[1]))

    @property
    def outcome(self) -> Outcome:
        """Stale stands for: a number differs."""
        return Outcome.STALE if self.of_number else Outcome.FINE

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        shown = [
            _facts_of(number) | self._causes_of(i)
            for i, number in enumerate(self.numbers)
            if self.with_equal or number.verdict != EQUAL
        ]
        kinds: dict[str, list[dict[str, Any]]] = {}
        for change, results in self._general():
            facts = _change_facts(change) | {"rules": self.comparison.rules_of(results)}
            kinds.setdefault(change.kind, []).append(facts | {"n_results": len(results)})
        return {
            "rule": HOW_TO_READ,
            "n_equal": sum(number.verdict == EQUAL for number in self.numbers),
            "n_differing": len(self.of_number),
            "numbers": shown,
            "causes": [
                _change_facts(cause.change)
                | {"rules": self.comparison.rules_of(cause.results)}
                | {"results": sorted(cause.results), "n_numbers": cause.n_numbers}
                for cause in self.causes
            ],
            "differences": kinds,
            "code": [
                {
                    "rules": self.comparison.rules_of(results),
                    "then": then,
                    "now": now,
                    "parts": None if parts is None else [part._asdict() for part in parts],
                }
                for (then, now), results, parts in self._code()
            ],
            "commits": dict(zip("ab", self.comparison.commits(), strict=True)),
        }

    def _causes_of(self, i: int) -> dict[str, list[int]]:
        first, further = self.of_number.get(i, ([], []))
        return {"first": first, "further": further}

    def _general(self) -> list[tuple[Change, set[str]]]:
        """What differs between the runs, whether it explains a number or not."""
        found = self.comparison.all_changes()
        settings = self.comparison.settings()
        rest = {c: of for c, of in found.items() if c.kind not in {"setting", "code"}}
        of_settings = {c: found.get(c, set()) for c in settings}
        corpora: dict[Change, set[str]] = {c: set() for c in self.comparison.corpora()}
        return sorted((of_settings | rest | corpora).items(), key=lambda item: _order(item[0]))

    def _code(self) -> list[tuple[tuple[str, str], set[str], Any]]:
        return [
            (pair, results, self.comparison.code_changes(*pair))
            for pair, results in self.comparison.code().items()
        ]

    # -------------------------------------------------------------- for people

    def show(self, console: Console) -> None:
        """The same for people: numbers, what can explain them, and what else differs."""
        self._show_numbers(console)
        self._show_causes(console)
        self._show_general(console)
        self._show_code(console)

    def _show_numbers(self, console: Console) -> None:
        n_equal = sum(number.verdict == EQUAL for number in self.numbers)
        costs = [n for n in self.numbers if n.is_cost and n.verdict != EQUAL]
        console.print(f"{len(self.of_number)} numbers differ, {n_equal} are equal.")
        if costs:
            console.print(
                f"Not counted: {len(costs)} of what it cost in time and memory, which is never "
                "the same twice (--json lists them)."
            )
        shown = [
            i
            for i, number in enumerate(self.numbers)
            if i in self.of_number or (self.with_equal and number.verdict == EQUAL)
        ]
        if not shown:
            return
        columns = ("number", "A", "B", "B - A", "verdict", "intervals", "explained by")
        rows = [(*_shown(self.numbers[i]), self._shown_causes(i)) for i in shown]
        _print_table(console, "Numbers", columns, rows)
        console.print(HOW_TO_READ)

    def _shown_causes(self, i: int) -> str:
        first, further = (
            [str(at + 1) for at in places] for places in self.of_number.get(i, ((), ()))
        )
        behind = f" (then {', '.join(further)})" if further else ""
        return f"{', '.join(first)}{behind}" if first else "nothing" if i in self.of_number else ""

    def _show_causes(self, console: Console) -> None:
        if self.causes:
            rows = [
                (str(i + 1), *_shown_change(cause.change), self._rules(cause.results), str(n))
                for i, cause in enumerate(self.causes)
                for n in [cause.n_numbers]
            ]
            columns = ("", "kind", "what", "A", "B", "rules", "numbers")
            _print_table(console, "What can explain them, by the graph", columns, rows)
        if any(not first for first, _ in self.of_number.values()):
            circumstances = [c for c, _ in self._general() if c.kind in CIRCUMSTANCES]
            told = "; ".join(f"{c.what} {_value(c.then)} -> {_value(c.now)}" for c in circumstances)
            console.print(printable(UNEXPLAINED.format(told or "no machine or library either")))

    def _show_general(self, console: Console) -> None:
        rows = [
            (*_shown_change(change), self._rules(results), str(len(results) or ""))
            for change, results in self._general()
        ]
        if rows:
            columns = ("kind", "what", "A", "B", "rules", "results")
            _print_table(console, "All that differs", columns, rows)

    def _show_code(self, console: Console) -> None:
        without_notes: set[str] = set()
        rows: dict[tuple[str, str, str], set[str]] = {}
        for _, results, parts in self._code():
            if parts is None:
                without_notes |= results
            for part in parts or ():
                rows.setdefault(tuple(part), set()).update(results)
        if rows:
            shown = [(*part, self._rules(results)) for part, results in sorted(rows.items())]
            _print_table(console, "Code", ("file", "part", "how", "rules"), shown)
        if without_notes:
            commits = [", ".join(each) for each in self.comparison.commits()]
            console.print(
                f"The code of {self._rules(without_notes)} differs too, but a run has no note of "
                f"what it did; compare the commits {commits[0]} and {commits[1]}."
            )

    def _rules(self, results: Iterable[str]) -> str:
        return ", ".join(self.comparison.rules_of(results))


def _explanation(comparison: Comparison, number: Number, numbers: list[Number]) -> Any:
    """What can explain a number, by the inputs of its table that it can rest on."""
    table = f"{TABLES}/{number.table}.csv"
    inputs = [
        (name, of, (comparison.record(of) or {}).get("wildcards", {}))
        for of, names in comparison.inputs_of(table).items()
        for name in names[:1]
    ]
    beside = {n.key.get("system", "") for n in numbers if n.table == number.table}
    named = sorted(beside - {""})
    rests = rests_on(number.key, [(name, wildcards) for name, _, wildcards in inputs], named)
    used = [of for (_, of, _), is_used in zip(inputs, rests, strict=True) if is_used]
    datasets = {n.key.get("dataset", "") for n in numbers} - {""}
    others = (datasets | {*named}) - {*number.key.values()}

    def concerns(change: Change) -> bool:
        """Not the settings of other data sets or systems, by which a table is also made."""
        return change.kind != "setting" or not others & {*change.what.split(".")}

    return comparison.explain(table, used, concerns)


def _order(change: Change) -> tuple[int, str]:
    kinds = ("setting", "results", "inputs", "data", "code", "package", *CIRCUMSTANCES, "chance")
    return kinds.index(change.kind), change.what


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


def _change_facts(change: Change) -> Mapping[str, Any]:
    return change._asdict()


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
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(Text(printable(cell), overflow="fold") for cell in row))
    console.print(table)


def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="A run: its folder, or a crate.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    with_equal: Annotated[
        bool, typer.Option("--all", help="List numbers that are equal too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two runs: numbers first, then what can explain them, then all that differs.

    Exit codes: 0 no number differs, 2 one does or only one run has it, 4 the question cannot be
    understood. What it cost in time and memory is not counted.
    """
    with opened(a) as one, opened(b) as other:
        numbers = compare_tables(one.folder / TABLES, other.folder / TABLES)
        tell(DiffReport(Comparison(one, other), numbers, with_equal), as_json)
