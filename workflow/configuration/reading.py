"""How a configuration is read: files, what `like` takes over, and what reference files hold.

Files are laid over one another as Snakemake does it, but read from their text: Snakemake has lost
what stood there twice, and how numbers were written.

An entry of `datasets` or `systems` that is `like` another one has all that the other one has, but
for what it says itself. What a system says for a data set holds for data sets that are like it.
"""

from __future__ import annotations

import copy
import functools
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from configuration.schema import explain, load_schema, validator
from configuration.values import typed_by
from configuration.yaml_files import Written, parse_yaml, read_yaml
from l2i.checks import InputError, raise_all

REFERENCE = Path(__file__).parents[1] / "reference"
OWN = ("title", "as_classifier")  # keys of a system that name its rows: two cannot share them

Entries = dict[str, dict[str, Any]]


@functools.cache
def load_reference(name: str) -> Any:
    """Load workflow/reference/{name}.yaml, which must fit its schema; not to be changed.

    Raises
    ------
    InputError
        If it is no YAML, or does not fit.
    """
    place, schema = f"workflow/reference/{name}.yaml", load_schema(name)
    said = read_yaml(REFERENCE / f"{name}.yaml", place)
    loaded = typed_by(said.value, schema, schema)
    problems = [line for e in validator(name).iter_errors(loaded) for line in explain(e, name)]
    raise_all([located(line, said.places) for line in problems], place)
    return loaded


def read_configuration(
    files: Iterable[str | Path], assignments: Iterable[str], *, by: str = "--config"
) -> Written:
    """What configuration files and the command line say together, as texts.

    Parameters
    ----------
    files : iterable of str or Path
        config.yaml, then its overlays, each laid over those before it.
    assignments : iterable of str
        Of the command line's --config, such as ``machine={data: audio}``; laid over the files.
    by : str
        What messages say that they are of.

    Raises
    ------
    InputError
        If one is no YAML, says a thing twice, or is no mapping.
    """
    parts = [read_yaml(path, _name_of(path)) for path in files]
    for path, part in zip(files, parts, strict=True):
        if not isinstance(part.value, dict):
            raise InputError(f"{_name_of(path)}: must hold keys and values, such as name: paper")
    for assignment in assignments:
        key, _, text = assignment.partition("=")
        said = parse_yaml(text, f"{by} {key}", key)
        parts.append(Written({key: said.value}, said.places))
    config: dict[str, Any] = {}
    places: dict[str, str] = {}
    for part in parts:
        config = _laid_over(config, part.value)
        places |= part.places
    return Written(config, places)


def located(line: str, places: Mapping[str, str]) -> str:
    """What is wrong with a key, with the file and line that say it, where there is one."""
    about = [p for p in places if p and line.startswith(p) and line[len(p) :][:1] in " .:[,"]
    return f"{line} ({places[max(about, key=len)]})" if about else line


def _name_of(path: str | Path) -> str:
    """A path as the user would type it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith(os.pardir) else relative


def resolved(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with every `like` followed and the address of every download.

    What is of a wrong form stays as it is, for the check that follows to name it.

    Parameters
    ----------
    config : dict
        config.yaml with its overlays laid over it; is not changed.

    Raises
    ------
    InputError
        If `like` names nothing, or goes round in a circle.
    """
    config = copy.deepcopy(config)
    problems: list[str] = []
    bases: dict[str, dict[str, str]] = {"datasets": {}, "systems": {}}
    for kind, taken_over in (("datasets", _dataset_like), ("systems", _system_like)):
        if _is_table(config.get(kind)):
            bases[kind] = _bases(config[kind])
            _follow(kind, config[kind], bases[kind], taken_over, problems)
    raise_all(problems, "configuration (config.yaml and its overlays)")
    if _is_table(config.get("systems")):
        for entry in config["systems"].values():
            _spread_to_alike(entry, bases["datasets"])
    machine = config.get("machine")
    if isinstance(machine, dict) and isinstance(machine.get("urls"), dict):
        machine["urls"] = addresses() | machine["urls"]
    return config


