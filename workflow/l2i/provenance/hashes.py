"""Hashes of files that are known without reading them again.

A small file in one folder remembers, for each path, what was hashed and what the file system said
of it then: inode, size, and the times of the last change of its content (mtime) and of anything
about it (ctime). While it still says the same, the hash is known. Git's index works like this.

In doubt a hash is computed. There is doubt where anything differs; where an entry is damaged,
missing or of another path; and where the content had changed just before it was hashed, because a
second change in the same tick of the clock would leave no trace (git calls this racy). A plain
write is always seen. What no `stat` can see is listed in results/README.md.

Any number of processes and nodes may share the folder: each entry is replaced as a whole, and the
last to come wins. The folder may be removed at any time, which costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from l2i.hashing import file_sha256, files_of, tree_sha256

# The coarsest clocks of file systems tick every two seconds.
TICK_NS = 2_000_000_000
# Of a file that is being written: then whoever began it was killed, or waits for a dead disk.
ABANDONED_SECONDS = 3600.0
# Reading that much takes longer than a tick, and it is read by many.
WORTH_A_TICK = 64 * 2**20  # bytes


class FileState(NamedTuple):
    """What the file system says of a file; the name is relative to its folder, "" for itself."""

    name: str
    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int


class Hashed(NamedTuple):
    """What a file or folder holds."""

    kind: str  # file or folder
    sha256: str  # of a folder: over relative paths and contents
    size_bytes: int
    known: bool  # without reading it; False: computed just now
    state: tuple[FileState, ...]  # of all its files, empty where they changed meanwhile
    clock_ns: int  # of the file system, before the first byte was read

    def content(self) -> dict[str, Any]:
        """Kind, sha256 and size, as records have them."""
        return {"kind": self.kind, "sha256": self.sha256, "size_bytes": self.size_bytes}

    def may_be_remembered(self) -> bool:
        """Whether every later write must change what the file system says."""
        newest = max((file.mtime_ns for file in self.state), default=self.clock_ns)
        return self.size_bytes > 0 and newest + TICK_NS <= self.clock_ns


class KnownHashes:
    """The hashes remembered in one folder, which is made when it is needed.

    Parameters
    ----------
    folder : str or Path
        On the file system of what is hashed, so that both have the same clock. Where it cannot be
        written, nothing is remembered.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._unfinished = self.folder / ".part"  # what is being written; empty as a rule

    def get(self, path: str | Path) -> Hashed:
        """The hash of a file or folder: known, or else computed and remembered."""
        hashed = self.look_up(path)
        if hashed is None:
            hashed = self.compute(path)
            self.remember(path, hashed)
        return hashed

    def look_up(self, path: str | Path) -> Hashed | None:
        """The hash of a file or folder if it is known, without reading it."""
        try:
            entry = json.loads(self._entry(path).read_text(encoding="utf-8"))
            if entry.pop("path") != self._name(path):
                return None
            entry["state"] = tuple(FileState(*file) for file in entry["state"])
            hashed = Hashed(known=True, **entry)
            if not re.fullmatch("[0-9a-f]{64}", hashed.sha256):
                return None
            unchanged = hashed.state == _state_of(path) and hashed.may_be_remembered()
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return hashed if unchanged else None

    def compute(self, path: str | Path) -> Hashed:
        """Read and hash a file or folder; nothing is remembered.

        Raises
        ------
        OSError
            It is missing or cannot be read.
        """
        clock_ns = self._clock()
        before = _state_of(path)
        is_folder = os.path.isdir(path)
        sha256 = tree_sha256(path) if is_folder else file_sha256(path)
        return Hashed(
            kind="folder" if is_folder else "file",
            sha256=sha256,
            size_bytes=sum(file.size_bytes for file in before),
            known=False,
            state=before if _state_of(path) == before else (),
            clock_ns=clock_ns,
        )

    def remember(self, path: str | Path, hashed: Hashed) -> None:
        """Remember what was computed, here or under the name that it had before.

        Nothing is remembered of what was written since, or only just before. Call it last: a later
        change of name, mode or owner changes the ctime, and so makes the hash unknown again.
        """
        with contextlib.suppress(OSError):  # a full disk or a foreign folder must end no job
            hashed = hashed._replace(state=_unwritten_since(hashed.state, _state_of(path)))
            if hashed.state and hashed.may_be_remembered():
                entry = hashed._asdict() | {"path": self._name(path)}
                del entry["known"]
                self._replace_entry(self._entry(path), json.dumps(entry))

    def _name(self, path: str | Path) -> str:
        """Relative to the folder, so that a project may be moved."""
        return os.path.relpath(path, self.folder)

    def _entry(self, path: str | Path) -> Path:
        digest = hashlib.sha256(os.fsencode(self._name(path))).hexdigest()
        return self.folder / f"{digest[:32]}.json"

    def _replace_entry(self, target: Path, text: str) -> None:
        self._clear_unfinished()
        part, name = tempfile.mkstemp(dir=self._unfinished)
        try:
            with open(part, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise

    def _clear_unfinished(self) -> None:
        """Remove what killed processes left there."""
        self._unfinished.mkdir(parents=True, exist_ok=True)
        for part in self._unfinished.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > ABANDONED_SECONDS:
                    part.unlink()

    def _clock(self) -> int:
        """Now, as the file system stamps it: nodes may disagree. 0 where it does not tell."""
        try:
            self._clear_unfinished()
            with tempfile.TemporaryFile(dir=self._unfinished) as file:
                return os.fstat(file.fileno()).st_mtime_ns
        except OSError:
            return 0


def settled(path: str | Path) -> str | Path:
    """`path`, once a large file or folder is old enough that its hash may be remembered."""
    state = _state_of(path)
    if sum(file.size_bytes for file in state) >= WORTH_A_TICK:
        newest = max(file.mtime_ns for file in state)
        # At most one tick, however wrong the clock of this node is.
        wait = min(newest + 1.1 * TICK_NS - time.time_ns(), 1.1 * TICK_NS)
        time.sleep(max(wait, 0) / 1e9)
    return path


def _state_of(path: str | Path) -> tuple[FileState, ...]:
    if os.path.isdir(path):
        names = [file.relative_to(path).as_posix() for file in files_of(path)]
        return tuple(_file_state(os.path.join(path, name), name) for name in names)
    return (_file_state(path),)


def _file_state(path: str | Path, name: str = "") -> FileState:
    # Opened, because that asks a network file system; a mere `stat` may be answered from a cache.
    with open(path, "rb") as file:
        found = os.fstat(file.fileno())
    return FileState(name, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _unwritten_since(
    before: tuple[FileState, ...], now: tuple[FileState, ...]
) -> tuple[FileState, ...]:
    """`now`, unless more than a name has changed; that changes the ctime too."""
    same = [file._replace(ctime_ns=0) for file in before]
    return now if same == [file._replace(ctime_ns=0) for file in now] else ()
