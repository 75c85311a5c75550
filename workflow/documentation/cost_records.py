"""What jobs have taken, by the records of runs: the coefficients of `configuration.costs`.

For each kind of job, non-negative least squares of its seconds on a start, its steps of learning
and its work, of records of CPUs and of GPUs apart, relative errors counting alike; its memory on a
start and the size of a batch; the median of the bytes that it left.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import yaml
from scipy.optimize import nnls

from configuration.costs import Costs, Demands
from configuration.sizes import Sizes, sizes_of
from documentation.places import PROJECT
from l2i.checks import InputError

COSTS = PROJECT / "workflow/reference/costs.yaml"
HEAD = """\
# What jobs have taken: measured, and not to be edited. `python -m documentation costs RUN...` fits it
# to the records of the runs below; workflow/configuration/costs.py says what the units are.
#
# Of each kind of job seconds of one core (cpu) or with a GPU (gpu): start + a_step * steps of
# learning + a_unit * units of work; `largest`, the most units of a job that was measured, and how far
# the formula is off in the middle of all n. Peak memory in bytes: start + a_cell * cells of a batch.
"""


class Spent(NamedTuple):
    """One job, as its records tell."""

    demands: Demands
    on_gpu: bool
    core_seconds: float
    seconds: float
    memory_bytes: float
    gpu_memory_bytes: float
    disk_bytes: float


def fit(runs: Sequence[Path]) -> dict[str, Any]:
    """What workflow/reference/costs.yaml holds, by the records of some runs."""
    kinds: dict[str, list[Spent]] = defaultdict(list)
    for run in runs:
        for spent in jobs_of(run):
            kinds[spent.demands.kind].append(spent)
    return {
        "runs": [_about(run) for run in runs],
        "kinds": {kind: _fitted(jobs) for kind, jobs in sorted(kinds.items())},
    }


def write_costs(runs: Sequence[Path]) -> None:
    """Write it."""
    text = yaml.safe_dump(fit(runs), sort_keys=False, width=100)
    COSTS.write_text(f"{HEAD}\n{text}", encoding="utf-8")


def jobs_of(run: Path) -> list[Spent]:
    """The jobs of a run that worked on clips, or made tables, figures and pages.

    Raises
    ------
    InputError
        If the folder holds no run.
    """
    path = run / ".run/configuration.json"
    if not path.exists():
        raise InputError(f"{run} holds no run: {path} is missing; name a folder results/NAME")
    config = json.loads(path.read_text("utf-8"))
    for entry in config["datasets"].values():
        entry.setdefault("download", None)
    costs = Costs(config, {"kinds": {}}, _sizes_found(run, config))
    jobs: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
    for record in _records(run):
        jobs[record["rule"], *sorted(record["wildcards"].items())].append(record)
    return [_spent(costs, records) for records in jobs.values()]


def _records(run: Path) -> Iterable[dict[str, Any]]:
    for path in sorted(run.rglob(".records/*.json")):
        record = json.loads(path.read_text("utf-8"))
        if "rule" in record and "seconds" in record:
            yield record


def _sizes_found(run: Path, config: dict[str, Any]) -> dict[str, Sizes]:
    """Sizes by the tables of clips that a run has."""
    found = {}
    for dataset in config["run"]["datasets"]:
        index = run / f"datasets/{dataset}/index.csv"
        sizes = sizes_of(config, dataset)
        if index.exists():
            with index.open(encoding="utf-8") as lines:
                clips = [*csv.DictReader(lines)]
            if "fold" in clips[0]:
                n_test = sum(clip["fold"] == clips[0]["fold"] for clip in clips)
                n_train = len(clips) - n_test
                sizes = sizes._replace(n_clips=len(clips), n_train=n_train, n_test=n_test)
        found[dataset] = sizes
    return found


def _spent(costs: Costs, records: Sequence[Mapping[str, Any]]) -> Spent:
    record = records[0]
    runtime, accelerator = record["runtime"], record.get("accelerator") or {}
    gpu_memory = accelerator.get("peak_memory_bytes") or 0
    return Spent(
        costs.demands(record["rule"], record["wildcards"]),
        runtime["device"] == "cuda",
        record["seconds"] * runtime["n_threads"],
        record["seconds"],
        runtime["peak_memory_bytes"] or 0,
        gpu_memory,
        sum(each["output"].get("size_bytes") or 0 for each in records),
    )


def _about(run: Path) -> dict[str, Any]:
    records = [*_records(run)]
    hosts = {f"{r['host']['n_cores']} cores of {r['host']['cpu']}" for r in records}
    accelerators = {(r.get("accelerator") or {}).get("name") for r in records} - {None}
    return {
        "name": run.name,
        "commits": sorted({str((r.get("git") or {}).get("commit"))[:7] for r in records}),
        "day": max(r["finished_at"] for r in records)[:10],
        "machines": sorted(hosts),
        "accelerators": sorted(accelerators),
        "precisions": sorted({r["runtime"].get("precision") for r in records} - {None}),
    }


def _fitted(jobs: Sequence[Spent]) -> dict[str, Any]:
    cpu = [job for job in jobs if not job.on_gpu]
    gpu = [job for job in jobs if job.on_gpu]
    fitted: dict[str, Any] = {}
    if cpu:
        fitted["cpu"] = _law([job.demands for job in cpu], [job.core_seconds for job in cpu])
    if gpu:
        fitted["gpu"] = _law([job.demands for job in gpu], [job.seconds for job in gpu])
        fitted["gpu"]["memory_bytes"] = round(max(job.gpu_memory_bytes for job in gpu))
    cells = np.array([[1.0, job.demands.cells] for job in cpu or jobs])
    kept = [max(job.memory_bytes - job.demands.scratch, 1.0) for job in cpu or jobs]
    start, a_cell = _relative_nnls(cells, kept)
    fitted["memory"] = {"start": round(start), "a_cell": round(a_cell)}
    fitted["disk_bytes"] = round(median(job.disk_bytes for job in jobs))
    return fitted


def _law(demands: Sequence[Demands], seconds: Sequence[float]) -> dict[str, Any]:
    terms = np.array([[1.0, each.steps, each.work] for each in demands])
    law = _relative_nnls(terms, seconds)
    off = np.abs(terms @ law / np.maximum(seconds, 1e-3) - 1)
    named = dict(zip(("start", "a_step", "a_unit"), map(_rounded, law), strict=True))
    largest = max(each.work for each in demands)
    return named | {"largest": _rounded(largest), "n": len(seconds), "off": round(float(median(off)), 2)}


def _relative_nnls(terms: np.ndarray, values: Sequence[float]) -> np.ndarray:
    weights = 1 / np.maximum(np.asarray(values), 1e-3)
    scale = np.maximum(np.abs(terms * weights[:, None]).max(0), 1e-30)
    solution, _ = nnls(terms * weights[:, None] / scale, np.ones(len(terms)))
    return solution / scale


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
