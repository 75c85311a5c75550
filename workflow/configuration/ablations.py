"""Ablations of the configuration as variants: what each changes, and what it is called.

A variant is one value of an ablation list, such as the taps [B5, B6]. Its name stands in the paths
of its results. A value that is the data set's own setting is no variant: it is called `default`,
and its results are those of the main tables.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

DEFAULT = "default"


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
        A key of `ablations`: table_6, table_7 or figure_6.

    Returns
    -------
    list of dict
        dataset, fold, system, variant, and the condition: the settings that tell rows apart.
    """
    rows = []
    for entry in config["ablations"][table]:
        place = {"dataset": entry["dataset"], "fold": str(entry["fold"]), "system": entry["system"]}
        for name, changes, condition in _values(entry):
            dataset = config["datasets"][entry["dataset"]]
            changed = any(dataset[part] | new != dataset[part] for part, new in changes.items())
            rows.append({**place, "variant": name if changed else DEFAULT, "condition": condition})
    return rows


def varied(config: dict[str, Any], dataset: str, variant: str) -> dict[str, Any]:
    """The configuration with what a variant changes in a data set's settings."""
    changes = _changes(config).get(variant)
    if changes is None:
        return config
    changed = copy.deepcopy(config["datasets"][dataset])
    for part, new in changes.items():
        changed[part] |= new
    return {**config, "datasets": {**config["datasets"], dataset: changed}}


def dictionary_variant(config: dict[str, Any], variant: str) -> str:
    """The variant whose dictionary a variant uses: its own where it changes the dictionary."""
    return variant if "dictionary" in _changes(config).get(variant, {}) else DEFAULT


def _changes(config: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    return {
        name: changes
        for entries in config["ablations"].values()
        for entry in entries
        for name, changes, _ in _values(entry)
    }


def _values(entry: dict[str, Any]) -> Iterator[tuple[str, dict[str, dict], dict[str, Any]]]:
    """Name, changes to the data set's settings, and condition of each value of one list."""
    for taps in entry.get("taps", []):
        yield (
            "-".join(["taps", *taps]),
            {"interpreter": {"taps": taps}},
            {"fold": entry["fold"], "taps": taps},
        )
    for reconstruction, sparsity in entry.get("weights", []):
        weights = {"reconstruction_weight": reconstruction, "sparsity_weight": sparsity}
        yield f"weights-{reconstruction}-{sparsity}", {"interpreter": weights}, weights
    for n_components in entry.get("n_components", []):
        size = {"n_components": n_components}
        yield f"components-{n_components}", {"dictionary": size}, size
