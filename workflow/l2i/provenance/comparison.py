"""Two runs side by side: what made each result in one and in the other, and what hangs on it.

Results of both are found by their names below the folder of the run. What may differ of a result

=============  ===================================================================================
``results``    only one run has it
``setting``    a leaf of its settings
``code``       what its rule does, see `code_changes` for the functions
``package``    the version that a package is pinned to
``data``       what was read that no job of the run has made, or what was found in a corpus
``inputs``     whether it was made of a result that both runs have
=============  ===================================================================================

is what was to be made (its identity). Beside that, circumstances may differ: ``installed`` and
``library``, ``hardware``, ``runtime`` and ``commit``. They count as an explanation where a result
was made of the same, by the same, and holds other bytes; where they do not differ either, what made
the difference is ``unrecorded``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from l2i.checks import InputError
from l2i.provenance.records import is_record, result_of
from l2i.provenance.runs import Run
from l2i.provenance.sources import CodeChange, code_changes

IDENTITY = ("results", "setting", "code", "package", "data", "inputs")
CIRCUMSTANCES = ("installed", "library", "hardware", "runtime", "commit")
CORPUS = "datasets"  # the stage at which a corpus is read
LISTING = "files.json"  # of a corpus; holds the times of its files too
SHORT = 8  # hexadecimal digits of a hash that is shown


class Change(NamedTuple):
    """What differs, and how it is in one run and in the other; None where it is not there."""

    kind: str
    what: str
    then: str | None
    now: str | None


class Explanation(NamedTuple):
    """What can explain that a result differs: changes with the results that they are of."""

    first: dict[Change, set[str]]  # nothing differs before them
    further: dict[Change, set[str]]


class Side(NamedTuple):
    """One run, and its records by the names of results below it."""

    run: Run
    records: dict[str, dict[str, Any]]


class Comparison:
    """Two runs, result by result.

    Parameters
    ----------
    a, b : Run

    Raises
    ------
    InputError
        Records of one say that results were made of each other.
    """

    def __init__(self, a: Run, b: Run) -> None:
        self.sides = (_side(a), _side(b))
        self.results = sorted({name for side in self.sides for name in side.records})
        self._parents = {name: self._parents_of(name) for name in self.results}
        try:
            order = [*TopologicalSorter(self._parents).static_order()]
        except CycleError as error:
            raise InputError(
                f"records say that {error.args[1][0]} was made of itself: verify both runs first"
            ) from None
        self.changes = {name: self._changes_of(name) for name in self.results}
        self._behind_changes: dict[str, bool] = {}
        for name in order:
            self._behind_changes[name] = any(
                self.changes[each] or self._behind_changes[each] for each in self._parents[name]
            )

    def record(self, name: str) -> dict[str, Any] | None:
        """A record of the result, of the first run that has one."""
        found = (side.records.get(name) for side in self.sides)
        return next((record for record in found if record is not None), None)

    def inputs_of(self, name: str) -> dict[str, list[str]]:
        """What a result was made of in either run: result -> names of inputs in the rule."""
        found: dict[str, list[str]] = {}
        for side in self.sides:
            if name in side.records:
                for used in side.records[name]["inputs"]:
                    if (result := _result_in(side, used["path"])) is not None:
                        found.setdefault(result, []).append(used["name"])
        return found

    def _parents_of(self, name: str) -> set[str]:
        return {*self.inputs_of(name)} - {name}

    def upstream(self, results: Iterable[str]) -> set[str]:
        """These results and all that they were made of, in either run."""
        found: set[str] = set()
        pending = [*results]
        while pending:
            if (name := pending.pop()) not in found:
                found.add(name)
                pending.extend(self._parents[name])
        return found

    def explain(
        self, name: str, inputs: Iterable[str], concerns: Callable[[Change], bool]
    ) -> Explanation:
        """What can explain that something in a result differs.

        Parameters
        ----------
        name : str
            The result.
        inputs : iterable of str
            Those of its inputs that what differs rests on.
        concerns : callable
            Whether a change of the result itself, of how it was made, concerns what differs.
        """
        reached = sorted(self.upstream(inputs))
        found = Explanation({}, {})
        for each in reached:
            place = found.further if self._behind_changes[each] else found.first
            for change in self.changes[each]:
                place.setdefault(change, set()).add(each)
        place = found.further if found.first else found.first
        for change in filter(concerns, self.changes.get(name, ())):
            place.setdefault(change, set()).add(name)
        further = {c: of for c, of in found.further.items() if c not in found.first}
        return found._replace(further=further)

    def _changes_of(self, name: str) -> tuple[Change, ...]:
        """What can explain that this result differs, apart from what it was made of."""
        a, b = (side.records.get(name) for side in self.sides)
        if a is None or b is None:
            rule = (a or b or {})["rule"]
            there = ("made", None) if b is None else (None, "made")
            return (Change("results", rule, *there),)
        changes = [*_identity_changes(a, b), *self._changes_of_inputs(a, b)]
        if changes or not self._is_made_of_the_same(a, b) or _bytes_of(a) == _bytes_of(b):
            return tuple(changes)
        if PurePosixPath(name).parts[0] == CORPUS:
            return () if PurePosixPath(name).name == LISTING else (_of_bytes("data", name, a, b),)
        circumstances = [c for c in circumstances_of(a, b) if c.kind != "commit"]
        return tuple(circumstances) or (_of_bytes("unrecorded", f"bytes by {a['rule']}", a, b),)

    def _changes_of_inputs(self, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
        """Of what no job of the run has made, and of which results are read at all."""
        sides = [
            {
                (used["name"], _result_in(side, used["path"]) or used["path"]): (
                    None if _result_in(side, used["path"]) else used["sha256"][:SHORT]
                )
                for used in record["inputs"]
            }
            for side, record in zip(self.sides, (a, b), strict=True)
        ]
        for key in sorted({*sides[0], *sides[1]}):
            name, path = key
            then, now = (side.get(key) for side in sides)
            if not any(path in side.records for side in self.sides):
                if then != now:
                    yield Change("data", f"{name} {path}", then, now)
            elif (key in sides[0]) != (key in sides[1]) and all(
                path in side.records for side in self.sides
            ):
                there = ("read", None) if key in sides[0] else (None, "read")
                yield Change("inputs", f"{name} {path}", *there)

    def _is_made_of_the_same(self, a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
        inputs = [
            [
                (u["name"], _result_in(side, u["path"]) or u["path"], u["sha256"])
                for u in r["inputs"]
            ]
            for side, r in zip(self.sides, (a, b), strict=True)
        ]
        return inputs[0] == inputs[1]

    # -------------------------------------------------------------- the runs as a whole

    def all_changes(self) -> dict[Change, set[str]]:
        """Every change of identity and of circumstances, with the results that it is of."""
        found: dict[Change, set[str]] = {}
        for name in self.results:
            a, b = (side.records.get(name) for side in self.sides)
            changes = [*self.changes[name]]
            if a is not None and b is not None:
                changes += circumstances_of(a, b)
            for change in changes:
                found.setdefault(change, set()).add(name)
        return found

    def rules_of(self, results: Iterable[str]) -> list[str]:
        """The rules that made these results."""
        return sorted({record["rule"] for name in results if (record := self.record(name))})

    def settings(self) -> list[Change]:
        """Leaves of both configurations; where one is lost, of the settings of results."""
        noted = [side.run.configuration for side in self.sides]
        if None not in noted:
            return [*changed_leaves("setting", *noted)]
        return sorted({c for c in self.all_changes() if c.kind == "setting"})

    def code(self) -> dict[tuple[str, str], set[str]]:
        """Fingerprints of code that differ: (then, now) -> results."""
        found: dict[tuple[str, str], set[str]] = {}
        for name in self.results:
            a, b = (side.records.get(name) for side in self.sides)
            if a is not None and b is not None:
                pair = a["fingerprints"]["code"], b["fingerprints"]["code"]
                if pair[0] != pair[1]:
                    found.setdefault(pair, set()).add(name)
        return found

    def code_changes(self, then: str, now: str) -> list[CodeChange] | None:
        """Function by function; None where a run has no note of what that code did."""
        a, b = (side.run.code(f) for side, f in zip(self.sides, (then, now), strict=True))
        if a is None or b is None:
            return None
        return code_changes(a, b)

    def commits(self) -> tuple[list[str], list[str]]:
        """The commits that each run was made at."""
        a, b = (
            sorted({_commit(record) or "none" for record in side.records.values()})
            for side in self.sides
        )
        return a, b

    def corpora(self) -> list[Change]:
        """Files of corpora that differ, by the listings of both runs; their times do not count."""
        found = []
        for name in self.results:
            parts = PurePosixPath(name).parts
            if parts[0] == CORPUS and parts[-1] == LISTING:
                a, b = (_listing(side.run, name) for side in self.sides)
                if a is not None and b is not None:
                    label = PurePosixPath(name).parent.name
                    found += [
                        Change("data", f"{label}: {file}", a.get(file), b.get(file))
                        for file in sorted({*a, *b})
                        if a.get(file) != b.get(file)
                    ]
        return found


def _side(run: Run) -> Side:
    names = {str(name): run.record(run.named(run.folder / name)) for name in run.results()}
    return Side(run, {name: record for name, record in names.items() if record is not None})


def _result_in(side: Side, path: str) -> str | None:
    """The result of this run that records call `path`, or whose record they call so."""
    made = str(result_of(path)) if is_record(path) else path
    if not side.run.is_of_run(made):
        return None
    name = str(PurePosixPath(made).relative_to(side.run.root))
    return name if name in side.records else None


def _identity_changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    if a["rule"] != b["rule"]:
        yield Change("code", "rule", a["rule"], b["rule"])
    yield from changed_leaves("setting", a["settings"], b["settings"])
    code = [record["fingerprints"]["code"][:SHORT] for record in (a, b)]
    if code[0] != code[1]:
        yield Change("code", b["rule"], *code)
    yield from changed_leaves("package", a["pins"], b["pins"])


def circumstances_of(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Change]:
    """How the same result was made in two runs, beyond what decides what it is."""
    pairs = [_circumstances(record) for record in (a, b)]
    return [
        change
        for kind in CIRCUMSTANCES
        for change in changed_leaves(kind, pairs[0][kind], pairs[1][kind])
    ]


def _circumstances(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    host, accelerator = record.get("host") or {}, record.get("accelerator") or {}
    runtime, software = record.get("runtime") or {}, record.get("software") or {}
    return {
        # What is installed as it is pinned is told by the pins.
        "installed": {k: v for k, v in software.items() if record["pins"].get(k) != v},
        "library": {_name_of(line): line for line in record.get("libraries") or ()},
        "hardware": {key: host.get(key) for key in ("cpu", "n_cores", "system")}
        | {f"gpu {key}": accelerator.get(key) for key in ("name", "driver", "cuda", "cudnn")},
        "runtime": {
            key: runtime.get(key) for key in ("device", "precision", "n_threads", "deterministic")
        },
        "commit": {"commit": _commit(record)},
    }


def _name_of(library: str) -> str:
    """`openblas of numpy` of `openblas 0.3.31 Haswell of numpy`."""
    return f"{library.split()[0]} of {library.rpartition(' of ')[2]}"


def _commit(record: Mapping[str, Any]) -> str | None:
    git = record.get("git")
    return None if git is None else f"{git['commit'][:12]}{' with changes' * git['dirty']}"


def _bytes_of(record: Mapping[str, Any]) -> str:
    return str(record["output"]["sha256"])


def _of_bytes(kind: str, what: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Change:
    return Change(kind, what, _bytes_of(a)[:SHORT], _bytes_of(b)[:SHORT])


def changed_leaves(kind: str, then: Any, now: Any) -> Iterator[Change]:
    """Leaves of two trees that differ, by their dotted names.

    Lists whose items have names are taken for mappings of these.
    """
    before, after = dict(_leaves("", then)), dict(_leaves("", now))
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield Change(kind, key, before.get(key), after.get(key))


def _leaves(prefix: str, tree: Any) -> Iterator[tuple[str, str]]:
    if isinstance(tree, list) and tree and all(_has_name(item) for item in tree):
        named = {item["name"]: item for item in tree}
        tree = named if len(named) == len(tree) else tree
    if isinstance(tree, dict) and (tree or not prefix):
        for key, value in tree.items():
            yield from _leaves(f"{prefix}{key}.", value)
    else:
        text = tree if isinstance(tree, str) else json.dumps(tree, sort_keys=True)
        yield prefix.removesuffix("."), text


def _has_name(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("name"), str)


def _listing(run: Run, name: str) -> dict[str, str] | None:
    """File of a corpus -> sha256; None where the listing is not there."""
    try:
        files = json.loads((run.folder / name).read_bytes())
        return {str(file): str(about[2])[:SHORT] for file, about in files.items()}
    except (OSError, ValueError, RecursionError, TypeError, IndexError, KeyError, AttributeError):
        return None
