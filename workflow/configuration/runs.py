"""Which folds and runs a configuration asks for, and the paths of their results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from configuration.ablations import DEFAULT, ablation_rows
from configuration.layouts import layout_of_dataset
from l2i.names import OFFICIAL

Config = dict[str, Any]


def datasets_that_are(config: Config, *, multi_label: bool) -> list[str]:
    """Data sets that run where any number of classes may be right in a clip, or one."""
    return [
        name
        for name in config["run"]["datasets"]
        if layout_of_dataset(config, name).multi_label == multi_label
    ]


def repeats(config: Config, dataset: str, system: str | None = None) -> list[tuple[Any, int]]:
    """Folds and runs of a data set: its folds with the first seed, or its one split with all.

    Only the first of them for systems that `run.single_run` names.
    """
    seeds, folds = config["run"]["seeds"], config["run"]["folds"]
    if layout_of_dataset(config, dataset).in_folds:
        found = [(fold, seeds[0]) for fold in folds]
    else:
        found = [(OFFICIAL, seed) for seed in seeds]
    return found[:1] if system in config["run"]["single_run"] else found


def over_runs(
    config: Config,
    pattern: str,
    datasets: Iterable[str] | None = None,
    systems: Iterable[str] | None = None,
) -> list[str]:
    """`pattern` for everything that the lists of `run:` ask for, each path once."""
    paths = {
        pattern.format(dataset=dataset, fold=fold, system=system, variant=DEFAULT, run=run): None
        for dataset in (config["run"]["datasets"] if datasets is None else datasets)
        for system in (config["run"]["systems"] if systems is None else systems)
        for fold, run in repeats(config, dataset, system)
    }
    return list(paths)


def over_folds(config: Config, pattern: str, datasets: Iterable[str] | None = None) -> list[str]:
    """`pattern` for every fold of every data set, and the first run."""
    run = config["run"]["seeds"][0]
    paths = {
        pattern.format(dataset=dataset, fold=fold, run=run): None
        for dataset in (config["run"]["datasets"] if datasets is None else datasets)
        for fold, _ in repeats(config, dataset)
    }
    return list(paths)


def once_per_fold(config: Config, pattern: str, systems: Iterable[str]) -> list[str]:
    """`pattern` for each fold of every data set, once: the first of `systems` there, its first run.

    Folds that none of them runs on are left out.
    """
    systems = list(systems)
    first: dict[tuple[str, Any], str] = {}
    for dataset in config["run"]["datasets"]:
        for system in systems:
            for fold, run in repeats(config, dataset, system):
                names = {"dataset": dataset, "fold": fold, "system": system, "run": run}
                first.setdefault((dataset, fold), pattern.format(variant=DEFAULT, **names))
    return list(first.values())


def of_first_run(config: Config, pattern: str, datasets: Iterable[str], system: str) -> list[str]:
    """`pattern` for the first fold and run of each data set."""
    return [over_runs(config, pattern, [dataset], [system])[0] for dataset in datasets]


def of_first_runs(
    config: Config, pattern: str, datasets: Iterable[str], systems: Iterable[str]
) -> list[str]:
    """The same for each of some systems."""
    datasets = list(datasets)
    return [path for name in systems for path in of_first_run(config, pattern, datasets, name)]


def over_first_folds(config: Config, pattern: str, datasets: Iterable[str]) -> list[str]:
    """The same of what belongs to no system: `pattern` once for each data set."""
    return [over_folds(config, pattern, [dataset])[0] for dataset in datasets]


def over_ablation(config: Config, pattern: str, table: str) -> list[str]:
    """`pattern` for the runs that a table or figure of ablations compares, each path once."""
    run, rows = config["run"]["seeds"][0], ablation_rows(config, table)
    return list(dict.fromkeys(pattern.format(run=run, **row) for row in rows))


def unablated(config: Config, pattern: str, table: str) -> list[str]:
    """`pattern` for the runs that a table of ablations begins from, without what it varies."""
    run, entries = config["run"]["seeds"][0], config["ablations"][table]
    names = ("dataset", "fold", "system")
    each = [{name: entry[name] for name in names} for entry in entries]
    return list(dict.fromkeys(pattern.format(run=run, variant=DEFAULT, **of) for of in each))
