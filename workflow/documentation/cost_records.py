"""What jobs have taken, by the records of runs: the coefficients of `configuration.costs`.

For each kind of job, non-negative least squares of its seconds on a start, its pieces (steps of
learning, sounds) and its work, of records of CPUs and of GPUs apart, relative errors counting
alike; its memory on a start and the size of a batch; the most bytes that one left. Where jobs were
of one size, about, or small, what they tell of larger ones is wrong: see `_terms` and `_lend`.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import yaml
from scipy.optimize import nnls

from configuration.costs import WORK, Costs, Demands
from configuration.reading import load_reference, read_configuration, resolved
from configuration.schema import load_schema
from configuration.sizes import Sizes, sizes_of
from configuration.values import typed
from documentation.cost_trials import trials
from documentation.places import PROJECT
from l2i.checks import InputError

COSTS = PROJECT / "workflow/reference/costs.yaml"
TABLE = PROJECT / "docs/measured/esc10/cost.csv"  # of jobs of one thread
CLASSIFIER = "base_f"  # as tables call it
# Kinds of jobs whose work is no network's.
NO_NETWORK = {"cache_features", "index_dataset", "learn_dictionary", "project_relevances"}
NO_NETWORK |= {"train_system/nmf_linear", "train_system/tdl_nmf", "interpret_clips"}
NO_NETWORK |= {"sound_prototypes", "choose_stimuli"}
NMF_SYSTEMS = ("train_system/tdl_nmf", "train_system/nmf_linear")  # first, where codes are most
CPU_ALONE = {"index_dataset", "project_relevances", "choose_stimuli"}
SMALL = 1000  # units: of an epoch of ESC-10, about
ALIKE = 3  # jobs whose largest has less than so many times the pieces of the smallest
COEFFICIENTS = ("start", "a_piece", "a_unit")
FEW_CELLS = 2  # of a batch: ten times the demo's are of one at full width
HEAD = """\
# What jobs have taken: measured, and not to be edited. `python -m documentation costs RUN...` fits
# it to records of the runs below; workflow/configuration/costs.py says what the units are.
#
# Of each kind of job seconds of one core (cpu) or with a GPU (gpu): start + a_piece * pieces (steps
# of learning, 10^3 s of sound) + a_unit * units of work. `largest`: most units of a job that was
# measured; `error`: how far the formula is off, in the middle of all n; `lent`: the rate of other
# kinds; `of_core`: of a GPU unknown, so what a core takes. Peak memory in bytes: start + a_cell *
# cells of a batch.
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


