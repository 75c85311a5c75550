"""What the jobs of a plan cost: by the records of earlier jobs of the run, else by formula."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any, NamedTuple

from configuration.costs import Costs
from l2i.provenance.runs import Run

# How a job is known: by its own record, by those of its rule, data set and system, or by formula.
OWN, ALIKE, FORMULA = "own_record", "jobs_alike", "formula"
# What may differ between jobs that cost as much.
REPEATED = {"fold", "run", "variant"}


class Expense(NamedTuple):
    """What a job takes; without the seconds in which Snakemake and Python start."""

    core_seconds: float  # of a job on a GPU, of the cores that feed it
    gpu_seconds: float
    by: str  # OWN, ALIKE or FORMULA
    beyond: float = 0.0  # by FORMULA: its work by that of the largest job that was measured

    def seconds(self, n_threads: int) -> float:
        """How long it takes with so many threads."""
        return self.gpu_seconds or self.core_seconds / n_threads

    def times(self, factor: float) -> Expense:
        """That of so many times the work."""
        cores, gpus = factor * self.core_seconds, factor * self.gpu_seconds
        return self._replace(core_seconds=cores, gpu_seconds=gpus)


class Expenses:
    """What jobs have cost, by what they were of.

    Where settings have changed since the run was asked for last, what its records tell is brought
    to today's by the formula.

    Parameters
    ----------
    run : Run
        Whose records tell.
    configuration : dict
        Today's.
    on_gpu : bool
        Whether jobs that can use a GPU have one. Records of those that ran without one tell
        nothing then, and the other way round.
    """

    def __init__(self, run: Run, configuration: dict[str, Any], *, on_gpu: bool) -> None:
        self._today, self._on_gpu = Costs(configuration), on_gpu
        self._then = Costs(run.configuration or configuration)
        self._own: dict[tuple, Expense] = {}
        alike: dict[tuple, dict[tuple, Expense]] = defaultdict(dict)
        for path in run.results():
            record = run.record(str(run.root / path))
            if record is not None and self._tells(record):
                wildcards, spent = record["wildcards"], _spent(record)
                self._own[_named(record["rule"], wildcards)] = spent
                alike[_kind(record["rule"], wildcards)][_named("", wildcards)] = spent
        self._alike = {kind: _in_the_middle(each.values()) for kind, each in alike.items()}

    def of(self, rule: str, wildcards: Mapping[str, str]) -> Expense:
        """What such a job costs."""
        today = self._today.of(rule, wildcards)
        own = self._own.get(_named(rule, wildcards)) or self._alike.get(_kind(rule, wildcards))
        if own is not None:
            return own.times(self._growth(rule, wildcards))
        if self._on_gpu and today.gpu_seconds:
            return Expense(today.gpu_seconds, today.gpu_seconds, FORMULA, today.beyond)
        return Expense(today.core_seconds, 0.0, FORMULA, today.beyond)

    def _growth(self, rule: str, wildcards: Mapping[str, str]) -> float:
        """Work of a job by what it would have been under the settings of then."""
        today = self._today.of(rule, wildcards).core_seconds
        try:
            then = self._then.of(rule, wildcards).core_seconds
        except LookupError:  # nor data set nor variant of that name
            return 1.0
        return today / then if then and today else 1.0

    def _tells(self, record: Mapping[str, Any]) -> bool:
        was_on_gpu = record["runtime"]["device"] == "cuda"
        return was_on_gpu == self._on_gpu or not self._can_use_gpu(record)

    def _can_use_gpu(self, record: Mapping[str, Any]) -> bool:
        try:
            return self._today.of(record["rule"], record["wildcards"]).gpu_seconds > 0
        except LookupError:
            return False


def _spent(record: Mapping[str, Any]) -> Expense:
    seconds, runtime = record["seconds"], record["runtime"]
    on_gpu = seconds if runtime["device"] == "cuda" else 0.0
    return Expense(seconds * runtime["n_threads"], on_gpu, OWN)


def _in_the_middle(found: Iterable[Expense]) -> Expense:
    each = [*found]
    cores, gpus = (median(getattr(e, name) for e in each) for name in Expense._fields[:2])
    return Expense(cores, gpus, ALIKE)


def _named(rule: str, wildcards: Mapping[str, str]) -> tuple:
    return (rule, *sorted(wildcards.items()))


def _kind(rule: str, wildcards: Mapping[str, str]) -> tuple:
    return _named(rule, {name: v for name, v in wildcards.items() if name not in REPEATED})
