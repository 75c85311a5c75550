"""What the configuration says of a system on a data set, and what its module says of itself.

Settings come from three places, later ones first: what a system says for a data set (`by_dataset`),
what it says for all (`settings`), and what it takes over from a data set (`inherits`), such as the
taps of that data set's interpreters. A system therefore depends on exactly the keys that it names.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Any, NamedTuple

MODULES = Path(__file__).parents[1] / "l2i" / "systems"
# Asked of every system, beside what its module describes.
COMMON = {"precision": ("precision", "number format of training: auto, float32 or bfloat16")}
OPTIONAL = "optional: "  # how the description of a setting begins that may be left out
START = ("width", "head_units", "dropout")  # settings of a classifier that say what it is


class Description(NamedTuple):
    """What a module of l2i.systems says of itself."""

    settings: dict[str, tuple[str | list[str], str]]  # kind and meaning, by name
    needs: list[list[str]]
    measures: list[str]


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

    Raises
    ------
    KeyError
        If `inherits` names a key that the data set does not have.
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
        if not isinstance(value, dict) or part not in value:
            raise KeyError(f"the configuration has no {path}: {part} is not there")
        value = value[part]
    return value


@functools.cache
def description_of(module: str) -> Description:
    """What a module of l2i.systems says of itself, read without running it.

    Raises
    ------
    ValueError
        In one line, what is wrong with the file.
    """
    path = MODULES / f"{module}.py"
    name = f"workflow/l2i/systems/{module}.py"
    if not path.is_file():
        raise ValueError(f"{name} is not there: correct `module`, or write the file")
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except SyntaxError as error:
        raise ValueError(f"{name} is no Python (line {error.lineno}): {error.msg}") from error
    found = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        for target in [*getattr(node, "targets", []), getattr(node, "target", None)]:
            if isinstance(target, ast.Name) and target.id in ("SETTINGS", "NEEDS", "MEASURES"):
                found[target.id] = _literal(node.value, f"{target.id} of {name}")
    missing = [n for n in ("SETTINGS", "NEEDS", "MEASURES", "train", "build") if n not in found]
    if missing:
        raise ValueError(
            f"{name} has no {', '.join(missing)}: workflow/l2i/systems/__init__.py says what a "
            "system consists of"
        )
    return Description(found["SETTINGS"], found["NEEDS"], found["MEASURES"])


def _literal(node: ast.expr, place: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise ValueError(f"{place} must be a literal: it is read without running it") from error
