"""What differs between two runs: where numbers of tables and the graph of records meet."""

from __future__ import annotations

from typing import NamedTuple

from l2i.provenance.comparison import CIRCUMSTANCES, IDENTITY, Change, Comparison, Explanation
from l2i.provenance.runs import Run
from l2i.provenance.sources import CodeChange
from l2i.reporting.two_runs import EQUAL, Number, compare_tables, rests_on

TABLES = "tables"
IN_ORDER = ("setting", "results", "inputs", "data", "code", "package", *CIRCUMSTANCES, "unrecorded")


class Cause(NamedTuple):
    """A difference that can explain numbers."""

    change: Change
    results: set[str]  # that it is of
    numbers: set[int]  # places in `Differences.numbers`


class Explained(NamedTuple):
    """Places in `Differences.causes`: those that nothing comes before, and what follows them."""

    first: list[int]
    further: list[int]


class Differences:
    """All that differs between two runs.

    Parameters
    ----------
    a, b : Run

    Attributes
    ----------
    numbers : list of Number
        All of both runs.
    explained : dict
        Place of a number that differs, costs apart -> what can explain it.
    causes : list of Cause
        In the order in which numbers name them.
    """

    def __init__(self, a: Run, b: Run) -> None:
        self.comparison = Comparison(a, b)
        self.numbers = compare_tables(a.folder / TABLES, b.folder / TABLES)
        self._causes: dict[Change, Cause] = {}
        self.explained = {
            place: self._explained(place, number)
            for place, number in enumerate(self.numbers)
            if number.verdict != EQUAL and not number.is_cost
        }
        self.causes = [*self._causes.values()]

    def _explained(self, place: int, number: Number) -> Explained:
        explanation = self._explanation(number)
        for changes in explanation:
            for change, results in changes.items():
                cause = self._causes.setdefault(change, Cause(change, set(), set()))
                cause.results.update(results)
                cause.numbers.add(place)
        known = [*self._causes]
        return Explained(*([known.index(change) for change in changes] for changes in explanation))

    def _explanation(self, number: Number) -> Explanation:
        """What can explain a number, by the inputs of its table that it can rest on."""
        table = f"{TABLES}/{number.table}.csv"
        inputs = self.comparison.inputs_of(table)
        made_for = [
            (names[0], (self.comparison.record(of) or {}).get("wildcards", {}))
            for of, names in inputs.items()
        ]
        beside = [each.key for each in self.numbers if each.table == number.table]
        systems = sorted({key["system"] for key in beside if "system" in key})
        used = rests_on(number.key, made_for, systems)
        others = {*systems, *(key["dataset"] for key in beside if "dataset" in key)}
        others -= {*number.key.values()}

        def concerns(change: Change) -> bool:
            """Not the settings of other data sets or systems, by which a table is also made."""
            return change.kind != "setting" or not others & {*change.what.split(".")}

        rested_on = [of for of, is_used in zip(inputs, used, strict=True) if is_used]
        return self.comparison.explain(table, rested_on, concerns)

    def is_explained(self, place: int) -> bool:
        """Whether anything that decides what is to be made differs on the way to a number."""
        return any(self.causes[at].change.kind in IDENTITY for at in self.explained[place].first)

    def in_general(self) -> list[tuple[Change, set[str]]]:
        """What differs, with the results that it is of, whether it explains a number or not.

        Settings are leaves of the configurations; those that reach no result have none.
        """
        found = self.comparison.all_changes()
        shown = {c: of for c, of in found.items() if c.kind not in {"setting", "code"}}
        whole: list[Change] = [*self.comparison.settings(), *self.comparison.corpora()]
        shown |= {change: found.get(change, set()) for change in whole}
        return sorted(shown.items(), key=lambda item: (IN_ORDER.index(item[0].kind), item[0].what))

    def in_code(self) -> list[tuple[set[str], list[CodeChange] | None]]:
        """Results whose code differs, and function by function how; None where no note tells."""
        return [
            (results, self.comparison.code_changes(*pair))
            for pair, results in self.comparison.code().items()
        ]
