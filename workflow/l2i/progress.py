"""What people see of work under way: bars, lines now and then, histories as they grow.

No result depends on any of it: fingerprints of code leave this module out.
"""

from __future__ import annotations

import csv
import logging
import math
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")

# Seconds between two lines about the same work, at least: epochs may take none, or hours.
BETWEEN_LINES = 5.0

log = logging.getLogger(__name__)
_of_bars = ContextVar("_of_bars", default="")
_grows_in: ContextVar[Path | None] = ContextVar("_grows_in", default=None)


# ---------------------------------------------------------------- bars


def progress(
    iterable: Iterable[Item], *, description: str, unit: str, total: int | None = None
) -> Iterator[Item]:
    """Iterate under a bar on the terminal; without a terminal, just iterate.

    The bar goes to the process's original standard error, around the copy into the job's log
    file that workflow/harness puts in its place: redrawn bars would fill the log with garbage.

    Parameters
    ----------
    iterable : iterable
        What to walk over.
    description : str
        Verb and noun in front of the bar.
    unit : str
        What one item is, e.g. "clip".
    total : int, optional
        Number of items, where `iterable` does not know it.
    """
    return iter(
        tqdm(
            iterable,
            desc=f"{_of_bars.get()}{description}",
            unit=unit,
            total=total,
            file=_Bars(sys.__stderr__),
            disable=None,  # None: disabled where the stream is no terminal
            leave=False,
            dynamic_ncols=True,
        )
    )


class _Bars:
    """Where bars are drawn. Each ends at the beginning of its line, where others then go on.

    A terminal that is gone ends no job.
    """

    def __init__(self, terminal: Any) -> None:
        self._terminal = terminal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)

    def write(self, text: str) -> None:
        if bar := text.strip("\r\n"):
            with suppress(OSError):
                self._terminal.write(f"\r{bar}\r")

    def flush(self) -> None:
        with suppress(OSError):
            self._terminal.flush()


@contextmanager
def bars_begin_with(prefix: str) -> Iterator[None]:
    """Have bars say whose they are, where several processes share a terminal."""
    token = _of_bars.set(prefix)
    try:
        yield
    finally:
        _of_bars.reset(token)


# ---------------------------------------------------------------- lines


class NowAndThen:
    """Says when it is time for another line about the same work.

    Parameters
    ----------
    seconds : float
        Between two lines, at least.
    """

    def __init__(self, seconds: float = BETWEEN_LINES) -> None:
        self._seconds, self._last = seconds, -math.inf

    def __call__(self, *, surely: bool = False) -> bool:
        """Whether it is; with `surely`, as for the last line, it always is."""
        now = time.monotonic()
        if not surely and now - self._last < self._seconds:
            return False
        self._last = now
        return True


# ---------------------------------------------------------------- histories


@contextmanager
def history_grows_in(path: str | Path) -> Iterator[None]:
    """Have the history of what learns inside this block written to `path`, row by row.

    Where several networks learn, as when settings are selected, the file is of the one that learns
    now and begins anew with each. The last one's stays.
    """
    token = _grows_in.set(Path(path))
    try:
        yield
    finally:
        _grows_in.reset(token)


class GrowingHistory:
    """A csv to be followed while something learns; none outside of :func:`history_grows_in`.

    Its text is what :func:`l2i.tables.write_rows` makes of the same rows. Work goes on without it
    where it cannot be written, which is said once.

    Parameters
    ----------
    rows : iterable of mapping
        What is known from before, for work that goes on. Whatever the file held otherwise goes: it
        may tell of epochs that were lost, and are learned again.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self._path, self._has_heading = _grows_in.get(), False
        self._file: TextIO | None = None
        with self._said_if_refused():
            if self._path is not None:  # each line is written when it ends
                self._file = self._path.open("w", buffering=1, encoding="utf-8")
        for row in rows:
            self.add(row)

    def add(self, row: Mapping[str, Any]) -> None:
        """Write one more row, at once; all rows have the same columns."""
        if self._file is None:
            return
        writer = csv.DictWriter(self._file, row, lineterminator="\n")
        with self._said_if_refused():
            if not self._has_heading:
                writer.writeheader()
                self._has_heading = True
            writer.writerow(row)

    @contextmanager
    def _said_if_refused(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            log.warning("warning: %s: no history to follow (%s)", self._path, error)
            self._file = None
