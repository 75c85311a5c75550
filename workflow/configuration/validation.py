"""Check of the configuration as a whole: its form by a schema, then what its keys say together."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

from configuration.ablations import ablation_rows
from configuration.dataset_validation import contradictions_of_dataset
from configuration.layouts import layout_of_dataset
from configuration.reading import addresses, located
from configuration.schema import explain, undefined, validator
from configuration.system_validation import contradictions_of_system, contradictions_of_varied
from configuration.systems import METHODS
from l2i.checks import raise_all
from l2i.names import OFFICIAL, TITLES
from l2i.provenance.fingerprints import canonical_json


def validate_config(config: dict[str, Any], places: Mapping[str, str] | None = None) -> None:
    """Raise one InputError that lists everything wrong with the configuration.

    Parameters
    ----------
    config : dict
        From :func:`configuration.values.typed`.
    places : mapping, optional
        File and line that say what stands under a key, for the messages.
    """
    # Each step takes for granted what the one before has found in order.
    problems = (
        list(_beyond_json(config))
        or [line for error in validator("config").iter_errors(config) for line in explain(error)]
        or list(_contradictions(config))
    )
    raise_all(
        [located(line, places or {}) for line in sorted(set(problems))],
        "configuration (config.yaml and its overlays)",
    )


def _beyond_json(value: Any, place: str = "") -> Iterator[str]:
    """What YAML can write and neither the schema nor a record can hold."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str):
                yield from _beyond_json(item, f"{place}.{key}".lstrip("."))
            else:
                kind = type(key).__name__
                yield (
                    f"{place or 'the file'} has the key {key!r}, which YAML reads as {kind}; keys "
                    "must be texts: choose a name that starts with a letter, or put it in quotes"
                )
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _beyond_json(item, f"{place}[{i}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{place} is {value}, but must be a finite number"


def _contradictions(config: dict[str, Any]) -> Iterator[str]:
    run, features, evaluation = config["run"], config["features"], config["evaluation"]
    yield from undefined("run.datasets", run["datasets"], "datasets", config["datasets"])
    yield from undefined("run.systems", run["systems"], "systems", config["systems"])
    yield from undefined("run.single_run", run["single_run"], "systems", config["systems"])
    downloads = "workflow/reference/downloads.yaml"
    yield from undefined("machine.urls", config["machine"]["urls"], downloads, addresses())
    data = config["machine"]["data"]
    if data.startswith("~") and os.path.expanduser(data) == data:
        yield f"machine.data is {data!r}, but there is no such home: give the folder's full path"
    yield from _shared_titles(config)
    if features["hop_length"] > features["n_fft"] // 2:
        yield "features.hop_length must be at most half of features.n_fft: frames must overlap"
    of_datasets = [
        line for name in config["datasets"] for line in contradictions_of_dataset(name, config)
    ]
    yield from of_datasets
    for name in config["systems"]:
        yield from contradictions_of_system(name, config)
    for table, entries in config["ablations"].items():
        if of_datasets:
            break  # layouts may be unknown
        for i, entry in enumerate(entries):
            yield from _contradictions_of_ablation(f"ablations.{table}[{i}]", entry, config)
        yield from _repeated_rows(table, config)
    if not of_datasets:
        yield from _contradictions_of_sanity(config)
    yield from _contradictions_of_listening_test(config)
    if evaluation["random"]["threshold"] not in evaluation["thresholds"]:
        yield "evaluation.random.threshold must be one of evaluation.thresholds"


def _shared_titles(config: dict[str, Any]) -> Iterator[str]:
    """Two rows or columns of one table that would be called the same."""
    named = [(f"systems.{name}", entry["title"]) for name, entry in config["systems"].items()]
    for name, entry in config["systems"].items():
        if "as_classifier" in entry:
            named.append((f"systems.{name}.as_classifier", entry["as_classifier"]["title"]))
    taken = {title: f"{name} of l2i.names" for name, title in TITLES.items()}
    taken |= {title: f"{name} of evaluation.masks.methods" for name, title in METHODS.items()}
    for place, title in named:
        if title in taken:
            yield f"{place}.title is {title!r}, as that of {taken[title]}: choose another"
        taken.setdefault(title, place)


def _repeated_rows(table: str, config: dict[str, Any]) -> Iterator[str]:
    """Runs that the table could not tell apart."""
    entries = config["ablations"][table]
    if any(e["dataset"] not in config["datasets"] for e in entries):
        return
    if any(e["system"] not in config["systems"] for e in entries):
        return
    seen = set()
    for row in ablation_rows(config, table):
        key = row["dataset"], row["system"], canonical_json(row["condition"])
        if key in seen:
            yield (
                f"ablations.{table} asks twice for {row['condition']} of {row['system']} on "
                f"{row['dataset']}: keep one"
            )
        seen.add(key)


def _contradictions_of_sanity(config: dict[str, Any]) -> Iterator[str]:
    """Systems that cannot be checked, or would be checked twice."""
    seen = set()
    for i, entry in enumerate(config["ablations"]["sanity"]):
        place, dataset = f"ablations.sanity[{i}]", entry["dataset"]
        if dataset in config["datasets"] and layout_of_dataset(config, dataset).multi_label:
            yield (
                f"{place}.dataset is {dataset}, in which any number of classes may be right in a "
                "clip: sanity checks are of decisions for one class; take this entry out"
            )
        key = dataset, entry["system"]
        if key in seen:
            yield f"{place} asks twice for {entry['system']} on {dataset}: keep one"
        seen.add(key)


def _contradictions_of_ablation(
    place: str, entry: dict[str, Any], config: dict[str, Any]
) -> Iterator[str]:
    name, run = entry["dataset"], config["run"]
    yield from undefined(f"{place}.system", [entry["system"]], "systems", config["systems"])
    if name not in run["datasets"] or name not in config["datasets"]:
        yield (
            f"{place}.dataset is {name}, which run.datasets does not hold: add it there, or take "
            "this entry out"
        )
    elif not layout_of_dataset(config, name).in_folds:
        if entry["fold"] != OFFICIAL:
            yield f"{place}.fold must be {OFFICIAL}: {name} has one split and no folds"
    elif entry["fold"] not in run["folds"]:
        yield f"{place}.fold is {entry['fold']}, but must be one of run.folds"
    yield from contradictions_of_varied(place, entry, config)


def _contradictions_of_listening_test(config: dict[str, Any]) -> Iterator[str]:
    place, test = "listening_test", config["listening_test"]
    yield from undefined(f"{place}.datasets", test["datasets"], "datasets", config["datasets"])
    for name in [name for name in test["systems"] if name != "slime"]:
        yield from undefined(f"{place}.systems", [name], "systems", config["systems"])
        if "sounds" not in config["systems"].get(name, {"measures": ["sounds"]})["measures"]:
            yield (
                f"{place}.systems names {name}, whose interpretations are no sounds: name slime, "
                "or a system with sounds among its measures"
            )
