"""Whether a result is current: what its record says made it, against what would make it today.

This decides what a run computes, whatever else is remembered or lost: settings, code, environment
and inputs of a result are in the record beside it, and so is what each input held. Times decide
nothing, so a copy of results is as current as its original.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from l2i.checks import InputError, printable
from l2i.hashing import file_sha256
from l2i.provenance.records import RECORD_VERSION, acceptance_path, is_record, record_path

SHOWN = 60  # characters of a value in a difference
NO_RECORD = "no record"
ACCEPTANCE_VERSION = 1


class Difference(NamedTuple):
    """What has changed since a result was made."""

    kind: str  # setting, code, package, rule, wildcards, input, order, record or corpus
    name: str  # of the key, the package or the input; "" where the kind says it all
    before: str
    after: str

    @property
    def then(self) -> str:
        """How it was, in words."""
        return f"{self.name} {self.before}".strip()

    @property
    def now(self) -> str:
        """How it is today, in words."""
        return f"{self.name} {self.after}".strip()


class Identity(NamedTuple):
    """All that decides what a job makes."""

    rule: str
    wildcards: dict[str, str]
    settings: dict[str, Any]
    code: str  # fingerprint
    pins: dict[str, str]  # of packages
    # Name, path and sha256; None where nothing vouches for one.
    inputs: list[tuple[str, str, str | None]]


def identity_in(record: Mapping[str, Any]) -> Identity:
    """The identity that a record tells of."""
    return Identity(
        rule=record["rule"],
        wildcards=record["wildcards"],
        settings=record["settings"],
        code=record["fingerprints"]["code"],
        pins=record["pins"],
        inputs=[(used["name"], used["path"], used["sha256"]) for used in record["inputs"]],
    )


def differences(then: Identity | None, now: Identity) -> list[Difference]:
    """What has changed between two identities; nothing where they would make the same.

    Parameters
    ----------
    then : Identity or None
        From the record of a result; None where it has none.
    now : Identity
        Of the job that would make it today.
    """
    if then is None:
        return [Difference("record", "", NO_RECORD, "one is needed")]
    of_wildcards = ("wildcards", then.wildcards, now.wildcards, then.wildcards != now.wildcards)
    pairs: dict[str, Iterable[Pair]] = {
        "setting": _pairs_of_trees("", then.settings, now.settings),
        "code": [("code", then.code[:8], now.code[:8], then.code != now.code)],
        "package": _pairs_of_trees("package ", then.pins, now.pins),
        "rule": [("rule", then.rule, now.rule, then.rule != now.rule)],
        "wildcards": [of_wildcards],
        "input": _pairs_of_inputs(then.inputs, now.inputs),
        "order": _pairs_of_orders(then.inputs, now.inputs),
    }
    return [
        Difference(kind, name, _shown(before), _shown(after))
        for kind, found in pairs.items()
        for name, before, after, changed in found
        if changed
    ]


class KnownRecords:
    """Records beside results, each read once and not held against the schema, which takes longer.

    What is no record of this version, or damaged, counts as none. So does an acceptance
    (l2i.provenance.acceptance) that is damaged, or about another record than the one that is there.
    """

    def __init__(self) -> None:
        self.of = functools.cache(self._read)
        self._accepted = functools.cache(self._read_accepted)

    def sha256_of(self, path: str | Path) -> str | None:
        """What the file at `path` holds as far as its record knows; None where there is none."""
        record = self.of(str(path))
        return None if record is None else record["output"]["sha256"]

    def sha256_of_record(self, path: str | Path) -> str | None:
        """What the record at `path` itself holds; None where there is none."""
        try:
            return file_sha256(path)
        except OSError:
            return None

    def identity_of(self, path: str | Path) -> Identity | None:
        """What made the file at `path`, or was accepted last as what may have made it.

        None where nothing tells.
        """
        return next(self._identities(path), None)

    def is_accepted(self, path: str | Path) -> bool:
        """Whether somebody has accepted the file at `path` as it was made."""
        return bool(self._accepted(str(path)))

    def changes_since(self, path: str | Path, now: Identity) -> list[Difference]:
        """What has changed since the file at `path` was made.

        Nothing where it would be made the same today, or somebody has accepted that it stands for
        what would be made; else the changes since it was accepted last.

        Parameters
        ----------
        path : str or Path
        now : Identity
            Of the job that would make it today, without the records that it reads.
        """
        found = [
            differences(then, with_records(now, then, self)) for then in self._identities(path)
        ]
        if not found:
            return differences(None, now)
        return found[0] if all(found) else []

    def _identities(self, path: str | Path) -> Iterator[Identity]:
        """What would make the file at `path`: as was accepted, the last first, and as recorded."""
        record = self.of(str(path))
        if record is not None:
            yield from reversed(self._accepted(str(path)))
            yield identity_in(record)

    def _read(self, path: str) -> dict[str, Any] | None:
        try:
            record = json.loads(record_path(path).read_text(encoding="utf-8"))
            output = record["output"]["path"], record["output"]["sha256"]
            whole = _is_whole(identity_in(record)) and all(isinstance(t, str) for t in output)
            return record if whole and record["record_version"] == RECORD_VERSION else None
        except (OSError, ValueError, RecursionError, KeyError, TypeError):
            return None

    def _read_accepted(self, path: str) -> tuple[Identity, ...]:
        try:
            found = json.loads(acceptance_path(path).read_text(encoding="utf-8"))
            accepted = tuple(identity_in(each["after"]) for each in found["accepted"])
            whole = all(map(_is_whole, accepted))
            valid = whole and found["acceptance_version"] == ACCEPTANCE_VERSION
            return (
                accepted
                if valid and found["record_sha256"] == self.sha256_of_record(record_path(path))
                else ()
            )
        except (OSError, ValueError, RecursionError, KeyError, TypeError):
            return ()


def _is_whole(made: Identity) -> bool:
    texts = [made.rule, made.code, *(text for used in made.inputs for text in used)]
    trees: list[Any] = [made.settings, made.wildcards, made.pins]
    return all(isinstance(t, str) for t in texts) and all(isinstance(t, dict) for t in trees)


def with_records(now: Identity, then: Identity | None, known: KnownRecords) -> Identity:
    """`now` with the records that `then` was made of too, as they are today."""
    there = {(name, path) for name, path, _ in now.inputs}
    read = [used for used in (then.inputs if then else []) if is_record(used[1])]
    read = [used for used in read if used[:2] not in there]
    today = [(name, path, known.sha256_of_record(path)) for name, path, _ in read]
    return now._replace(inputs=now.inputs + today)


def require_untouched(path: str, sha256: str, known: KnownRecords) -> None:
    """Raise InputError unless the record of the result at `path` says that it holds `sha256`."""
    said = known.sha256_of(path)
    if said is None:
        raise InputError(
            f"{path} has no record beside it that can be read, so nothing vouches for it: delete "
            f"{path} and give your command again, which makes both anew"
        )
    if said != sha256:
        raise InputError(
            f"{path} was changed after the job that made it: its record says sha256 {said[:8]}, "
            f"and it has {sha256[:8]}. Put it back, or delete {path} and give your command "
            "again, which makes it anew"
        )


Pair = tuple[str, Any, Any, bool]
_MISSING = object()


def _pairs_of_trees(prefix: str, then: Any, now: Any) -> Iterator[Pair]:
    """Leaves of two trees of mappings."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted({*then, *now}):
            pairs = then.get(key, _MISSING), now.get(key, _MISSING)
            yield from _pairs_of_trees(f"{prefix}{key}.", *pairs)
    else:
        # As JSON, in which 10 and 10.0 differ, as they do to the fingerprint of settings.
        yield prefix.removesuffix("."), then, now, _shown(then, None) != _shown(now, None)


def _pairs_of_inputs(
    then: list[tuple[str, str, str | None]], now: list[tuple[str, str, str | None]]
) -> Iterator[Pair]:
    before, after = ({(name, path): sha256 for name, path, sha256 in each} for each in (then, now))
    for name, path in sorted({*before, *after}):
        old, new = before.get((name, path), _MISSING), after.get((name, path), _MISSING)
        yield f"{name} {printable(path)}", _short(old), _short(new), old != new or new is None


def _pairs_of_orders(
    then: list[tuple[str, str, str | None]], now: list[tuple[str, str, str | None]]
) -> Iterator[Pair]:
    before, after = ([*dict.fromkeys(used[:2] for used in each)] for each in (then, now))
    changed = before != after and {*before} == {*after}
    yield "order of inputs", "another", "this", changed


def _short(sha256: object) -> object:
    return sha256[:8] if isinstance(sha256, str) else NO_RECORD if sha256 is None else sha256


def _shown(value: Any, length: int | None = SHOWN) -> str:
    if value is _MISSING:
        return "(none)"
    text = value if isinstance(value, str) and length else json.dumps(value, sort_keys=True)
    text = text if length is None or len(text) <= length else f"{text[: length - 3]}..."
    return printable(text)
