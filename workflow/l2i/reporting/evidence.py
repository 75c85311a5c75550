"""Which of a table's inputs one of its numbers is a statistic of.

A table is made of many files of scores, and a row of it of few: those of its system on its data
set, all folds and runs. Which these are is read from the records of the inputs, whose wildcards say
what each was measured of, never from paths. Where that does not tell, all inputs are named, and
why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from l2i.checks import InputError
from l2i.names import CLASSIFIER, RANDOM
from l2i.reporting.beside_paper import condition_text
from l2i.reporting.cells import Cell, titles_of_run
from l2i.reporting.conditions import settings_of
from l2i.reporting.removals import NOTHING

REFERENCES = "references"  # what is measured beside systems: its input, and what lists it
OF_RECORD = "record of "  # how the names of inputs begin that are records of others
NOT_OURS = {"reference": "the paper quotes it from elsewhere", "missing": "it was not measured"}
# What the table of classes takes of a class -> the input that it is taken from.
OF_QUANTITY = {
    **{"labels": "classification", "classification": "classification", "fidelity": "fidelity"},
    **{"faithfulness": "faithfulness", "removed": "faithfulness"},
}
# What the table of sanity checks takes a measure from, where an interpreter was trained anew; those
# that are not named compare relevances.
SANITY = "sanity"
OF_RETRAINED = {
    "top_1_fidelity": {"retrained_fidelity"},
    **dict.fromkeys(("ff_median", "empty_selection"), {"retrained_faithfulness"}),
}
OF_RELEVANCES = {"relevances", "retrained_relevances"}
# Inputs that hold what was measured of several systems, whose wildcards name none.
OF_ALL_SYSTEMS = {"ratings"}

Input = Mapping[str, Any]  # as a record describes it
RecordOf = Callable[[str], Mapping[str, Any]]  # the record of an input, by its path


class Evidence(NamedTuple):
    """What a number rests on: inputs of its table's record, in their order.

    ``why`` says what they are; they are `chosen` unless it was not possible to leave any out.
    """

    inputs: list[Input]
    chosen: bool
    why: str


def evidence_of(cell: Cell, record: Mapping[str, Any], record_of: RecordOf) -> Evidence:
    """The inputs that a cell is a statistic of.

    Parameters
    ----------
    cell : Cell
        Of the table that `record` is of.
    record : mapping
        See `l2i.provenance.records`.
    record_of : callable
        The record of each input, by its path as `record` gives it. May raise InputError.

    Returns
    -------
    Evidence
        Of settings and costs, which are read from records, the models that these are of. None of a
        number that is the paper's alone.
    """
    inputs = [each for each in record["inputs"] if not each["name"].startswith(OF_RECORD)]
    if why := NOT_OURS.get(str(cell.number.get("verdict") or "")):
        return Evidence([], True, f"of the paper alone: {why}")
    try:
        known = [(each, record_of(each["path"])["wildcards"]) for each in inputs]
    except InputError as error:
        return Evidence(inputs, False, f"all inputs of the table, for want of a record: {error}")
    sides = _sides(cell, record["settings"])
    found = [[each for each in known if _is_of(side, *each)] for side in sides]
    if not all(found):
        return Evidence(inputs, False, "all inputs of the table: their records name none of these")
    if len(found) == 2 and sides[0] != sides[1]:
        found = _in_common(*found)
    paths = {each["path"] for side in found for each, _ in side}
    chosen = [each for each in inputs if each["path"] in paths]
    return Evidence(chosen, True, " and ".join(dict.fromkeys(map(_told, sides))))


class _Side(NamedTuple):
    """What files must be of, or one of two sides of a difference; None is any."""

    dataset: str | None = None
    system: str | None = None  # CLASSIFIER is what is of no system
    variant: str | None = None
    fold: str | None = None
    names: frozenset[str] | None = None  # of the inputs, in the rule


def _sides(cell: Cell, settings: Mapping[str, Any]) -> list[_Side]:
    """What the cell is of; a difference is of two."""
    keys, condition = cell.keys, _condition(cell)
    side = _Side(dataset=keys.get("dataset"), variant=keys.get("variant"), fold=keys.get("fold"))
    side = side._replace(names=_names_of_inputs(cell, condition))
    for row in settings.get("rows", []):
        named = (row["dataset"], row["system"], condition_text(row["condition"]))
        if named == (keys.get("dataset"), keys.get("system"), keys.get("condition", "")):
            side = side._replace(variant=row["variant"], fold=str(row["fold"]))
    systems = [keys.get("system"), keys.get("other") or condition.get("minus")]
    return [_of_system(side, name, condition, settings) for name in systems if name] or [side]


def _names_of_inputs(cell: Cell, condition: Mapping[str, str]) -> frozenset[str] | None:
    """Which inputs of its table a cell is taken from, by their names; None of any."""
    if of_quantity := OF_QUANTITY.get(cell.keys.get("quantity", "")):
        return frozenset({of_quantity})
    if cell.table != SANITY:
        return None
    more: set[str] = set()  # beside the cascade, which has the intact system too
    if "targets" in condition:
        more = OF_RETRAINED.get(cell.keys["metric"], OF_RELEVANCES)
    elif "activations" in condition:
        more = {"relevances", "exchanged"}
    return frozenset({SANITY, *more})


def _of_system(
    side: _Side, name: str, condition: Mapping[str, str], settings: Mapping[str, Any]
) -> _Side:
    """The files behind what a table calls a system."""
    interpreters = {title: of for of, title in settings.get("as_classifier", {}).items()}
    if name == NOTHING or name.startswith(RANDOM):  # removals that counter a system
        return side._replace(system=condition.get("of"))
    if name in interpreters:
        return side._replace(system=interpreters[name], names=frozenset({"posthoc"}))
    if name in settings.get("methods", []):  # of the classifier alone, an input for each
        return side._replace(system=CLASSIFIER, names=frozenset({name}))
    if name in settings.get(REFERENCES, []):  # all in one file, which is of no system
        return side._replace(system=CLASSIFIER, names=frozenset({REFERENCES}))
    known = {*settings.get("systems", []), *(row["system"] for row in settings.get("rows", []))}
    known |= {CLASSIFIER, settings.get("system"), *titles_of_run(settings)}
    return side._replace(system=name if name in known else None)  # L2I of Table II is several


def _condition(cell: Cell) -> dict[str, str]:
    pairs = (each.partition("=") for each in settings_of(cell.keys.get("condition", "")))
    condition = {name: value for name, _, value in pairs}
    minus = condition.get("minus", "")
    if minus == NOTHING or minus.startswith(RANDOM):  # of the same files as the system itself
        del condition["minus"]
    return condition


def _is_of(side: _Side, used: Input, wildcards: Mapping[str, str]) -> bool:
    if side.names is not None and used["name"] not in side.names:
        return False
    of_all = used["name"] in OF_ALL_SYSTEMS
    if side.system not in (None, wildcards.get("system", CLASSIFIER)) and not of_all:
        return False
    wanted = {name: getattr(side, name) for name in ("dataset", "variant", "fold")}
    return all(value is None or wildcards.get(name) == value for name, value in wanted.items())


Known = list[tuple[Input, Mapping[str, str]]]


def _in_common(ours: Known, theirs: Known) -> list[Known]:
    """Of both sides the folds and runs that both have."""
    return [
        [each for each in side if any(_same_run(each[1], of) for _, of in other)]
        for side, other in ((ours, theirs), (theirs, ours))
    ]


def _same_run(of: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two files are compared; a classifier, without runs, stands beside every run."""
    both_have = "run" in of and "run" in other
    return of.get("fold") == other.get("fold") and (not both_have or of["run"] == other["run"])


def _told(side: _Side) -> str:
    said = side._replace(names=None)._asdict()
    of_references = side.names == frozenset({REFERENCES})
    if of_references:
        said["system"] = None  # of none
    told = [f"{name} {value}" for name, value in said.items() if value]
    told += [REFERENCES] if of_references else []
    return ", ".join(told) or "all inputs of the table"
