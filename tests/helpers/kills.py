"""Processes that are killed at any one of the moments at which they change a disk.

A process that is killed leaves what it had changed until then, so the moments that matter are those
before each change, and those in which a file is opened and half of it is written.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

CHANGES = {
    "os.chmod",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",  # and os.replace
    "os.rmdir",
    "os.symlink",
    "os.truncate",
    "os.utime",
}
TO_WRITE = os.O_WRONLY | os.O_RDWR
HALF = b'{"half of what wa'


class Moment(NamedTuple):
    """A moment in the life of a process: before its change of this number, or within it."""

    number: int
    within: bool
    what: str


class _Counter:
    """A hook that counts what a process changes below a folder, and kills it at a moment."""

    def __init__(self, folder: Path, until: Moment | None) -> None:
        self.folder, self.until = f"{folder}{os.sep}", until
        self.seen: list[tuple[str, bool]] = []
        self.dying = False

    def __call__(self, event: str, arguments: tuple) -> None:
        if self.dying or not self._counts(event, arguments):
            return
        opens = event == "open" and not os.path.isdir(arguments[0])  # a file without a name
        self.seen.append((f"{event} {os.path.basename(os.fspath(arguments[0]))}", opens))
        if self.until is not None and len(self.seen) - 1 == self.until.number:
            self.dying = True
            if self.until.within:
                _write_half(arguments[0], arguments[2])
            os.kill(os.getpid(), signal.SIGKILL)

    def _counts(self, event: str, arguments: tuple) -> bool:
        if event == "open":
            if isinstance(arguments[0], int) or not arguments[2] & TO_WRITE:
                return False
        elif event not in CHANGES:
            return False
        # A name relative to an open folder is that of a tree that is being removed.
        in_open_folder = event in ("os.remove", "os.rmdir") and arguments[1] != -1
        return in_open_folder or os.path.abspath(arguments[0]).startswith(self.folder)


def _write_half(path: str, flags: int) -> None:
    with suppress(OSError):  # which it would have been told
        os.write(os.open(path, flags, 0o666), HALF)


def moments(function: Callable[[], object], folder: Path) -> Iterator[Moment]:
    """All moments of a process that calls `function`, found by letting one live."""
    for number, (what, opens) in enumerate(json.loads(_child(function, folder, None, 0))):
        yield Moment(number, False, what)
        if opens:
            yield Moment(number, True, what)


def die(function: Callable[[], object], folder: Path, moment: Moment) -> None:
    """Have a process call `function` and be killed at a moment."""
    assert _child(function, folder, moment, signal.SIGKILL) == "", "it must not live"


def killed(function: Callable[[], object]) -> None:
    """Have a process call `function`, which kills it."""
    assert _child(function, Path(os.devnull), None, signal.SIGKILL) == ""


def _child(
    function: Callable[[], object], folder: Path, until: Moment | None, expected: int
) -> str:
    """What a forked process says of its changes when it ends; nothing where it was killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
            counter = _Counter(folder, until)
            sys.addaudithook(counter)
            function()
            counter.dying = True
            os.write(writing, json.dumps(counter.seen).encode())
            status = 0
        finally:
            os._exit(status)  # without the clean-up of pytest
    os.close(writing)
    with open(reading, encoding="utf-8") as told:
        text = told.read()
    _, status = os.waitpid(pid, 0)
    assert status == expected, f"status {status} at {until}"
    return text
