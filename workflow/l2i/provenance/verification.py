"""A run against its records: every byte, every record, every input, and what nobody vouches for.

Records say what a job has read and made. So whoever changes a result is found by its record,
whoever changes the record by what the record says twice and by the records of what was made of the
result. One who changes a result that nothing was made of, and its record to fit, is found by
neither: for that a run is sealed.

Nothing is written, and no link is followed.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, cast

from l2i.checks import InputError, printable, reason
from l2i.provenance.acceptance import load_acceptance
from l2i.provenance.consistency import contradictions, disagreements
from l2i.provenance.contents import contents_of
from l2i.provenance.digests import LARGE, digest_text, file_of
from l2i.provenance.findings import Finding, Kind
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.hashes import KnownHashes
from l2i.provenance.reading import Advance, read_hashes
from l2i.provenance.records import (
    RECORD_VERSION,
    is_acceptance,
    is_record,
    papers_below,
    result_of,
    validate_record,
)
from l2i.provenance.runs import NOTES, Run

CODE = f"{NOTES}/code/"


class Verification:
    """What is to be held against what, of one run, and what comes of it.

    Parameters
    ----------
    run : Run
    known : KnownHashes, optional
        Hashes in it are taken as they are, and what they are of is not read. Without, every byte is
        read.
    apart : collection of Path
        Files and folders below that of the run that are not of it, such as a corpus.
    """

    def __init__(
        self, run: Run, *, known: KnownHashes | None = None, apart: Collection[Path] = ()
    ) -> None:
        self.run = run
        self.contents = contents_of(run.folder, apart)
        self._sha256: dict[str, str] = {}  # of results, as they are
        to_read = {name for name in self.contents.results if not self._holds_links(name)}
        if known is not None:
            found = {name: known.look_up(run.folder / name) for name in sorted(to_read)}
            self._sha256 = {name: each.sha256 for name, each in found.items() if each is not None}
        self.n_known = len(self._sha256)
        self._to_read = {
            run.folder / name: self.contents.results[name] for name in to_read - {*self._sha256}
        }
        self.n_bytes = sum(self._to_read.values())  # that will be read
        # Records that are whole, by result; and what their bytes are, by their own path.
        self._records: dict[str, dict[str, Any]] = {}
        self._content_of_record: dict[str, dict[str, Any]] = {}

    @property
    def n_files(self) -> int:
        """How many files results have, those of folders one by one."""
        return self.contents.n_files

    @property
    def n_records(self) -> int:
        """How many records there are, whole or not."""
        return len(self.contents.records)

    def findings(self, advance: Advance) -> Iterator[Finding]:
        """All that is found; `advance` is told how many bytes were read, from any thread."""
        unreadable = {}
        for path, read in read_hashes(self._to_read, advance):
            name = path.relative_to(self.run.folder).as_posix()
            if isinstance(read, OSError):
                unreadable[name] = read
            else:
                self._sha256[name] = read
        yield from self._of_records()
        yield from self._of_results()
        yield from self._of_digests()
        yield from self._of_inputs()
        yield from self._of_acceptances()
        yield from self._of_notes()
        yield from self._of_code()
        yield from self._of_others()
        for name, error in unreadable.items():
            yield _found(Kind.UNREADABLE, name, reason(error))

    def _holds_links(self, name: str) -> bool:
        return any(PurePosixPath(odd).is_relative_to(name) for odd in self.contents.odd)

    # ------------------------------------------------------------ records

    def _of_records(self) -> Iterator[Finding]:
        """Each record against the schema, its place and itself; fills `_records`."""
        for name, path in self.contents.records.items():
            try:
                text = (self.run.folder / path).read_bytes()
            except OSError as error:
                yield _found(Kind.UNREADABLE, path, reason(error))
                continue
            self._content_of_record[path] = {
                "kind": "file",
                "sha256": hashlib.sha256(text).hexdigest(),
                "size_bytes": len(text),
            }
            record = self._understood(name, path, text)
            if isinstance(record, Finding):
                yield record
                continue
            self._records[name] = record
            for what in contradictions(record):
                yield _found(Kind.RECORD, path, what)
        for name, what in disagreements(self._records):
            yield _found(Kind.RECORD, self.contents.records[name], what)

    def _understood(self, name: str, path: str, text: bytes) -> dict[str, Any] | Finding:
        """A record of the right form in its right place, or what is wrong with it."""
        try:
            record = json.loads(text, parse_constant=_refuse)
            version = record.get("record_version") if isinstance(record, dict) else None
            if isinstance(version, int) and version != RECORD_VERSION:
                what = f"is of version {version}; this project reads {RECORD_VERSION}"
                return _found(Kind.OLD, path, what)
            validate_record(record)
        except (InputError, ValueError, RecursionError) as error:
            return _found(Kind.RECORD, path, reason(error))
        if (told := record["output"]["path"]) != self._named(name):
            return _found(Kind.MISPLACED, path, f"is of {told}, and lies where {name} has its")
        return cast(dict[str, Any], record)

    def _named(self, name: str) -> str:
        return str(self.run.root / name)

    # ------------------------------------------------------------ results

    def _of_results(self) -> Iterator[Finding]:
        """What is there against its record."""
        made = defaultdict(list)
        for name, record in self._records.items():
            made[record["output"]["sha256"]].append(name)
        for name, record in self._records.items():
            said, sha256 = record["output"], self._sha256.get(name)
            if name not in self.contents.results:
                yield from self._absent(name, said["kind"])
            elif sha256 is None:  # a link in it, or cannot be read: told as that
                continue
            elif sha256 != said["sha256"]:
                what = f"its record says sha256 {_short(said['sha256'])}, it has {_short(sha256)}"
                others = [other for other in made[sha256] if other != name]
                of_other = f": the bytes of {others[0]}" if others else ""
                yield _found(Kind.CHANGED, name, f"{what}{of_other}")
            elif differing := _differing(said, self._content(name)):
                yield _found(Kind.RECORD, self.contents.records[name], f"of {name}, {differing}")

    def _content(self, name: str) -> dict[str, Any]:
        kind = "folder" if (self.run.folder / name).is_dir() else "file"
        return {"kind": kind, "size_bytes": self.contents.results[name]}

    def _absent(self, name: str, kind: str) -> Iterator[Finding]:
        behind_link = any(PurePosixPath(name).is_relative_to(odd) for odd in self.contents.odd)
        is_empty_folder = kind == "folder" and (self.run.folder / name).is_dir()
        if behind_link or is_empty_folder:
            return
        is_large = name.endswith(LARGE) or f"{name}.digest" in self.contents.digests
        yield _found(
            Kind.REMOVED if is_large else Kind.MISSING,
            name,
            f"its record says sha256 {_short(self._records[name]['output']['sha256'])}",
        )

    def _of_digests(self) -> Iterator[Finding]:
        """Digests against the records of their files."""
        for digest in sorted(self.contents.digests):
            name = file_of(digest)
            if name not in self._records:
                continue
            sha256 = self._records[name]["output"]["sha256"]
            try:
                text = (self.run.folder / digest).read_bytes()
            except OSError as error:
                yield _found(Kind.UNREADABLE, digest, reason(error))
                continue
            if text != digest_text(name, sha256).encode():
                shown = text[:8].decode("utf-8", "replace")
                what = f"says {shown}, and the record of {name} sha256 {_short(sha256)}"
                yield _found(Kind.DIGEST, digest, what)
        for name in sorted(self._records):
            digest = f"{name}.digest"
            is_there = name in self.contents.results and name.endswith(LARGE)
            if is_there and digest not in self.contents.digests:
                yield _found(Kind.REMOVED, digest, "is not there, and its file and record are")

    # ------------------------------------------------------------ inputs

    def _of_inputs(self) -> Iterator[Finding]:
        """What each record says that it was made of against the record of that."""
        unvouched = defaultdict(list)
        for name, record in self._records.items():
            for used in record["inputs"]:
                held = self._vouched(used["path"])
                if held is None:
                    unvouched[used["path"]].append(name)
                elif held and held["sha256"] != used["sha256"]:
                    what = (
                        f"was made of {used['path']} with sha256 {_short(used['sha256'])}, which "
                        f"has {_short(held['sha256'])} today"
                    )
                    told = self._accepted(name, used["path"], held["sha256"])
                    yield (
                        _found(Kind.ACCEPTED, name, told)
                        if told
                        else _found(Kind.STALE, name, what)
                    )
                elif held and (differing := _differing(used, held)):
                    what = f"of {used['path']}, {differing}"
                    yield _found(Kind.RECORD, self.contents.records[name], what)
        without_record = {self._named(other) for other in self.contents.others}
        for path, users in unvouched.items():
            if path not in without_record:  # else told as that
                yield _found(Kind.UNVOUCHED, path, f"has no record, and {_made_of(users)}")

    def _accepted(self, name: str, path: str, sha256: str) -> str | None:
        """Who has accepted a result as made of what the input at `path` holds today, and why."""
        try:
            found = self.run.accepted(self._named(name))
        except InputError:  # told by itself
            return None
        for one in reversed(found):
            if any(u["path"] == path and u["sha256"] == sha256 for u in one["after"]["inputs"]):
                return f"of {path}: {one['user']} on {one['host']}, {one['time']}: {one['reason']}"
        return None

    def _of_acceptances(self) -> Iterator[Finding]:
        """Acceptances against their form; whether one counts is another question."""
        for path in filter(is_acceptance, papers_below(self.run.folder)):
            try:
                load_acceptance(result_of(path))
            except InputError as error:
                yield _found(Kind.RECORD, str(path.relative_to(self.run.folder)), reason(error))

    def _vouched(self, named: str) -> dict[str, Any] | None:
        """What an input holds by its record; None where it has none, {} where that is bad."""
        if not self.run.is_of_run(named):
            return None
        name = str(PurePosixPath(named).relative_to(self.run.root))
        if is_record(name):
            return self._content_of_record.get(name)
        if name in self._records:
            return self._records[name]["output"]
        return {} if name in self.contents.records else None

    # ------------------------------------------------------------ the rest

    def _of_notes(self) -> Iterator[Finding]:
        """Notes on the run against their names."""
        for note in sorted(note for note in self.contents.notes if note.endswith(".json")):
            path = self.run.folder / note
            try:
                told = settings_fingerprint(json.loads(path.read_bytes()))
            except OSError as error:
                yield _found(Kind.UNREADABLE, note, reason(error))
            except (ValueError, TypeError, RecursionError) as error:
                yield _found(Kind.NOTE, note, reason(error))
            else:
                if note.startswith(CODE) and told != path.stem:
                    what = f"what it says has the fingerprint {_short(told)}"
                    yield _found(Kind.NOTE, note, what)

    def _of_code(self) -> Iterator[Finding]:
        """What records say of code against the notes on it."""
        made_by = defaultdict(list)
        for name, record in self._records.items():
            made_by[record["fingerprints"]["code"]].append(name)
        for fingerprint, users in made_by.items():
            note = f"{CODE}{fingerprint}.json"
            if note not in self.contents.notes:
                yield _found(Kind.UNEXPLAINED, note, f"is not there, and {_made_of(users, 'by')}")
                continue
            parts = self.run.code(fingerprint)
            if parts is None:  # told as that of the note
                continue
            for name in users:
                if (script := f"scripts/{self._records[name]['rule']}.py") not in parts:
                    what = f"says that its rule ran {script}, which is not among its code"
                    yield _found(Kind.RECORD, self.contents.records[name], what)

    def _of_others(self) -> Iterator[Finding]:
        """What no record vouches for, and what is no file."""
        users = defaultdict(list)
        for name, record in self._records.items():
            for used in record["inputs"]:
                users[used["path"]].append(name)
        siblings = {str(PurePosixPath(name).with_suffix("")) for name in self.contents.records}
        for path in sorted(self.contents.others):
            if named := users[self._named(path)]:
                yield _found(Kind.ORPHAN, path, f"has no record, and {_made_of(named)}")
            elif str(PurePosixPath(path).with_suffix("")) in siblings:
                yield _found(Kind.ORPHAN, path, "has no record, and files of its name have theirs")
            elif f"{path}.digest" in self.contents.others:
                yield _found(Kind.ORPHAN, path, "has a digest and no record")
            elif file_of(path) not in self.contents.others or file_of(path) == path:
                yield _found(Kind.FOREIGN, path, "has no record and is no log")
        for path, what in sorted(self.contents.odd.items()):
            yield _found(Kind.LINK, path, f"{what}, which is not followed")
        for path, what in sorted(self.contents.closed.items()):
            yield _found(Kind.UNREADABLE, path, what)
        for path in sorted(self.contents.locks):
            yield _found(Kind.AT_WORK, path, "is the lock of a job")


def _refuse(constant: str) -> None:
    raise ValueError(f"holds {constant}, which is no JSON")


def _found(kind: Kind, path: str, what: str) -> Finding:
    return Finding(kind, printable(path), printable(what))


def _made_of(users: list[str], by: str = "of") -> str:
    more = f" and {len(users) - 1} more" if len(users) > 1 else ""
    return f"{users[0]}{more} {'was' if len(users) == 1 else 'were'} made {by} it"


def _differing(said: Mapping[str, Any], held: Mapping[str, Any]) -> str:
    """How kind or size differ, in words; nothing where they do not."""
    told = [
        f"it says {key} {said[key]}, which has {held[key]}"
        for key in ("kind", "size_bytes")
        if said[key] != held[key]
    ]
    return "; ".join(told)


def _short(sha256: str) -> str:
    return sha256[:8]
