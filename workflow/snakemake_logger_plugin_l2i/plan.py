"""What a dry run prints: how many jobs of which rule would run, and why."""

from __future__ import annotations

import logging
import re
from collections import Counter, defaultdict
from typing import TextIO

from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_l2i.lines import is_left_out

FEW = 3  # changes that are named; others are counted
# How the reasons of Snakemake begin, and what they mean.
MEANINGS = (
    ("Missing output files", "not made yet"),
    ("Input files updated by another job", "what it reads is made anew"),
    ("Updated input files", "newer input"),
    ("Forced execution", "forced"),
    ("Incomplete output files", "not finished"),
    ("Set of input files has changed", "other input files"),
    ("Code has changed", "code changed"),
    ("Software environment definition has changed", "software changed"),
    ("Rules with a run or shell declaration but no output", "not made by name"),
)
PARAMS = "Params have changed since last execution"
_CHANGE = re.compile(r"(?:^|; )([A-Za-z_][\w./-]*)(?: \[\w+\])? (?=\S)")


class Plan:
    """Collects the jobs of a dry run and prints a table at its end.

    Parameters
    ----------
    stream : TextIO
        Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._counts: dict[str, int] = {}
        self._reasons: dict[str, Counter[str]] = defaultdict(Counter)

    def hear(self, record: logging.LogRecord) -> None:
        """Take note of a job; print what is none."""
        event, told = getattr(record, "event", None), vars(record)
        if event == LogEvent.RUN_INFO:
            self._counts = dict(told["stats"])
        elif event == LogEvent.JOB_INFO:
            self._reasons[told["rule_name"]].update({why(told["reason"]): 1})
        elif event in (None, LogEvent.ERROR) and not self._is_left_out(record):
            print(record.getMessage(), file=self._stream, flush=True)

    def close(self) -> None:
        """Print the table."""
        counts, self._counts = self._counts, {}
        if not counts:
            return
        total = counts.pop("total", sum(counts.values()))
        width = max(map(len, [*counts, "total"]))
        print("Job stats:", file=self._stream)  # headings and order as Snakemake has them
        print(f"{'job':{width}}  count  why", file=self._stream)
        print(f"{'-' * width}  -----  ---", file=self._stream)
        for rule, count in counts.items():
            self._stream.write(f"{rule:{width}}  {count:5d}  {self._told(rule)}".rstrip() + "\n")
        print(f"{'total':{width}}  {total:5d}", file=self._stream)
        print(
            "\nNothing was run (-n). Each job with its reason in full: with -p too.",
            file=self._stream,
            flush=True,
        )

    def _told(self, rule: str) -> str:
        """Why jobs of a rule would run; with their number where they differ."""
        reasons = self._reasons[rule].most_common()
        if len(reasons) == 1:
            return reasons[0][0]
        shown = [f"{reason} ({n})" for reason, n in reasons[:FEW]]
        rest = sum(n for _, n in reasons[FEW:])
        return "; ".join(shown + ([f"other reasons ({rest})"] if rest else []))

    @staticmethod
    def _is_left_out(record: logging.LogRecord) -> bool:
        """Reasons by rule follow in the table, as does what a dry run is."""
        said = record.getMessage()
        return is_left_out(record) or said.startswith(("Reasons:", "This was a dry-run"))


def why(reason: str) -> str:
    """A reason of Snakemake in a few words: 'not made yet', 'changed: code, seed'."""
    if (at := reason.find(PARAMS)) >= 0:
        before = reason[at:].partition("before: ")[2].partition(" now: ")[0]
        names = [*dict.fromkeys(_CHANGE.findall(before))] or ["settings"]
        more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
        return f"changed: {', '.join(names[:FEW])}{more}"
    for begins, means in MEANINGS:
        if begins in reason:
            return means
    return reason.partition(":")[0] or "asked for"
