"""Ablations of the configuration as variants: what each changes, and what it is called.

A variant is one value of an ablation list, such as the taps [B5, B6]. Its name stands in the paths
of its results. A value that the system, or the dictionary, has anyway is no variant: it is called
`default`, and its results are those of the main tables.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from configuration.systems import settings_on

DEFAULT = "default"


class Change(NamedTuple):
    """One value of an ablation list."""

    variant: str
    of_system: dict[str, Any]  # settings
    of_dictionary: dict[str, Any]
    condition: dict[str, Any]  # what tells it apart in print


def variants(config: dict[str, Any]) -> list[str]:
    """Names of all variants that the configuration asks for, `default` first."""
    rows = [row for table in config["ablations"] for row in ablation_rows(config, table)]
    return list(dict.fromkeys([DEFAULT, *(row["variant"] for row in rows)]))


def ablation_rows(config: dict[str, Any], table: str) -> list[dict[str, Any]]:
    """The runs that a table or figure of ablations compares, in its order.

    Parameters
    ----------
    config : dict
        The configuration.
    table : str
        A key of `ablations`: table_6, table_7, figure_6 or sanity.

    Returns
    -------
    list of dict
        dataset, fold, system, variant, and the condition: the settings that tell rows apart.
    """
    rows = []
    for entry in config["ablations"][table]:
        dataset, system = entry["dataset"], entry["system"]
        settings = settings_on(config, dataset, system)
        dictionary = config["datasets"][dataset]["dictionary"]
        for change in changes_of(entry):
            same = settings | change.of_system == settings
            same &= dictionary | change.of_dictionary == dictionary
            rows.append(
                {
                    "dataset": dataset,
                    "fold": str(entry["fold"]),
                    "system": system,
                    "variant": DEFAULT if same else change.variant,
                    "condition": change.condition,
                }
            )
    return rows


def varied(config: dict[str, Any], dataset: str, variant: str) -> dict[str, Any]:
    """The configuration with what a variant changes on a data set."""
    changes = _changes(config, dataset, variant)
    if not changes:
        return config
    datasets, systems = dict(config["datasets"]), dict(config["systems"])
    for system, change in changes:
        datasets[dataset] = copy.deepcopy(datasets[dataset])
        datasets[dataset]["dictionary"] |= change.of_dictionary
        systems[system] = copy.deepcopy(systems[system])
        by_dataset = systems[system].setdefault("by_dataset", {})
        by_dataset[dataset] = by_dataset.get(dataset, {}) | change.of_system
    return {**config, "datasets": datasets, "systems": systems}


def dictionary_variant(config: dict[str, Any], dataset: str, variant: str) -> str:
    """The variant whose dictionary a variant uses: its own where it changes the dictionary."""
    changes = _changes(config, dataset, variant)
    return variant if any(change.of_dictionary for _, change in changes) else DEFAULT


def changes_of(entry: dict[str, Any]) -> Iterator[Change]:
    """The values of one ablation list."""
    for taps in entry.get("taps", []):
        condition = {"fold": entry["fold"], "taps": taps}
        yield Change("-".join(["taps", *taps]), {"taps": taps}, {}, condition)
    for reconstruction, sparsity in entry.get("weights", []):
        weights = {"reconstruction_weight": reconstruction, "sparsity_weight": sparsity}
        yield Change(f"weights-{reconstruction}-{sparsity}", weights, {}, weights)
    for n_components in entry.get("n_components", []):
        size = {"n_components": n_components}
        yield Change(f"components-{n_components}", {}, size, size)
    for targets in entry.get("targets", []):
        followed = {"targets": targets}
        yield Change(f"targets-{targets}", followed, {}, followed)


def _changes(config: dict[str, Any], dataset: str, variant: str) -> list[tuple[str, Change]]:
    """Systems that are varied under this name on a data set, and what is changed of each."""
    return [
        (entry["system"], change)
        for entries in config["ablations"].values()
        for entry in entries
        for change in changes_of(entry)
        if entry["dataset"] == dataset and change.variant == variant
    ]
