"""What the jobs of a plan cost: by the records of earlier jobs of the run, else by formula."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any, NamedTuple

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

    def seconds(self, n_threads: int) -> float:
        """How long it takes with so many threads."""
        return self.gpu_seconds or self.core_seconds / n_threads


class Expenses:
    """What jobs have cost, by what they were of.

    Parameters
    ----------
    run : Run
        Whose records tell.
    """

    def __init__(self, run: Run) -> None:
        self._own: dict[tuple, Expense] = {}
        alike: dict[tuple, dict[tuple, Expense]] = defaultdict(dict)
        for path in run.results():
            record = run.record(str(run.root / path))
            if record is not None:
                wildcards, spent = record["wildcards"], _spent(record)
                self._own[_named(record["rule"], wildcards)] = spent
                alike[_kind(record["rule"], wildcards)][_named("", wildcards)] = spent
        self._alike = {kind: _in_the_middle(each.values()) for kind, each in alike.items()}

    def of(self, rule: str, wildcards: Mapping[str, str]) -> Expense | None:
        """What such a job has cost; None where none was ever done."""
        own = self._own.get(_named(rule, wildcards))
        return own or self._alike.get(_kind(rule, wildcards))


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
