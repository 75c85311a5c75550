"""What failed, in words: the job, the lines of its log that tell why, and where those stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

N_LINES, N_BYTES = 6, 64_000  # at most: lines that are shown, and the end of a log that is read
_UNTOLD = "its log ends without an error: was it killed, or was memory short?"
_STARTS = re.compile(r"--- start")  # of another attempt: what is above it has passed
_TELLS = re.compile(r"error: |job ended: ")
_RAISED = re.compile(r"[\w.]*(Error|Exception|Interrupt|Exit)\b")


@dataclass(frozen=True)
class Failure:
    """A job that failed, or a group of them."""

    words: str
    told: Sequence[str]  # lines of a log
    logs: Sequence[str]  # paths, that of the job before those of a cluster
    message: str = ""  # of whoever ran it

    @property
    def at_once(self) -> str:
        """What is said while a run goes on, which tells all at its end."""
        why = [line for line in [self.message, *self.told[:1]] if line]
        logs = [f"log: {self.logs[0]}"] if self.logs else []
        return "\n    ".join([f"FAILED: {self.words}", *why, *logs])

    def __str__(self) -> str:
        """Indented lines under one that says what failed."""
        told = [self.message, *self.told, *(f"log: {path}" for path in self.logs)]
        return "\n".join([f"FAILED: {self.words}", *(f"    {line}" for line in told if line)])


def failure_of(told: Mapping[str, Any], words: str | None = None) -> Failure:
    """What a record of Snakemake tells of a job that failed.

    Parameters
    ----------
    told : mapping
        `rule_name`, `log` (that of the job, then those of a cluster), `rule_msg` or `msg`.
    words : str, optional
        What the job does; by default the name of its rule.
    """
    logs = [str(path) for path in told["log"] or ()]
    message = " ".join(str(told.get("rule_msg") or "").split())
    return told_by(words or told["rule_name"], logs, message)


def told_by(words: str, logs: Sequence[str], message: str = "") -> Failure:
    """A failure with what its logs say, and that they give no reason where nothing does."""
    if not message and not any(map(has_failed, logs)):
        message = _UNTOLD
    return Failure(words, _first_telling(logs), logs, message)


def failures_of_group(told: Mapping[str, Any], words: Mapping[int, str]) -> Iterator[Failure]:
    """What a record tells of jobs that ran as one: those whose logs say that they failed.

    Where none does, the group is told of, with the log of the cluster.
    """
    of_cluster = [str(path) for path in told["aux_logs"]]
    jobs, found = told["job_error_info"], False
    for info in jobs:
        logs = [str(path) for path in info["log"]]
        if any(has_failed(path) for path in logs):
            found = True
            name = words.get(info["jobid"], info["rule_name"])
            yield told_by(name, [*logs, *of_cluster])
    if not found:
        names = ", ".join(words.get(info["jobid"], info["rule_name"]) for info in jobs[:3])
        more = f", and {len(jobs) - 3} more" if len(jobs) > 3 else ""
        yield Failure(f"{names}{more}", _first_telling(of_cluster), of_cluster)


def has_failed(log: str | Path) -> bool:
    """Whether the last attempt that a log tells of ended with an error."""
    return any(_TELLS.match(line) or _RAISED.match(line) for line in _last_attempt(log))


def telling_lines(log: str | Path) -> list[str]:
    """The last lines of a log that say why its job failed.

    That is the last `error:` and what follows it, else the exception at the end of a traceback,
    else the last lines that there are.
    """
    lines = _last_attempt(log)
    for pattern in (_TELLS, _RAISED):
        at = [i for i, line in enumerate(lines) if pattern.match(line)]
        if at:
            return lines[at[-1] :][:N_LINES]
    return lines[-N_LINES:]


def _first_telling(logs: Sequence[str]) -> list[str]:
    return next((lines for path in logs if (lines := telling_lines(path))), [])


def _last_attempt(log: str | Path) -> list[str]:
    """Lines of a log, without empty ones, from where the last attempt began."""
    try:
        with open(log, "rb") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - N_BYTES, 0))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    begins = [i + 1 for i, line in enumerate(lines) if _STARTS.match(line)]
    return lines[begins[-1] if begins else 0 :]
