"""What of a system does not fit together, or fits neither its module nor the data sets."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from configuration.schema import load_schema, rule_of, undefined, validator_of
from configuration.systems import COMMON, OPTIONAL, Description, description_of, trained_with
from l2i.names import CLASSIFIER

RESERVED = (CLASSIFIER, "slime")  # rows and folders that are no system of the configuration


def contradictions_of_system(name: str, config: dict[str, Any]) -> Iterator[str]:
    """What does not fit together in a system, or with its module and the data sets that run."""
    entry, place = config["systems"][name], f"systems.{name}"
    needs, measures = set(entry["needs"]), set(entry["measures"])
    if name in RESERVED or name.startswith("random_"):
        yield f"{place} has a name that means something else in tables and folders: choose another"
    if ("classifier" in needs) == ("classification" in measures) or ("fidelity" in measures) != (
        "classifier" in needs
    ):
        yield (
            f"{place}.measures must hold fidelity where needs holds classifier, and else "
            "classification: a system follows a classifier, or predicts by itself"
        )
    yield from _contradictions_of_title(name, config)
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


def _contradictions_of_title(name: str, config: dict[str, Any]) -> Iterator[str]:
    entries = config["systems"]
    title = entries[name].get("as_classifier")
    if title is None:
        return
    place = f"systems.{name}.as_classifier"
    if "classifier" not in entries[name]["needs"]:
        yield f"{place} is for systems with fidelity: take it out"
    others = [entry.get("as_classifier") for other, entry in entries.items() if other != name]
    if title in {*entries, *RESERVED, *others}:
        yield f"{place} is {title}, which is another row of Table VIII: choose another name"


def _contradictions_of_settings(
    place: str, name: str, dataset: str, module: Description, config: dict[str, Any]
) -> Iterator[str]:
    entry = config["systems"][name]
    try:
        trained = trained_with(config, dataset, name)
    except KeyError as error:
        yield f"{place}.inherits cannot be followed on {dataset}: {error.args[0]}"
        return
    choose, known = trained["choose"], module.settings | COMMON
    said = entry.get("settings", {}) | entry.get("by_dataset", {}).get(dataset, {})
    for key in sorted(choose.keys() & said.keys()):
        yield (
            f"{place}.choose names {key}, which settings or by_dataset give as well: write "
            f"choose: {{{key}: [{said[key]}]}} for one value, or take {key} out of the others"
        )
    if "precision" in choose:
        yield f"{place}.choose cannot name precision: put it into settings"
    given = {key: [value] for key, value in trained["system_settings"].items()} | choose
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
            for error in validator_of(schema).iter_errors(value):
                inside = "".join(f"[{part}]" for part in error.path)
                rule = rule_of(error).removesuffix(" ()")
                yield f"{place}: {key}{inside} is {error.instance!r}, but {rule} ({meaning})"
    for key, (_, meaning) in known.items():
        if key not in given and not meaning.startswith(OPTIONAL):
            yield f"{place} lacks the setting {key}: {meaning}"


# What an ablation list varies, and the key of a data set that carries it.
VARIED = {
    "taps": {"taps": "interpreter/taps"},
    "weights": {
        "reconstruction_weight": "interpreter/reconstruction_weight",
        "sparsity_weight": "interpreter/sparsity_weight",
    },
}


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
    fixed = {*system.get("settings", {}), *system.get("choose", {})}
    fixed |= {*system.get("by_dataset", {}).get(entry["dataset"], {})}
    for what in VARIED.keys() & entry.keys():
        for key, path in VARIED[what].items():
            if key in fixed or system.get("inherits", {}).get(key) != path:
                yield (
                    f"{place} varies {what}, but systems.{name} does not take {key} from {path} of "
                    "the data set: let it inherit that"
                )
