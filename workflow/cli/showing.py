"""How answers are shown: trees and tables on a terminal, plain text in a pipe, JSON when asked."""

from __future__ import annotations

import enum
import json
import math
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from l2i.checks import InputError
from l2i.provenance.findings import Verdict

PIPED_WIDTH = 10_000  # columns, of what no terminal cuts: more than any line has


class Outcome(enum.IntEnum):
    """Exit codes. Of several, what is worse counts: see `worst`."""

    FINE = 0
    TAMPERED = 1
    STALE = 2
    NO_RECORD = 3
    USAGE = 4


WORST_FIRST = (Outcome.USAGE, Outcome.TAMPERED, Outcome.NO_RECORD, Outcome.STALE, Outcome.FINE)


# By the verdict on a result; both have the same names.
OUTCOMES: dict[str, Outcome] = {verdict: Outcome[verdict.name] for verdict in Verdict}


def worst(*outcomes: Outcome) -> Outcome:
    """The one that an exit code tells: tampered before no record before stale."""
    return min(outcomes, key=WORST_FIRST.index, default=Outcome.FINE)


class NoRecord(InputError):
    """What is asked about has no record, so nothing can be said."""


class Report(Protocol):
    """The answer to one question."""

    @property
    def outcome(self) -> enum.IntEnum:
        """What the exit code says of it."""

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""

    def show(self, console: Console) -> None:
        """The same for people."""


AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON: all of the answer, for programs.")
]


def tell(report: Report, as_json: bool) -> NoReturn:
    """Print a report, and end with its exit code.

    Where nobody reads on (`| head`), end as by SIGPIPE: 1 would say that something was tampered
    with.
    """
    try:
        if as_json:
            facts = {"outcome": report.outcome.name.lower(), **report.facts()}
            print(json.dumps(_finite(facts), indent=1, allow_nan=False))
        else:
            report.show(console())
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(128 + signal.SIGPIPE) from None
    raise typer.Exit(report.outcome)


def _finite(value: Any) -> Any:
    """The same as JSON can say it, which knows neither NaN nor infinity: those as texts."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # see `tell`; Rich would end with 1


def console() -> Console:
    """Standard output, where nobody looks on wide enough for any line.

    The lines of a text are left to the terminal, so that a command can be copied from it.
    """
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    return _Console(width=width, soft_wrap=True, highlight=False)


def tell_error(error: Exception) -> None:
    """Say on standard error what cannot be done."""
    print(f"error: {error}", file=sys.stderr)


@contextmanager
def progress_of_bytes(what: str, n_bytes: int) -> Iterator[Any]:
    """A bar on standard error with a rate, if that is a terminal; yields `advance(n_bytes)`."""
    if not sys.stderr.isatty():
        yield lambda n: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=n_bytes)
        yield lambda n: bar.advance(task, n)
