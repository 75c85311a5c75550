"""How far a run has come, and how long it may take; pure of any output."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

# What must have been seen before a guess is worth its place.
ENOUGH_JOBS, ENOUGH_SECONDS = 5, 20.0
ALL = "all"  # the rule that only names what is wanted


@dataclass
class Job:
    """A job under way."""

    rule: str
    words: str
    wildcards: Mapping[str, str]
    log: str | None
    began: float
    bar: str = ""  # how far it says that it is


@dataclass
class Run:
    """Jobs that are to come, under way, done and failed.

    Times are seconds of one clock, any clock.
    """

    began: float
    total: int = 0
    done: int = 0
    under_way: dict[int, Job] = field(default_factory=dict)
    failed: list[Job] = field(default_factory=list)
    _to_come: Counter[str] = field(default_factory=Counter)
    _seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _first_began: float | None = None

    def plan(self, counts: Mapping[str, int]) -> None:
        """Take note of how many jobs of which rule there are."""
        self._to_come = Counter({rule: n for rule, n in counts.items() if rule != "total"})
        self.total = sum(self._to_come.values())

    def start(self, number: int, job: Job) -> None:
        """A job begins, or was handed to a cluster."""
        self.under_way[number] = job
        self._to_come[job.rule] -= 1
        if self._first_began is None:
            self._first_began = job.began

    def finish(self, number: int, now: float) -> None:
        """A job has succeeded."""
        self.done += 1
        job = self.under_way.pop(number, None)
        if job is not None and job.rule != ALL:
            self._seconds[job.rule].append(now - job.began)

    def fail(self, number: int) -> Job | None:
        """A job has failed; it may be tried again."""
        job = self.under_way.pop(number, None)
        if job is not None:
            self.failed.append(job)
            self._to_come[job.rule] += 1
        return job

    def seconds_left(self, now: float) -> float | None:
        """How long the rest may take; None while nothing can be said of that.

        Each job is taken to last as long as those of its rule before it, or as all before it on
        average where it is the first, and as many to be under way at a time as until now.
        """
        lasted = [seconds for each in self._seconds.values() for seconds in each]
        if self._first_began is None or len(lasted) < ENOUGH_JOBS:
            return None
        wall = now - self._first_began
        if wall < ENOUGH_SECONDS:
            return None
        usual = sum(lasted) / len(lasted)

        def expected(rule: str) -> float:
            known = self._seconds.get(rule)
            return 0.0 if rule == ALL else sum(known) / len(known) if known else usual

        waiting = sum(max(n, 0) * expected(rule) for rule, n in self._to_come.items())
        jobs = self.under_way.values()
        running = sum(max(expected(job.rule) - (now - job.began), 0) for job in jobs)
        busy = sum(lasted) + sum(now - job.began for job in jobs)
        return (waiting + running) / max(busy / wall, 1.0)


def clock(seconds: float) -> str:
    """A time that has passed: '0:07', '1:02:09'."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def about(seconds: float | None) -> str:
    """A time that is guessed: 'about 4 min left', or nothing."""
    if seconds is None:
        return ""
    if seconds < 50:
        return "less than a minute left"
    if seconds < 100 * 60:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.0f} h left"
