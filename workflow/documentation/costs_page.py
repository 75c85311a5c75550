"""docs/run/costs.md: what the paper's configuration takes, by stage and data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from configuration.ablations import ablation_rows, dictionary_variant
from configuration.costs import WORK, Costs, Estimate
from configuration.layouts import layout_of_dataset
from configuration.reading import load_reference, read_configuration, resolved
from configuration.runs import repeats
from configuration.schema import load_schema
from configuration.values import typed
from documentation.places import DOCS, PROJECT

PAGE = DOCS / "run/costs.md"
GB = 1e9
STAGES = {
    "datasets and features": ("index_dataset", "cache_features"),
    "dictionary": ("learn_dictionary",),
    "classifier": ("train_classifier",),
    "systems": ("train_system",),
    "scores": tuple(rule for rule in WORK if rule.startswith(("measure_", "project_"))),
    "listening and atlases": (
        "choose_stimuli",
        "interpret_clips",
        "explain_by_slime",
        "explain_by_attribution",
        "sound_prototypes",
        "compose_atlas",
    ),
}


class Spending(NamedTuple):
    """Jobs of one stage on one data set."""

    n_jobs: int
    core_seconds: float
    gpu_seconds: float
    memory_bytes: float
    disk_bytes: float
    scratch_bytes: float
    beyond: float


def spending(costs: Costs, jobs: Iterable[tuple[str, Mapping[str, str]]]) -> Spending:
    """What some jobs take together; memory, scratch and reach of the largest of them."""
    each = [costs.of(rule, wildcards) for rule, wildcards in jobs]
    sums = (sum(getattr(e, name) for e in each) for name in ("core_seconds", "gpu_seconds"))
    core, gpu = sums
    return Spending(
        len(each),
        core,
        gpu,
        _most(each, "memory_bytes"),
        sum(e.disk_bytes for e in each),
        _most(each, "scratch_bytes"),
        _most(each, "beyond"),
    )


def _most(each: Iterable[Estimate], name: str) -> float:
    return max((getattr(e, name) for e in each), default=0.0)


def paper() -> dict[str, Any]:
    """The paper's configuration."""
    written = read_configuration([PROJECT / "config.yaml"], [])
    return typed(resolved(written.value), load_schema())