def fit(runs: Sequence[Path], measured_trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What workflow/reference/costs.yaml holds, by the records of some runs and by trials."""
    kinds: dict[str, list[Spent]] = defaultdict(list)
    for spent in [*(each for run in runs for each in jobs_of(run)), *jobs_of_table()]:
        kinds[spent.demands.kind].append(spent)
    fitted = {kind: _fitted(kind, jobs) for kind, jobs in sorted(kinds.items())}
    for trains in (True, False):  # in bfloat16 where that is faster, and in float32
        law_of = {
            kind: law
            for kind, law in fitted.items()
            if kind not in NO_NETWORK and kind.startswith("train_") == trains
        }
        _lend({kind: law["cpu"] for kind, law in law_of.items() if "cpu" in law}, kinds, median)
        # On GPUs of small jobs alone, none of which keeps it busy.
        of_gpu = {kind: law["gpu"] for kind, law in law_of.items() if "gpu" in law}
        _lend(of_gpu, kinds, min, on_gpu=True)
        _lend_memory({kind: law["memory"] for kind, law in law_of.items()}, kinds)
    _lend_to_nmf(fitted, kinds)
    for kind, law in fitted.items():
        _count_as_core(kind, law, kinds[kind])
    measured = [*map(_about, runs), {"table": str(TABLE.relative_to(PROJECT))}]
    return {"runs": measured, "kinds": fitted, "trials": list(measured_trials)}


def _lend_to_nmf(laws: Mapping[str, Any], kinds: Mapping[str, Sequence[Spent]]) -> None:
    """Give NMF systems the sweeps of dictionaries, and what sparse codes took where most are made.

    The first of them compiles the search for codes, up to a minute that would count as its work.
    """
    if not {"learn_dictionary", *NMF_SYSTEMS} <= {*laws}:
        return
    given = {"a_unit": laws["learn_dictionary"]["cpu"]["a_unit"]}
    for kind in NMF_SYSTEMS:
        law = laws[kind]["cpu"] = _law_of(kinds[kind], False, given) | {"lent": True}
        given["a_piece"] = law["a_piece"]


def _count_as_core(kind: str, law: dict[str, Any], jobs: Sequence[Spent]) -> None:
    """Where no GPU has told what work takes on it, it counts as what it takes on a core."""
    core, gpu = law.get("cpu"), law.get("gpu")
    if core is None or kind.split("/")[0] not in {*WORK} - CPU_ALONE:
        return
    if gpu is None:
        law["gpu"] = core | {"of_core": True}
    elif kind in NO_NETWORK or not 0 < gpu["a_unit"] <= core["a_unit"]:
        rates = {name: core[name] for name in ("a_piece", "a_unit")}
        law["gpu"] = gpu | _law_of(jobs, True, rates) | {"of_core": True}
        law["gpu"].pop("lent", None)


def _lend(
    laws: Mapping[str, dict[str, Any]],
    kinds: Mapping[str, Sequence[Spent]],
    chosen: Callable[[Iterable[float]], float],
    *,
    on_gpu: bool = False,
) -> None:
    """Give kinds whose jobs were too small to tell what a network's work takes another's rate.

    It is the one that is `chosen` of the five kinds of the largest jobs. What else the jobs took
    is fitted anew, so that nothing counts twice.
    """
    sure = [law for law in laws.values() if law["a_unit"]]
    if not on_gpu:
        sure = [law for law in sure if law["largest"] >= SMALL]
    if not sure:
        return
    largest = sorted(sure, key=lambda law: law["largest"])[-5:]
    rate = chosen(law["a_unit"] for law in largest)
    for kind, law in laws.items():
        small = law["largest"] < SMALL and law["a_unit"] > rate
        if law["largest"] and (small or not law["a_unit"]):
            law |= _law_of(kinds[kind], on_gpu, {"a_unit": rate}) | {"lent": True}


def _lend_memory(laws: Mapping[str, dict[str, Any]], kinds: Mapping[str, Sequence[Spent]]) -> None:
    """Give kinds whose batches were all small the most that a cell took of others."""
    few = {kind for kind in laws if max(job.demands.cells for job in kinds[kind]) < FEW_CELLS}
    a_cell = max((law["a_cell"] for kind, law in laws.items() if kind not in few), default=0)
    for kind in few:
        jobs = kinds[kind]
        start = max(_kept(job) - a_cell * job.demands.cells for job in jobs)
        laws[kind] |= {"start": round(max(start, 0.0)), "a_cell": a_cell, "lent": True}


def write_costs(runs: Sequence[Path], *, anew: bool) -> None:
    """Write it, with trials taken anew or those that are there: the same runs, the same bytes."""
    kept = trials() if anew else load_reference("costs")["trials"]
    text = yaml.safe_dump(fit(runs, kept), sort_keys=False, width=100)
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
    for entry in config["datasets"].values():  # as they were called before
        entry["download"] = entry["download"].replace("demo_", "synthetic_")
    costs = Costs(config, {"kinds": {}}, _sizes_found(run, config))
    jobs: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
    for record in _records(run):
        jobs[record["rule"], *sorted(record["wildcards"].items())].append(record)
    return [_spent(costs, records) for records in jobs.values()]


def jobs_of_table() -> list[Spent]:
    """What training cost on ESC-10, by the table of costs of docs/measured: medians over folds."""
    paths = [PROJECT / "config.yaml", PROJECT / "config/esc10.yaml"]
    config = typed(resolved(read_configuration(paths, {}).value), load_schema())
    costs = Costs(config, {"kinds": {}})
    spent = []
    for row in csv.DictReader(TABLE.open(encoding="utf-8")):
        of_fold = {"dataset": row["dataset"], "fold": "1"}
        rule = "train_classifier" if row["system"] == CLASSIFIER else "train_system"
        wildcards = of_fold | {"system": row["system"], "variant": "default", "run": "0"}
        demands = costs.demands(rule, of_fold if rule == "train_classifier" else wildcards)
        seconds, memory = float(row["seconds"]), float(row["peak_memory_bytes"])
        spent.append(Spent(demands, False, seconds, seconds, memory, 0.0, 0.0))
    return spent


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
    seconds = max(record["seconds"], _seconds_of_epochs(record))
    gpu_memory = accelerator.get("peak_memory_bytes") or 0
    return Spent(
        costs.demands(record["rule"], record["wildcards"]),
        runtime["device"] == "cuda",
        seconds * runtime["n_threads"],
        seconds,
        runtime["peak_memory_bytes"] or 0,
        gpu_memory,
        sum(each["output"].get("size_bytes") or 0 for each in records),
    )


def _seconds_of_epochs(record: Mapping[str, Any]) -> float:
    """Of all epochs: a job that went on from a checkpoint counts from its last start alone."""
    settings, facts = record["settings"], record.get("facts") or {}
    how = settings.get("system_settings") or settings.get("classifier") or {}
    n_epochs = facts.get("n_epochs") or how.get("n_epochs") or 0
    return n_epochs * (facts.get("seconds_per_epoch") or 0.0)


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


def _fitted(kind: str, jobs: Sequence[Spent]) -> dict[str, Any]:
    cpu = any(not job.on_gpu for job in jobs)
    gpu = any(job.on_gpu for job in jobs)
    fitted: dict[str, Any] = {}
    if cpu:
        fitted["cpu"] = _law_of(jobs, False)
        if kind in CPU_ALONE and not fitted["cpu"]["a_unit"]:
            fitted["cpu"] = _law_of(jobs, False, {"start": 0.0})
    if gpu:
        fitted["gpu"] = _law_of(jobs, True)
        fitted["gpu"]["memory_bytes"] = round(max(job.gpu_memory_bytes for job in jobs))
    start, a_cell = _law_of_memory(jobs)
    fitted["memory"] = {"start": round(start), "a_cell": round(a_cell)}
    fitted["disk_bytes"] = round(max(job.disk_bytes for job in jobs))
    return fitted


def _law_of(
    jobs: Sequence[Spent], on_gpu: bool, given: Mapping[str, float] | None = None
) -> dict[str, Any]:
    there = [job for job in jobs if job.on_gpu == on_gpu]
    seconds = [job.seconds if on_gpu else job.core_seconds for job in there]
    return _law([job.demands for job in there], seconds, given)


def _law_of_memory(jobs: Sequence[Spent]) -> tuple[float, float]:
    """Raised until no job that was measured is above it."""
    cells = np.array([[1.0, job.demands.cells] for job in jobs])
    kept = np.array([_kept(job) for job in jobs])
    start, a_cell = _relative_nnls(cells, kept)
    return start + max(0.0, (kept - cells @ [start, a_cell]).max()), a_cell


def _kept(job: Spent) -> float:
    return max(job.memory_bytes - job.demands.scratch, 1.0)


def _law(
    demands: Sequence[Demands],
    seconds: Sequence[float],
    given: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """What a start, a piece and a unit of work take, but for those that are given."""
    terms, known = _terms(demands), given or {}
    if "a_piece" in known:  # what is left grows with nothing
        terms[:, 0] = 1.0
    law = np.array([known.get(name, 0.0) for name in COEFFICIENTS])
    free = [i for i, name in enumerate(COEFFICIENTS) if name not in known]
    left = np.maximum(np.asarray(seconds) - terms @ law, 0.0)
    law[free] = _relative_nnls(terms[:, free], seconds, left)
    off = np.abs(terms @ law / np.maximum(seconds, 1e-3) - 1)
    named: dict[str, Any] = dict(zip(COEFFICIENTS, map(_rounded, law), strict=True))
    largest = max(each.work for each in demands)
    return named | {
        "largest": _rounded(largest),
        "n": len(seconds),
        "error": round(float(median(off)), 2),
    }


def _terms(demands: Sequence[Demands]) -> np.ndarray:
    """A row of each job. Of jobs that are alike nothing counts as a start.

    It would stay as small however large another one is.
    """
    pieces = [each.pieces for each in demands]
    start = 0.0 if min(pieces) > 0 and max(pieces) < ALIKE * min(pieces) else 1.0
    return np.array([[start, each.pieces, each.work] for each in demands])


def _relative_nnls(
    terms: np.ndarray, values: Sequence[float] | np.ndarray, left: np.ndarray | None = None
) -> np.ndarray:
    """Of `left`, which is by default all of the values; errors count by the values."""
    known = np.maximum(np.asarray(values), 1e-3)
    scale = np.maximum(np.abs(terms / known[:, None]).max(0), 1e-30)
    wanted = np.ones(len(terms)) if left is None else left / known
    solution, _ = nnls(terms / known[:, None] / scale, wanted)
    return solution / scale


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
