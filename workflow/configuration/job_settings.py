"""Parts of the configuration and of the reference files that a rule's result depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from configuration.ablations import varied
from configuration.reading import load_reference
from configuration.systems import looked_up


def parts_of(
    config: dict[str, Any], paths: Iterable[str], wildcards: Mapping[str, str]
) -> dict[str, Any]:
    """Sub-trees of the configuration under their last names.

    Parameters
    ----------
    config : dict
        The configuration. A job of a variant gets what the variant changes.
    paths : iterable of str
        Keys joined with slashes; wildcards in braces are filled in, and one at the end gives its
        own name: ``datasets/{dataset}/dictionary`` gives `dictionary`.
    wildcards : mapping
        Of the job.

    Raises
    ------
    ValueError
        If two last names are the same, or one is of `machine`, which identifies no result.
    """
    names = [PurePosixPath(path).name.strip("{}") for path in paths]
    if len(set(names)) < len(names) or any(path.startswith("machine") for path in paths):
        raise ValueError(f"{', '.join(paths)}: last names must differ, `machine` is no setting")
    if "variant" in wildcards:
        config = varied(config, wildcards["dataset"], wildcards["variant"])
    return {
        name: looked_up(config, path.format(**wildcards))
        for name, path in zip(names, paths, strict=True)
    }


def said_of(
    config: dict[str, Any], datasets: Iterable[str], keys: Iterable[str]
) -> list[dict[str, Any]]:
    """The name of each data set and some of what is said of it, in order."""
    return [
        {"name": name, **{key: config["datasets"][name][key] for key in keys}} for name in datasets
    ]


def printed_in(table: int) -> dict[str, Any]:
    """What the paper prints in one table, and how it lays it out.

    It is a setting and no input file: what else stands in that file reruns nothing.
    """
    reference = load_reference("paper")
    return {
        "systems": reference["systems"],
        "datasets": reference["datasets"],
        "tables": {str(table): reference["tables"][str(table)]},
        "numbers": [n for n in reference["numbers"] if n["table"] == table],
    }
