"""What of a system does not fit together, or fits neither its module nor the data sets."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from configuration.ablations import changes_of
from configuration.schema import load_schema, rule_of, undefined, validator_of
from configuration.systems import (
    COMMON,
    METHODS,
    OPTIONAL,
    REFERENCES,
    Description,
    description_of,
    settings_on,
)
from l2i.names import CLASSIFIER, RANDOM

# Rows and folders that are no system of the configuration.
RESERVED = (CLASSIFIER, *METHODS, *REFERENCES, "references")


def contradictions_of_system(name: str, config: dict[str, Any]) -> Iterator[str]:
    """What does not fit together in a system, or with its module and the data sets that run."""
    entry, place = config["systems"][name], f"systems.{name}"
    needs, measures = set(entry["needs"]), set(entry["measures"])
    if name in RESERVED or name.startswith(RANDOM):
        yield f"{place} has a name that means something else in tables and folders: choose another"
    if ("classifier" in needs) == ("classification" in measures) or ("fidelity" in measures) != (
        "classifier" in needs
    ):
        yield (
            f"{place}.measures must hold fidelity where needs holds classifier, and else "
            "classification: a system follows a classifier, or predicts by itself"
        )
    yield from _contradictions_of_rows(name, config)
    yield from undefined(
        f"{place}.by_dataset", entry.get("by_dataset", {}), "datasets", config["datasets"]
    )
    try:
        module = description_of(entry["module"])
    except ValueError as error:
        yield f"{place}.module: {error}"
        return
    if needs not in [set(possible) for possible in module.needs]:
        possible = " or ".join(str(each) for each in module.needs)
        yield f"{place}.needs is {entry['needs']}, but {entry['module']} can do with {possible}"
    for measure in sorted(measures - set(module.measures)):
        yield (
            f"{place}.measures holds {measure}, but {entry['module']} gives "
            f"{', '.join(module.measures)}"
        )
    found = [
        line
        for dataset in config["run"]["datasets"]
        if dataset in config["datasets"]
        for line in _contradictions_of_settings(place, name, dataset, module, config)
    ]
    yield from dict.fromkeys(found)  # what is wrong on all data sets is said once


def _contradictions_of_rows(name: str, config: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the row of a system among the classifiers of Table VIII."""
    entries = config["systems"]
    row = entries[name].get("as_classifier", {}).get("name")
    if row is None:
        return
    place = f"systems.{name}.as_classifier"
    if "classifier" not in entries[name]["needs"]:
        yield f"{place} is for systems with fidelity: take it out"
    others = [e.get("as_classifier", {}).get("name") for n, e in entries.items() if n != name]
    if row in {*entries, *RESERVED, *others}:
        yield f"{place}.name is {row}, which is another row of Table VIII: choose another name"


def _contradictions_of_settings(
    place: str, name: str, dataset: str, module: Description, config: dict[str, Any]
) -> Iterator[str]:
    entry = config["systems"][name]
    grid, known = entry.get("grid", {}), module.settings | COMMON
    said = entry.get("settings", {}) | entry.get("by_dataset", {}).get(dataset, {})
    for key in sorted(grid.keys() & said.keys()):
        yield (
            f"{place}.grid names {key}, which settings or by_dataset give as well: write "
            f"grid: {{{key}: [{said[key]}]}} for one value, or take {key} out of the others"
        )
    if "precision" in grid:
        yield f"{place}.grid cannot name precision: put it into settings"
    try:
        settings = settings_on(config, dataset, name)
    except KeyError as error:
        yield f"{place} takes a setting from datasets.{dataset}, but {error.args[0]}"
        return
    given = {key: [value] for key, value in settings.items()} | grid
    for key, values in given.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            yield (
                f"{place} has the setting {key}, which its module does not know; {hint}it knows "
                f"{', '.join(known)}"
            )
            continue
        kind, meaning = known[key]
        schema = {"enum": kind} if isinstance(kind, list) else load_schema()["$defs"].get(kind)
        if schema is None:
            yield f"workflow/l2i/systems/{entry['module']}.py: {key} is of no known kind: {kind}"
            continue
        for value in values:
            for wrong in validator_of(schema, load_schema()).iter_errors(value):
                inside = "".join(f"[{part}]" for part in wrong.path)
                rule = rule_of(wrong)
                yield f"{place}: {key}{inside} is {wrong.instance!r}, but {rule} ({meaning})"
            if kind == "weight_by_epoch":
                yield from _epochs_out_of_order(f"{place}: {key}", value)
    for key, (_, meaning) in known.items():
        if key not in given and not meaning.startswith(OPTIONAL):
            yield f"{place} lacks the setting {key}: {meaning}"


def _epochs_out_of_order(place: str, weights: Any) -> Iterator[str]:
    """What is wrong with pairs of a first epoch and a weight, whose form may be wrong, too."""
    pairs = weights if isinstance(weights, list) else []
    epochs = [pair[0] for pair in pairs if isinstance(pair, list) and pair]
    if not all(type(epoch) is int for epoch in epochs) or not epochs:
        return
    if epochs[0] != 1:
        yield f"{place} must start at epoch 1"
    if sorted(set(epochs)) != epochs:
        yield f"{place} must name its epochs in ascending order"


def contradictions_of_varied(
    place: str, entry: dict[str, Any], config: dict[str, Any]
) -> Iterator[str]:
    """Variants that would all be trained alike, since the system does not take what they vary."""
    name = entry["system"]
    system = config["systems"].get(name)
    if system is None:
        return
    if system["module"] != "posthoc":
        yield f"{place}.system is {name}, but ablations change interpreters of the module posthoc"
        return
    varied = {key for change in changes_of(entry) for key in change.of_system}
    for key in sorted(varied & system.get("grid", {}).keys()):
        yield f"{place} varies {key}, but so does systems.{name}.grid: take it out there"
