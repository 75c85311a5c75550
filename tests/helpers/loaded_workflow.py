"""The workflow as Snakemake reads it, rule by rule, without running anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.iocontainers import Wildcards
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

from helpers.project import PROJECT

# Of a first job of every rule: the paper's configuration, data set esc50.
WILDCARDS = {
    "dataset": "esc50",
    "fold": "1",
    "system": "l2i_att",
    "variant": "default",
    "run": "0",
    "number": "2",
    "weights": "audioset",
}
NUMBERS = {"tabulate_ablation": "6", "compare_systems": "8"}


@contextmanager
def loaded_workflow() -> Iterator[Any]:
    """The workflow object of Snakemake, from the project's Snakefile and config.yaml."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        yield api.workflow(
            resource_settings=ResourceSettings(),
            config_settings=ConfigSettings(),
            snakefile=PROJECT / "Snakefile",
        )._workflow


def wildcards_of(rule: Any) -> Wildcards:
    """Wildcards of a first job of a rule."""
    number = NUMBERS.get(rule.name, WILDCARDS["number"])
    return Wildcards(fromdict=WILDCARDS | {"number": number})


def settings_of(rule: Any) -> dict[str, Any] | None:
    """What a first job of a rule is told; None for rules that compute nothing."""
    params = dict(rule.params.items())
    return json.loads(params["settings"](wildcards_of(rule))) if "settings" in params else None


def files_of(rule: Any) -> list[str]:
    """Names of the inputs and outputs of a rule."""
    inputs, *_ = rule.expand_input(wildcards_of(rule))
    return [name for name, _ in [*inputs.items(), *rule.output.items()]]
