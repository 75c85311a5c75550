"""Which readings of the ledger a configuration follows, and where.

A switch of the ledger is a key of the configuration. It governs whatever would follow that key if
it were set: the entry that it names, and entries that are `like` it and say nothing of their own.
That is found by setting it, so that what an overlay or `by_dataset` says comes first here as it
does in a run.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from configuration.reading import load_reference, resolved
from configuration.systems import looked_up

EVERYWHERE = "everywhere"


class Mark(NamedTuple):
    """Stands for the value of a key, to be found again where it comes to hold."""

    key: str


class Spot(NamedTuple):
    """One thing that runs and has a value: a data set, a system on one, or everything."""

    system: str | None
    dataset: str | None


Config = dict[str, Any]
Values = dict[Spot, Any]


def deviations_in(config: Config, said: Config) -> dict[str, dict[str, Any]]:
    """The entries of the ledger by their ids, their switches with what a run has there.

    Parameters
    ----------
    config : dict
        The configuration of the run, every `like` followed.
    said : dict
        The same as it was written, from :func:`configuration.reading.read_configuration`.

    Returns
    -------
    dict
        Entries in the order of workflow/reference/deviations.yaml, as they stand there but for
        their id and `switch`. `switches` has an item for each key: `ours`, the default;
        `readings`, the value of each reading (paper, code, published); `used`, by where in the
        run, the `value` there and the `readings` that it is of, which are `ours`, those of the
        switch, several or none; `others`, different values of the same setting where the run
        does not follow the key, likewise by where.
    """
    ledger: list[dict[str, Any]] = load_reference("deviations")
    found = {}
    for entry in ledger:
        told = {name: text for name, text in entry.items() if name not in ("id", "switch")}
        found[entry["id"]] = told | {"switches": _switches(entry["switch"], config, said)}
    return found


def _switches(switches: Any, config: Config, said: Config) -> dict[str, dict[str, Any]]:
    """Each key of an entry's switches; nothing where it has none."""
    if switches == "none":
        return {}
    ours = {switch["key"]: switch["ours"] for switch in switches}
    marked = resolved(_with_marks(said, ours))
    found = {}
    for key in ours:
        readings = {switch["gives"]: switch["value"] for switch in switches if switch["key"] == key}
        values = _values(config, key)
        marks = _values(marked | {"run": config["run"]}, key)
        used = {spot: value for spot, value in values.items() if marks.get(spot) == Mark(key)}
        free = {spot: v for spot, v in values.items() if not isinstance(marks.get(spot), Mark)}
        others = {spot: value for spot, value in free.items() if value not in [*used.values()]}
        of_value = {"ours": ours[key]} | readings
        found[key] = {
            "ours": ours[key],
            "readings": readings,
            "used": {
                where: {"value": value, "readings": [r for r, v in of_value.items() if v == value]}
                for where, value in _by_place(used, values)
            },
            "others": dict(_by_place(others, values)),
        }
    return found


def _with_marks(said: Config, keys: dict[str, Any]) -> Config:
    """A copy of what was written, with a mark at each of these keys."""
    marked = copy.deepcopy(said)
    for key in keys:
        *path, last = key.split(".")
        place = marked
        for part in path:
            place = place.setdefault(part, {})
        place[last] = Mark(key)
    return marked


def _values(config: Config, key: str) -> Values:
    """What runs and has the setting of a key, whatever entry the key names, and its value."""
    kind, _, path = key.replace(".", "/").partition("/")
    run = config["run"]
    if kind == "datasets":
        path = path.partition("/")[2]
        return {
            Spot(None, dataset): looked_up(config["datasets"][dataset], path)
            for dataset in run["datasets"]
            if _has(config["datasets"][dataset], path)
        }
    if kind == "systems":
        named, setting = path.partition("/")[0], path.rpartition("/")[2]
        systems = config["systems"]
        module = systems.get(named, {}).get("module")  # a configuration of one's own may lack it
        alike = [name for name in run["systems"] if systems[name]["module"] == module]
        return {
            Spot(system, dataset): value
            for system in alike
            for dataset in run["datasets"]
            for value in _of_system(config, dataset, system, setting)
        }
    return {Spot(None, None): looked_up(config, f"{kind}/{path}")}


def _has(tree: Config, path: str) -> bool:
    try:
        looked_up(tree, path)
    except KeyError:
        return False
    return True


def _of_system(config: Config, dataset: str, system: str, setting: str) -> Iterator[Any]:
    """The value of a setting, or all that it is chosen from; nothing where there is none."""
    entry = config["systems"][system]
    settings = entry.get("settings", {}) | entry.get("by_dataset", {}).get(dataset, {})
    if setting in entry.get("grid", {}):
        yield {"chosen from": entry["grid"][setting]}
    elif setting in settings:
        yield settings[setting]


def _by_place(part: Values, values: Values) -> Iterator[tuple[str, Any]]:
    """Each value of a part with a text that says where it holds, out of all that have one."""
    left = list(part)
    while left:
        value = part[left[0]]
        here = [spot for spot in left if part[spot] == value]
        yield _place(here, values), value
        left = [spot for spot in left if spot not in here]


def _place(spots: list[Spot], values: Values) -> str:
    """Where spots are, in words; the data sets of a system only where it has others too."""
    systems: dict[tuple[str | None, ...], list[str]] = {}
    for system in dict.fromkeys(spot.system for spot in spots):
        of_system = [spot for spot in values if spot.system == system]
        here = [spot for spot in spots if spot.system == system]
        part = here if system is None or here != of_system else []
        systems.setdefault(tuple(spot.dataset for spot in part), []).extend([system or ""])
    return ", ".join(_in_words(names, datasets) for datasets, names in systems.items())


def _in_words(systems: list[str], datasets: tuple[str | None, ...]) -> str:
    words = []
    if any(systems):
        words.append(f"for {' and '.join(systems)}")
    if any(datasets):
        words.append(f"on {' and '.join(map(str, datasets))}")
    return " ".join(words) or EVERYWHERE
