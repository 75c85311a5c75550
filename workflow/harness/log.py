"""The log of a job: what it prints, on the terminal and in a file.

Each start of a job begins a new file, so a job that is retried, or that SLURM starts again, would
say nothing of what ended it before. The file therefore has a second, hidden name until the job
succeeds, and the same job, started again, goes on in it. What lay there before is kept until then
too: a job that finds its results made leaves the log of the job that made them, with a line more.

A job needs its log for nothing. Where that cannot be written, as on a full disk, this is said once
and the job goes on.
"""

from __future__ import annotations

import io
import logging
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from l2i.disk import PART, refusal
from l2i.provenance.housekeeping import GROWN, LOG, LOG_BEFORE

SAID = "L2I_SAID"  # a line that was shown as the run began: of jobs it goes into their logs alone
NO_GPU = "no GPU is there: computing on the CPU"


class JobLog:
    """The file of a log, open for writing.

    Parameters
    ----------
    path : str or Path
        Its name; begins empty.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._before = put_aside(self.path)
        self._hidden: Path | None = None
        self._is_lost = False
        try:
            self.file: TextIO = self.path.open("w+", buffering=1, encoding="utf-8")
        except OSError as error:
            self._lose(error)
            self.file = io.StringIO()

    def write(self, text: str) -> None:
        """Add to the file, if it can be."""
        try:
            self.file.write(text)
        except OSError as error:
            self._lose(error)

    def flush(self) -> None:
        """Write down what was added, if it can be."""
        try:
            self.file.flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        if not self._is_lost and sys.__stderr__ is not None:
            why = refusal(error, self.path) or f"{self.path}: cannot be written ({error})"
            print(f"warning: {why}. The job goes on without its log", file=sys.__stderr__)
        self._is_lost = True

    def go_on(self, identity: str) -> None:
        """Go on in the log that the same job left when it did not succeed, if it did.

        To be called when no other job writes the same results. Logs of other jobs than `identity`
        that had the same name are forgotten.
        """
        try:
            self._go_on(self.path.with_name(f"{LOG}{identity}-{self.path.name}"))
        except OSError as error:
            self._lose(error)

    def _go_on(self, hidden: Path) -> None:
        self._hidden = hidden
        for other in self.path.parent.glob(f"{LOG}*-{self.path.name}"):
            if other != self._hidden:
                other.unlink(missing_ok=True)
        # A job that was waited for has put its log in the place of this one, if it succeeded.
        earlier = self._hidden if self._hidden.exists() else self.path
        if earlier.exists() and not self._is_at(earlier):
            self._go_on_in(earlier)
        _link(self.path, self._hidden)

    def go_on_in_that_of_the_maker(self) -> None:
        """Go on in the log that lay there before: it is of the job that made the results."""
        try:
            if self._before.exists() and not self._is_at(self._before):
                self._go_on_in(self._before)
        except OSError as error:
            self._lose(error)

    def forget_before(self) -> None:
        """Forget the log that lay there before: what it tells of is being made anew."""
        self._before.unlink(missing_ok=True)

    def _go_on_in(self, earlier: Path) -> None:
        self.file.seek(0)
        said, new = self.file.read(), self.file
        self.file = earlier.open("a+", buffering=1, encoding="utf-8")
        new.close()
        _link(earlier, self.path)
        self.write(f"\n{started_line('started again')}\n{said}")

    def close(self, *, succeeded: bool) -> None:
        """Close the file; with success, it lies under its name and no other."""
        try:
            if succeeded and self._hidden is not None and self._hidden.exists():
                if not self._is_at(self.path):
                    _link(self._hidden, self.path)
                self._hidden.unlink()
            if succeeded:
                self.forget_before()
            self.file.close()
        except OSError as error:
            self._lose(error)

    def _is_at(self, path: Path) -> bool:
        if isinstance(self.file, io.StringIO):
            return False
        return path.exists() and os.path.samestat(path.stat(), os.fstat(self.file.fileno()))


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, in the place of what has it; without, where no disk can."""
    if source == target or (target.exists() and source.samefile(target)):
        return
    between = target.with_name(f"{PART}{target.name}")
    try:
        between.unlink(missing_ok=True)
        os.link(source, between)
        os.replace(between, target)
    except OSError:  # some file systems know no links: logs then begin anew
        with suppress(OSError):
            between.unlink(missing_ok=True)


def put_aside(path: str | Path) -> Path:
    """Give a log, if it is there, the name under which the log of an earlier job waits.

    One that waits there already, because a job ended before it made anything, goes on waiting.
    """
    path = Path(path)
    aside = path.with_name(f"{LOG_BEFORE}{path.name}")
    with suppress(OSError):
        if aside.exists():
            path.unlink(missing_ok=True)
        os.replace(path, aside)
    return aside


def prefix_of(rule: str, wildcards: Mapping[str, str]) -> str:
    """What the lines of a job begin with on a terminal: what it does, and with what.

    As in ``train_system esc50 fold 1 l2i_att run 0: ``; the variant, where it is no default.
    """
    numbered = {"fold", "run", "number"}
    words = [
        f"{name} {value}" if name in numbered else value
        for name, value in wildcards.items()
        if (name, value) != ("variant", "default")
    ]
    return f"{' '.join([rule, *words])}: "


def history_path(log: str | Path) -> Path:
    """Where, beside its log, the history of a job that trains can be followed."""
    return Path(log).with_suffix(GROWN)


def started_line(what: str, environment: Mapping[str, str] = os.environ) -> str:
    """Which start of a job a log tells of: when, where, and as which job of SLURM."""
    now = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    job = environment.get("SLURM_JOB_ID")
    return f"--- {what} {now} on {platform.node()}" + (f", SLURM job {job}" if job else "")


class _Copier:
    """A text stream that writes to the terminal, line by line behind `prefix`, and to the log.

    A terminal that is gone, as with the Snakemake that showed what was said, ends no job.
    """

    def __init__(self, terminal: TextIO, log: JobLog, prefix: str) -> None:
        self._terminal = terminal
        self._log = log
        self._prefix = prefix
        self._begun = ""  # a line, on the terminal; whole lines of several jobs do not mix

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        said = os.environ.get(SAID)
        self._show("".join(f"{self._prefix}{line}\n" for line in lines if line != said))
        self._log.write(text)
        return len(text)

    def flush(self) -> None:
        self._log.flush()

    def close(self) -> None:
        """Show what was begun and not ended."""
        if self._begun:
            self.write("\n")

    def _show(self, text: str) -> None:
        with suppress(OSError):
            self._terminal.write(text)
            self._terminal.flush()

    def isatty(self) -> bool:
        return False  # no bars, no colours: the log must stay readable


@contextmanager
def copied_into(path: str, prefix: str = "") -> Iterator[JobLog]:
    """Copy standard output, standard error and log messages into the file at `path`.

    On the terminal, which other jobs write to as well, lines begin with `prefix`.

    Under SLURM its first line says which job it is of: a log that a job of an earlier day has left
    must not be read as that of one that died before it could write any.
    """
    before = sys.stdout, sys.stderr
    log, succeeded = JobLog(path), False
    if "SLURM_JOB_ID" in os.environ:
        log.write(f"{started_line('started')}\n")
    copiers = sys.stdout, sys.stderr = [_Copier(each, log, prefix) for each in before]
    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    try:
        yield log
        succeeded = True
    finally:
        for copier in copiers:
            copier.close()
        sys.stdout, sys.stderr = before
        logging.basicConfig(level=logging.WARNING, force=True)  # the old handler's log is closed
        log.close(succeeded=succeeded)
