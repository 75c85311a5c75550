"""What the configuration says of a system on a data set, and what its module says of itself.

The settings of a system are those that it has on all data sets (`settings`) and, before these,
those of one (`by_dataset`). The module says what each means and which values it may have.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from configuration.modules import read_module

# Asked of every system, beside what its module describes.
COMMON = {"precision": ("precision", "number format of training: auto, float32 or bfloat16")}
# Explanations that ask the classifier alone, by what they are called in print: they stand in tables
# and folders beside systems.
METHODS = {
    "slime": "SLIME",
    "integrated_gradients": "Integrated gradients",
    "grad_cam": "Grad-CAM",
}
# What stands beside systems where clips are mixed with other sounds, by what it is called in print.
REFERENCES = {
    "slime": METHODS["slime"],
    "nmf_alone": "NMF without a network",
    "oracle_mask": "oracle mask",
    "mixture": "the mixture itself",
}
OPTIONAL = "optional: "  # how the description of a setting begins that may be left out
START = ("width", "head_units", "dropout")  # settings of a classifier that say what it is


class Description(NamedTuple):
    """What a module of l2i.systems says of itself."""

    settings: dict[str, tuple[str | list[str], str]]  # kind and meaning, by name
    needs: list[list[str]]
    measures: list[str]


def description_of(module: str) -> Description:
    """What a module of l2i.systems says of itself, read without running it.

    Raises
    ------
    ValueError
        In one line, what is wrong with the file.
    """
    said = read_module(
        "systems",
        module,
        literals=("SETTINGS", "NEEDS", "MEASURES"),
        functions=("train", "build"),
    )
    return Description(said["SETTINGS"], said["NEEDS"], said["MEASURES"])


def with_measure(config: dict[str, Any], measure: str) -> list[str]:
    """Systems that run and of which `measure` is taken, in the order of `run.systems`."""
    systems = config["systems"]
    return [name for name in config["run"]["systems"] if measure in systems[name]["measures"]]


def settings_on(config: dict[str, Any], dataset: str, system: str) -> dict[str, Any]:
    """Settings of a system on a data set, those that are chosen on selection data left out.

    A value like ``dictionary/n_components`` is that of the data set's key.

    Raises
    ------
    KeyError
        If the data set has no such key.
    """
    entry, of_dataset = config["systems"][system], config["datasets"][dataset]
    settings = entry.get("settings", {}) | entry.get("by_dataset", {}).get(dataset, {})
    return {
        name: looked_up(of_dataset, value) if isinstance(value, str) and "/" in value else value
        for name, value in settings.items()
        if name not in entry.get("grid", {})
    }


def looked_up(value: Any, path: str) -> Any:
    """Item of nested mappings by its keys, joined with slashes."""
    for part in path.split("/"):
        if not isinstance(value, dict) or part not in value:
            raise KeyError(f"there is no {path}: {part} is missing")
        value = value[part]
    return value


def training_of(config: dict[str, Any], dataset: str, system: str) -> dict[str, Any]:
    """All that decides how a system is trained on a data set, beside the data.

    Parameters
    ----------
    config : dict
        The configuration, with what a variant changes.
    dataset, system : str
        Their names.

    Returns
    -------
    dict
        `module`, `system_settings` (flat), `precision`, `grid` (setting to possible values),
        `start`: of a classifier to be trained along, where the system :func:`starts_one`, else
        None; `positive_weight` of the classification loss, `features`, `clip_seconds`, and
        `selection`, None where nothing is selected: seed, metric, and the settings of the
        classifier where the system explains one.
    """
    entry, of_dataset = config["systems"][system], config["datasets"][dataset]
    grid = entry.get("grid", {})
    start, selection = None, None
    if starts_one(entry):
        start = {name: of_dataset["classifier"][name] for name in START}
    if selects(entry):
        selection = {"seed": config["seed"], "metric": of_dataset["metric"], "classifier": None}
        if "classifier" in entry["needs"]:
            selection["classifier"] = of_dataset["classifier"]
    settings = settings_on(config, dataset, system)
    precision = settings.pop("precision")
    return {
        "module": entry["module"],
        "system_settings": settings,
        "precision": precision,
        "grid": grid,
        "start": start,
        "positive_weight": of_dataset["classifier"]["positive_weight"],
        "features": config["features"],
        "clip_seconds": of_dataset["clip_seconds"],
        "selection": selection,
    }


def selects(entry: dict[str, Any]) -> bool:
    """Whether a system's entry leaves settings to be selected."""
    return any(len(values) > 1 for values in entry.get("grid", {}).values())


def starts_one(entry: dict[str, Any]) -> bool:
    """Whether a system starts a classifier.

    That is its own trunk, or one that has not learned from selection clips, to select settings on.
    """
    return "trunk" in entry["needs"] or (selects(entry) and "classifier" in entry["needs"])


def titles_of(
    config: dict[str, Any],
    *,
    systems: Iterable[str],
    datasets: Iterable[str],
    as_classifiers: Iterable[str],
) -> dict[str, str]:
    """What systems, data sets and the rows of systems as classifiers are called in print.

    Among `systems` may be some of `METHODS`.
    """
    entries = config["systems"] | {name: {"title": title} for name, title in METHODS.items()}
    rows = [entries[name]["as_classifier"] for name in as_classifiers]
    return {
        **{name: config["datasets"][name]["title"] for name in datasets},
        **{name: entries[name]["title"] for name in systems},
        **{row["name"]: row["title"] for row in rows},
    }
