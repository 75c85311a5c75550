"""What the configuration says of a system on a data set.

Its settings come from three places, later ones first: what it says for a data set (`by_dataset`),
what it says for all (`settings`), and what it takes over from a data set (`inherits`), such as the
taps of that data set's interpreters. A system therefore depends on exactly the keys that it names.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Any

MODULES = Path(__file__).parent / "l2i" / "systems"
# Asked of every system, beside what its module describes.
COMMON = {"precision": "auto, float32 or bfloat16"}
OPTIONAL = "optional: "  # how the description of a setting begins that may be left out
START = ("width", "head_units", "dropout")  # settings of a classifier that say what it is


def with_measure(config: dict[str, Any], measure: str) -> list[str]:
    """Systems that run and of which `measure` is taken, in the order of `run.systems`."""
    systems = config["systems"]
    return [name for name in config["run"]["systems"] if measure in systems[name]["measures"]]


def trained_with(config: dict[str, Any], dataset: str, system: str) -> dict[str, Any]:
    """All that decides how a system is trained on a data set, beside data and features.

    Parameters
    ----------
    config : dict
        The configuration, with what a variant changes.
    dataset, system : str
        Their names.

    Returns
    -------
    dict
        `module`, `system_settings` (flat), `choose` (setting to possible values), and `start`: of a
        classifier to be trained along, where the system needs a trunk, else None.
    """
    entry, of_dataset = config["systems"][system], config["datasets"][dataset]
    inherits = entry.get("inherits", {})
    settings = {name: looked_up(of_dataset, path) for name, path in inherits.items()}
    settings |= entry.get("settings", {}) | entry.get("by_dataset", {}).get(dataset, {})
    choose = entry.get("choose", {})
    start = None
    if "trunk" in entry["needs"]:
        start = {name: of_dataset["classifier"][name] for name in START}
    return {
        "module": entry["module"],
        "system_settings": {k: v for k, v in settings.items() if k not in choose},
        "choose": choose,
        "start": start,
    }


def looked_up(value: Any, path: str) -> Any:
    """Item of nested mappings by its keys, joined with slashes."""
    for part in path.split("/"):
        if part not in value:
            raise KeyError(f"the configuration has no {path}: {part} is not there")
        value = value[part]
    return value


@functools.cache
def described_settings(module: str) -> dict[str, str] | None:
    """What a module of l2i.systems says about its settings, read without running it.

    None where the file or its SETTINGS are not there.
    """
    path = MODULES / f"{module}.py"
    if not path.is_file():
        return None
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]
        if "SETTINGS" in targets:
            return ast.literal_eval(node.value)
    return None
