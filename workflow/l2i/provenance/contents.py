"""What lies in the folder of a run, told apart by place and name; nothing is opened."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from l2i.checks import reason
from l2i.hashing import FOLDER_TIMESTAMP
from l2i.provenance.digests import file_of, is_digest
from l2i.provenance.housekeeping import GROWN, LOCK, is_housekeeping
from l2i.provenance.records import is_acceptance, is_record, result_of
from l2i.provenance.runs import NOTES

LOGS = "logs"
# Of the run as a whole; a seal, and its signature, are notes too.
NOTED = re.compile(r"asked\.json|configuration\.json|code/[^/]+\.json|seal\.json(\.sig)?")


@dataclass
class Contents:
    """What lies in the folder of a run, by path relative to it.

    Links are never followed: what lies behind one counts as not there.
    """

    records: dict[str, str] = field(default_factory=dict)  # by result: where its record lies
    results: dict[str, int] = field(default_factory=dict)  # files and folders with one: bytes
    digests: set[str] = field(default_factory=set)  # of files with a record
    notes: set[str] = field(default_factory=set)
    locks: set[str] = field(default_factory=set)
    odd: dict[str, str] = field(default_factory=dict)  # links, and what is no file: what it is
    closed: dict[str, str] = field(default_factory=dict)  # folders that cannot be read, and why
    others: set[str] = field(default_factory=set)  # without a record, and none of these
    n_files: int = 0  # of results, those of folders one by one


def contents_of(folder: Path, apart: Collection[Path] = ()) -> Contents:
    """Look through the folder of a run.

    Parameters
    ----------
    folder : Path
    apart : collection of Path
        Files and folders that lie in it and do not belong to it, such as a corpus.
    """
    found = Contents()
    sizes = dict(_files_below(folder, {*map(os.path.abspath, apart)}, found))
    for path in filter(is_record, sizes):
        found.records[str(result_of(path))] = path
    for path, n_bytes in sizes.items():
        if (result := _result_with(path, found.records)) is not None:
            found.results[result] = found.results.get(result, 0) + n_bytes
            found.n_files += 1
        elif is_housekeeping(name := PurePosixPath(path).name):
            found.locks |= {path} if name.startswith(LOCK) else set()
        elif is_digest(path) and file_of(path) in found.records:
            found.digests.add(path)
        elif _is_note(path):
            found.notes.add(path)
        elif not (is_record(path) or is_acceptance(path) or _is_log(path)):
            found.others.add(path)
    return found


def _files_below(folder: Path, apart: set[str], found: Contents) -> Iterator[tuple[str, int]]:
    """Files with their sizes; `found` is told what is none, and what cannot be looked at."""

    def relative(path: str) -> str:
        return PurePosixPath(os.path.relpath(path, folder)).as_posix()

    def note_closed(error: OSError) -> None:
        found.closed[relative(error.filename)] = reason(error)

    for parent, folders, names in os.walk(folder, onerror=note_closed):
        below = [name for name in sorted(folders) if not is_housekeeping(name)]
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        folders[:] = [name for name in below if os.path.abspath(f"{parent}/{name}") not in apart]
        for name in [*links, *sorted(names)]:
            path = os.path.join(parent, name)
            if os.path.abspath(path) in apart or name == FOLDER_TIMESTAMP:
                continue
            try:
                about = os.lstat(path)
            except FileNotFoundError:  # a job at work has taken it away
                continue
            if stat.S_ISLNK(about.st_mode):
                found.odd[relative(path)] = f"is a link to {os.readlink(path)}"
            elif not stat.S_ISREG(about.st_mode):
                found.odd[relative(path)] = "is neither a file nor a folder"
            else:
                yield relative(path), about.st_size


def _result_with(path: str, records: Collection[str]) -> str | None:
    """The result that a file is, or is part of, among those with a record."""
    if path in records:
        return path
    above = (str(parent) for parent in PurePosixPath(path).parents)
    return next((parent for parent in above if parent in records), None)


def _is_note(path: str) -> bool:
    return path.startswith(f"{NOTES}/") and bool(NOTED.fullmatch(path.removeprefix(f"{NOTES}/")))


def _is_log(path: str) -> bool:
    return path.startswith(f"{LOGS}/") and path.endswith((".log", GROWN))
