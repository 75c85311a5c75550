"""A run on a terminal: jobs under way below, what there is to read above them."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from snakemake_logger_plugin_l2i.lines import Lines
from snakemake_logger_plugin_l2i.passing import PassingThrough
from snakemake_logger_plugin_l2i.run import Job, Run, about, clock

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_ROWS = 10  # of jobs; a cluster has more under way
REFRESHES = 4  # a second
STYLES = {logging.WARNING: "yellow", logging.ERROR: "red", logging.CRITICAL: "red"}


class Display(Lines):
    """Says what :class:`Lines` says but for jobs that begin, above a display that is kept.

    Standard output and standard error of this process and of those that it starts pass through
    while jobs run (:class:`PassingThrough`), so that no line of a job disturbs the display.

    Parameters
    ----------
    colours : bool
        Whether there may be any.
    """

    def __init__(self, *, colours: bool) -> None:
        super().__init__(sys.stderr)
        self._colours = colours
        self._shown: _Shown | None = None
        self._closing = threading.Lock()

    @staticmethod
    def is_possible() -> bool:
        """Whether standard error is a terminal that can move its cursor, and rich is there."""
        able = os.environ.get("TERM", "dumb") not in ("dumb", "unknown")
        return able and sys.stderr.isatty() and find_spec("rich") is not None

    def say(self, text: str, *, level: int = logging.INFO) -> None:
        """Print lines, above the display if it is there."""
        if self._shown is None:
            super().say(text, level=level)
        else:
            self._shown.print(text.rstrip("\n"), STYLES.get(level, ""))

    def tell_of_start(self, job: Job) -> None:
        """Such jobs are shown."""
        if self._shown is None:
            self._shown = _Shown(self.run, colours=self._colours)

    def changed(self) -> None:
        """Show where the run stands; at its end the display goes, with no job to show."""
        if self._shown is not None:
            self._shown.refresh()

    def close(self) -> None:
        """Take the display away, and give the terminal back."""
        with self._closing:
            shown, self._shown = self._shown, None
        if shown is not None:
            shown.close()
        super().close()


class _Shown:
    """The display itself, and what passes through above it."""

    def __init__(self, run: Run, *, colours: bool) -> None:
        from rich.console import Console
        from rich.live import Live

        self._run = run
        self._passing = PassingThrough(on_line=self._pass_on, on_bar=self._note_bar)
        self._said: set[str] = set()
        console = Console(
            file=self._passing.terminal,
            force_terminal=True,
            no_color=None if colours else True,
            highlight=False,
            soft_wrap=True,
        )
        self._live = Live(
            console=console,
            get_renderable=lambda: rendered(run, time.monotonic(), console.size),
            refresh_per_second=REFRESHES,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def print(self, text: str, style: str = "") -> None:
        from rich.text import Text

        self._live.console.print(Text.from_ansi(text, style=style), soft_wrap=True)

    def refresh(self) -> None:
        self._live.refresh()

    def close(self) -> None:
        self._passing.end()  # what was said until now comes above the display
        self._live.stop()
        self._passing.close()

    def _pass_on(self, line: str) -> None:
        """Print a line of a job, unless another job has said the same, which its log has too."""
        from rich.text import Text

        whose, _, said = line.partition(": ")
        if self._job_of(whose) is None:
            self.print(line)
        elif said not in self._said:
            self._said.add(said)
            text = Text.assemble((f"{whose}: ", "dim"), said)
            self._live.console.print(text, soft_wrap=True)

    def _note_bar(self, line: str) -> None:
        """Show a bar beside its job."""
        whose, _, bar = line.partition(": ")
        if job := self._job_of(whose):
            job.bar = _without_graph(bar)

    def _job_of(self, whose: str) -> Job | None:
        """The job that names its rule and all of its wildcards so, in front of what it says."""
        words = set(whose.split())
        named = [
            (len(names), job)
            for job in [*self._run.under_way.values()]
            if (names := {job.rule, *job.wildcards.values()} - {"default"}) <= words
        ]
        return max(named, key=lambda each: each[0])[1] if named else None


def _without_graph(bar: str) -> str:
    """What a bar of tqdm says: 'Train 7/40' of 'Train:  18%|██   | 7/40 [00:01<00:05, ...]'."""
    what, _, rest = bar.partition(":")
    count = rest.rpartition("|")[2].partition("[")[0].strip()
    return f"{what} {count}".strip()


def rendered(run: Run, now: float, size: Any) -> RenderableType:
    """The display: a line for the run, one for each job under way.

    Parameters
    ----------
    run : Run
    now : float
        By the clock of the run.
    size : (width, height)
        Of the terminal, in characters.
    """
    from rich.console import Group
    from rich.text import Text

    jobs = sorted(run.under_way.values(), key=lambda job: job.began)
    n_rows = max(min(MOST_ROWS, size[1] - 4), 1)
    rows = [_row(job, now, size[0]) for job in jobs[:n_rows]]
    if len(jobs) > n_rows:
        more = Text(f"  and {len(jobs) - n_rows} more under way", style="dim")
        more.truncate(size[0] - 1, overflow="ellipsis")
        rows.append(more)
    return Group(_head(run, now, size[0]), *rows)


def _head(run: Run, now: float, width: int) -> RenderableType:
    from rich.text import Text

    parts = [f"{run.done} of {run.total} jobs", clock(now - run.began)]
    parts += [left] if (left := about(run.seconds_left(now))) else []
    head = Text(", ".join(parts), style="bold")
    if run.failed:
        head.append(f", {len(run.failed)} failed", style="bold red")
    room = width - len(head) - 2
    if room >= 10:
        full = min(room, 40) * run.done // max(run.total, 1)
        head.append(" " + "━" * full, style="green")
        head.append("━" * (min(room, 40) - full), style="dim")
    head.truncate(width - 1, overflow="ellipsis")
    return head


def _row(job: Job, now: float, width: int) -> RenderableType:
    from rich.text import Text

    lasts = f"{clock(now - job.began):>8}  "
    bar = f"  {job.bar}" if job.bar else ""
    room = width - 1 - len(lasts) - len(bar)
    if room < 20:  # the job before how far it is
        bar, room = "", width - 1 - len(lasts)
    words = job.words if len(job.words) <= room else f"{job.words[: max(room - 1, 0)]}…"
    row = Text(lasts, style="dim")
    row.append(words, style="default")
    row.append(bar, style="cyan")
    row.truncate(max(width - 1, 1))
    return row