def addresses() -> dict[str, str]:
    """Address of every download, by its name."""
    downloads = load_reference("downloads")
    both = downloads["corpora"].keys() & downloads["weights"].keys()
    raise_all(
        [f"{name} stands under corpora and under weights: rename one" for name in sorted(both)],
        "workflow/reference/downloads.yaml",
    )
    return {name: entry["url"] for entries in downloads.values() for name, entry in entries.items()}


def pins_of(kind: str, name: str) -> dict[str, Any]:
    """What a download of the kind `corpora` or `weights` must be, wherever it comes from."""
    entry = load_reference("downloads")[kind][name]
    return {key: value for key, value in entry.items() if key != "url"}


def _is_table(entries: Any) -> bool:
    return isinstance(entries, dict) and all(isinstance(e, dict) for e in entries.values())


def _bases(entries: Entries) -> dict[str, str]:
    """Entry to the one that it is like."""
    like = {name: entry.get("like") for name, entry in entries.items()}
    return {name: base for name, base in like.items() if isinstance(base, str)}


def _follow(
    kind: str,
    entries: Entries,
    bases: Mapping[str, str],
    taken_over: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]],
    problems: list[str],
) -> None:
    """Give each entry what the one that it is like has, the bases first."""
    pending = dict(bases)
    while pending:
        ready = {name: base for name, base in pending.items() if base not in pending}
        if not ready:
            circle = ", ".join(map(str, pending))
            problems.append(f"{kind}: {circle} are like each other in a circle: let one say all")
            return
        for name, base in ready.items():
            del pending[name]
            own = {key: value for key, value in entries[name].items() if key != "like"}
            if base in entries:
                entries[name] = taken_over(entries[base], own)
            else:
                known = ", ".join(str(other) for other in entries if other != name)
                problems.append(
                    f"{kind}.{name}.like is {base}, which is no entry of {kind}; it has {known}"
                )


def _dataset_like(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Options of a layout mean nothing to another one."""
    layout = _table(base, "corpus").get("layout")
    if _table(own, "corpus").get("layout", layout) != layout:
        base = {key: value for key, value in base.items() if key != "corpus"}
    return _laid_over(base, own)


def _system_like(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What a system says for all data sets comes before what its base says for one."""
    said = _table(own, "settings").keys() | _table(own, "grid").keys()
    base = {key: copy.deepcopy(value) for key, value in base.items() if key not in OWN}
    of_datasets = [part for part in _table(base, "by_dataset").values() if isinstance(part, dict)]
    for part in (_table(base, "settings"), _table(base, "grid"), *of_datasets):
        for name in said & part.keys():
            del part[name]
    for settings in _table(own, "by_dataset").values():
        for name in _table(base, "grid").keys() & (settings if isinstance(settings, dict) else {}):
            del base["grid"][name]
    return _laid_over(base, own)


def _spread_to_alike(system: dict[str, Any], bases: Mapping[str, str]) -> None:
    """Let what a system says for a data set hold for the data sets that are like it."""
    by_dataset = _table(system, "by_dataset")
    if not _is_table(by_dataset):
        return
    spread = {}
    for dataset in {**bases, **by_dataset}:
        chain = [dataset]
        while chain[-1] in bases:
            chain.append(bases[chain[-1]])
        settings: dict[str, Any] = {}
        for each in reversed(chain):
            settings |= by_dataset.get(each, {})
        if settings:
            spread[dataset] = settings
    if spread:
        system["by_dataset"] = spread


def _table(entry: dict[str, Any], key: str) -> dict[str, Any]:
    value = entry.get(key)
    return value if isinstance(value, dict) else {}


def _laid_over(base: Any, own: Any) -> Any:
    """Mappings are merged, everything else is replaced: as Snakemake lays overlays."""
    if isinstance(base, dict) and isinstance(own, dict):
        both = {key: _laid_over(base[key], own[key]) for key in base.keys() & own.keys()}
        merged = {key: copy.deepcopy(value) for key, value in base.items()} | own | both
        return merged
    return own
