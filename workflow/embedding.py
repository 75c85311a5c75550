"""The workflow by itself, or as a `module:` of another one that has its own configuration.

A module is given its configuration by the workflow around it. That is laid over config.yaml as an
overlay is; of files and assignments of the command line, which are meant for the workflow around,
nothing is taken. What Snakemake does not do for modules is done here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

OF_MODULE = "config of the module:"


class Asked(NamedTuple):
    """What is laid over config.yaml, and by whom."""

    configfiles: list[Path]
    assignments: list[str]  # as behind --config
    by: str  # what messages call the assignments


def asked_of(workflow: Any, config: Mapping[str, Any]) -> Asked:
    """What the command line asks of the workflow, or the workflow around of its module."""
    if not is_module(workflow):
        said = list(workflow.config_settings.config_args or [])
        return Asked(list(workflow.overwrite_configfiles), said, "--config")
    said = [f"{key}={json.dumps(value, default=str)}" for key, value in config.items()]
    return Asked([], said, OF_MODULE)


def told(error: Exception, asked: Asked) -> str:
    """What is wrong with the configuration, with what may be behind it in a module."""
    if asked.by != OF_MODULE or "is not a known key" not in str(error):
        return str(error)
    return (
        f"{error}\nA module takes the keys of config.yaml and no others. Where they stand beside "
        "yours, say under l2i, give it those alone: config: config['l2i']"
    )


def is_module(workflow: Any) -> bool:
    """Whether the Snakefile that is read is a module's."""
    return not workflow.modifier.is_main_snakefile()


def begin_with(workflow: Any, begin: Callable[[], None]) -> None:
    """Have the workflow around a module call `begin` too before its first job.

    Snakemake calls the `onstart:` of the main Snakefile alone, which may stand before the module or
    behind it.
    """

    def with_ours(theirs: Callable[[Any], None]) -> Callable[[Any], None]:
        def both(log: Any) -> None:
            begin()
            theirs(log)

        return both

    register = workflow.onstart
    workflow._onstart = with_ours(workflow._onstart)
    workflow.onstart = lambda theirs: register(with_ours(theirs))


def name_local_rules(workflow: Any) -> None:
    """Have `localrules:` of a module know its rules by the names that they have around it."""
    of_class = type(workflow).localrules

    def localrules(*names: str) -> None:
        of_class(workflow, *map(workflow.modifier.modify_rulename, names))

    workflow.localrules = localrules
