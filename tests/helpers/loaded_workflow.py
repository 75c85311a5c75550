"""The workflow as Snakemake reads it, rule by rule, without running anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.iocontainers import Wildcards
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

from helpers.project import PROJECT

# Of a first job of every rule: the paper's configuration, data set esc50.
WILDCARDS = {
    "occasion": "listening",
    "dataset": "esc50",
    "fold": "1",
    "system": "l2i_att",
    "variant": "default",
    "run": "0",
    "number": "2",
    "weights": "audioset",
    "traced": "provenance",
}


@contextmanager
def loaded_workflow(*assignments: str) -> Iterator[Any]:
    """The workflow object of Snakemake, from the project's Snakefile and config.yaml.

    `assignments` are what would follow `--config`.

    There are answers to a listening test, since rules that read them end the command without any.
    """
    with (
        TemporaryDirectory() as ratings,
        SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api,
    ):
        Path(ratings, WILDCARDS["dataset"]).mkdir()
        Path(ratings, WILDCARDS["dataset"], "answers.csv").touch()
        yield api.workflow(
            resource_settings=ResourceSettings(),
            config_settings=ConfigSettings(
                config_args=[f"machine={{ratings: {ratings}}}", *assignments]
            ),
            snakefile=PROJECT / "Snakefile",
        )._workflow


def jobs_of_paper() -> list[Any]:
    """All jobs of the paper's configuration, as Snakemake plans them; none is run."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        planned = api.workflow(
            resource_settings=ResourceSettings(),
            config_settings=ConfigSettings(),
            snakefile=PROJECT / "Snakefile",
        ).dag()
        workflow = planned.workflow_api._workflow
        workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
        workflow._build_dag()
        return list(workflow.dag.jobs)


def wildcards_of(rule: Any) -> list[Wildcards]:
    """Wildcards of a first job of a rule, or of one for each number of table or figure."""
    numbers = rule.wildcard_constraints.get("number", WILDCARDS["number"]).split("|")
    return [Wildcards(fromdict=WILDCARDS | {"number": number}) for number in numbers]


def settings_of(rule: Any) -> list[dict[str, Any]]:
    """What these jobs are told; nothing for rules that compute nothing."""
    params = dict(rule.params.items())
    if "settings" not in params:
        return []
    return [json.loads(params["settings"](wildcards)) for wildcards in wildcards_of(rule)]


def files_of(rule: Any) -> list[list[str | None]]:
    """Names of the inputs and outputs of these jobs; None for each file without a name."""
    found = []
    for wildcards in wildcards_of(rule):
        inputs, *_ = rule.expand_input(wildcards)
        names: list[str | None] = []
        for files in (inputs, rule.output):
            named = dict(files.items())
            names += named
            held = sum(1 if isinstance(value, str) else len(value) for value in named.values())
            names += [None] * (len(files) - held)
        found.append(names)
    return found