def jobs_of(config: dict[str, Any], dataset: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Rule and wildcards of the jobs that a run submits for a data set; see workflow/rules."""
    systems = config["systems"]
    all_folds = repeats(config, dataset)
    folds = dict.fromkeys(str(fold) for fold, _ in all_folds)
    first = {"fold": str(all_folds[0][0]), "run": str(all_folds[0][1]), "variant": "default"}
    here = {"dataset": dataset}
    yield "index_dataset", here
    yield "cache_features", here
    for fold in folds:
        of_fold = here | {"fold": fold}
        yield "learn_dictionary", of_fold | {"variant": "default"}
        yield "train_classifier", of_fold
        yield "measure_classifier", of_fold
        yield "explain_by_slime", of_fold | {"occasion": "listening", "run": first["run"]}
        yield (
            "compose_atlas",
            of_fold | first | {"fold": fold, "system": config["run"]["systems"][0]},
        )
    for system in config["run"]["systems"]:
        for fold, run in repeats(config, dataset, system):
            job = {"fold": str(fold), "run": str(run), "variant": "default", "system": system}
            yield from _of_system(here | job, systems[system]["measures"])
        if "faithfulness" in systems[system]["measures"]:
            yield "measure_masks", here | first | {"system": system}
    yield "measure_masks_of_classifier", here | first
    yield "explain_by_attribution", here | first | {"occasion": "listening"}
    heard = [name for name in config["run"]["systems"] if "sounds" in systems[name]["measures"]]
    if not layout_of_dataset(config, dataset).multi_label:
        corrupted = here | first | {"occasion": "corrupted"}
        for system in heard:
            yield "measure_corruption", here | first | {"system": system}
            yield "interpret_clips", corrupted | {"system": system}
        yield "measure_corruption_references", here | first
        yield "explain_by_slime", corrupted
    if config["datasets"][dataset]["paper_dataset"] != "esc50":  # Fig. 5
        yield "measure_relevances", here | first | {"system": heard[0]}
        yield "project_relevances", here | first | {"system": heard[0]}
    if dataset in config["listening_test"]["datasets"]:
        stimuli = here | first | {"occasion": "stimuli"}
        yield "choose_stimuli", stimuli
        yield "explain_by_slime", stimuli
        yield "interpret_clips", stimuli | {"system": heard[0]}
    yield from _of_ablations(config, dataset)


def _of_system(
    job: dict[str, str], measures: Iterable[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    yield "train_system", job
    of_measure = {
        "fidelity": "measure_fidelity",
        "faithfulness": "measure_faithfulness",
        "classification": "measure_system",
        "prototypes": "sound_prototypes",
        "sounds": "interpret_clips",
    }
    yield from ((of_measure[m], job) for m in measures)


def _of_ablations(config: dict[str, Any], dataset: str) -> Iterator[tuple[str, dict[str, str]]]:
    run, seen = str(config["run"]["seeds"][0]), set[str]()
    for table in config["ablations"]:
        for row in ablation_rows(config, table):
            if row["dataset"] != dataset or row["variant"] in seen | {"default"}:
                continue
            seen.add(row["variant"])
            names = ("dataset", "fold", "system", "variant")
            job = {name: row[name] for name in names} | {"run": run}
            if dictionary_variant(config, dataset, row["variant"]) != "default":
                yield "learn_dictionary", job
            yield "train_system", job
            yield "measure_fidelity", job
            if table == "sanity":
                plain = job | {"variant": "default"}
                yield "measure_sanity", plain
                yield "measure_relevances", plain
                for rule in ("interpret_clips", "measure_faithfulness", "measure_relevances"):
                    yield rule, job


def page() -> str:
    """The page, by what was measured and the configuration of today."""
    config, measured = paper(), load_reference("costs")
    costs = Costs(config)
    lines = [HEAD]
    for dataset in config["run"]["datasets"]:
        lines += _of_dataset(config, costs, dataset)
    lines += ["", *_systems(config, costs), "", TAIL, "", *_origin(measured)]
    return "\n".join(lines) + "\n"


def _of_dataset(config: dict[str, Any], costs: Costs, dataset: str) -> Iterator[str]:
    sizes = costs.job({"dataset": dataset}).sizes
    title = config["datasets"][dataset]["title"]
    yield ""
    yield f"## {title}"
    yield ""
    yield f"{sizes.n_clips} clips of {sizes.seconds:g} s, {sizes.n_frames} frames each."
    yield ""
    yield (
        "| stage | jobs | CPU alone, core hours | or GPU hours | peak memory | at hand | on disk | "
        "beyond |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    by_rule = defaultdict(list)
    for rule, wildcards in jobs_of(config, dataset):
        by_rule[rule].append((rule, wildcards))
    for stage, rules in STAGES.items():
        yield _row(stage, spending(costs, [job for rule in rules for job in by_rule[rule]]))
    yield _row("together", spending(costs, [job for jobs in by_rule.values() for job in jobs]))


def _row(name: str, spent: Spending) -> str:
    cells = [
        str(spent.n_jobs),
        _told(spent.core_seconds / 3600),
        _told(spent.gpu_seconds / 3600),
        f"{_told(spent.memory_bytes / GB)} GB",
        f"{_told(spent.scratch_bytes / GB)} GB",
        f"{_told(spent.disk_bytes / GB)} GB",
        f"{_told(spent.beyond)} x",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def _systems(config: dict[str, Any], costs: Costs) -> Iterator[str]:
    yield "## One training of each system"
    yield ""
    titles = [config["datasets"][d]["title"] for d in config["run"]["datasets"]]
    yield "Core hours on CPUs alone, with the trials of its grid."
    yield ""
    yield f"| system | {' | '.join(titles)} |"
    yield f"|---|{'---|' * len(titles)}"
    for system in config["run"]["systems"]:
        hours = []
        for dataset in config["run"]["datasets"]:
            fold, run = repeats(config, dataset)[0]
            job = {"dataset": dataset, "fold": str(fold), "system": system, "run": str(run)}
            hours.append(_told(costs.of("train_system", job).core_seconds / 3600))
        yield f"| {config['systems'][system]['title']} | {' | '.join(hours)} |"


def _told(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.2g}" if value >= 0.01 else "0"


def _listed(kinds: Iterable[str]) -> str:
    return ", ".join(f"`{kind}`" for kind in kinds)


def _origin(measured: Mapping[str, Any]) -> Iterator[str]:
    of_core = [kind for kind, law in measured["kinds"].items() if law.get("gpu", {}).get("of_core")]
    lent = [kind for kind, law in measured["kinds"].items() if law.get("cpu", {}).get("lent")]
    yield "## What was measured"
    yield ""
    yield f"Of a GPU **unknown**, and counted as the time of one core: {_listed(of_core)}."
    yield ""
    yield (
        "Too small where they were measured to tell what work takes, so at the rate of others: "
        f"{_listed(lent)}."
    )
    yield ""
    yield (
        "Sparse codes of the NMF systems are extrapolated from 64 components, by their square: "
        "take those hours for upper bounds. The first such job of a machine compiles for up to a "
        "minute besides."
    )
    yield ""
    for run in measured["runs"]:
        if "table" in run:
            yield f"- `{run['table']}`: training on ESC-10, one thread, medians over folds"
            continue
        where = ", ".join([*run["accelerators"], *run["machines"]])
        yield f"- run `{run['name']}` of {run['day']}, at {', '.join(run['commits'])}, on {where}"


HEAD = """\
# What the paper's tables take

<!-- Written by `python -m documentation costs`; do not edit. -->

Time, memory and disk of the paper's configuration, stage by stage. None of it was run as a whole:
**all of this is extrapolated** from small runs, by formulas of what each job does
(`workflow/configuration/costs.py`), and `beyond` says how many times the work of the largest job
of its kind that was measured on a CPU the largest of these is. Hours of a stage are those of all
its jobs, without the few seconds in which each starts; a job with four cores takes about a quarter
of its core hours. Memory and what is kept `at hand` (hidden maps: in memory where there is room,
else in a scratch file) are those of the largest job. GPU hours come from jobs that were too small
to keep a GPU busy: take them for upper bounds, on one H100. Of most scores and of NMF no GPU's rate
is known: they count as the time of one core there too, see [below](#what-was-measured).
CPUs differ by a factor of several, and yours may be any of them.

The same formulas decide what jobs [ask a cluster for](cluster.md), three times the time (twice
where jobs of a group take turns) and half as much memory again, at most four hours a job and 32 GB:
training that takes longer goes on from its checkpoint. `l2i plan` tells it of what you would
run."""

TAIL = """\
## Disk, and what may be deleted

Log magnitudes take most of it, and nobody reads them again once dictionaries, systems and scores
are there. `results/paper/features/DATASET/log_magnitude.npy` may then be removed, with its
`.digest` or without: for scores that are there, Snakemake still says that nothing is to be done
(tried on the demo). A job that needs spectra later has `cache_features` make both arrays anew
first, and plans with them the dictionary and the classifier that it reads: keep the spectra while
you still add systems."""
