"""A finished run of the real workflow in which nothing was computed: small files, real records."""

from __future__ import annotations

import json
import os
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.cli import parse_config
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

from helpers.project import PROJECT
from l2i.hashing import file_sha256, tree_sha256
from l2i.provenance.currency import KnownRecords
from l2i.provenance.digests import file_of, is_digest, write_digest
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.records import write_record
from l2i.provenance.runs import note_run


def make_hollow_run(folder, configfile, assignments=()):
    """Write into `folder` what jobs of a configuration would leave; returns the run's folder."""
    before = os.getcwd()
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL}, enable_file_logging=False)) as api:
        try:
            planned = api.workflow(
                resource_settings=ResourceSettings(),
                config_settings=ConfigSettings(
                    config=parse_config([*assignments]),
                    configfiles=[PROJECT / configfile],
                    config_args=[*assignments],
                ),
                snakefile=PROJECT / "Snakefile",
                workdir=folder,
            ).dag()
            workflow = planned.workflow_api._workflow
            workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
            workflow._build_dag()
            for level in workflow.dag.toposorted():
                for job in level:
                    if job.output:
                        _make_up(job)
            note_run(
                workflow.globals["RESULTS"],
                configfiles=[configfile],
                assignments=assignments,
                configuration=workflow.globals["config"],
                code=workflow.globals["SOURCES"].parts(),
            )
            return Path(folder, workflow.globals["RESULTS"])
        finally:
            os.chdir(before)


def _each(outputs):
    """Name and file of each output; several may have one name."""
    for name, declared in outputs:
        for each in [declared] if isinstance(declared, str) else declared:
            yield name, each


def _make_up(job):
    from planning import identity_of

    made = identity_of(job, KnownRecords())
    for name, declared in _each(job.output.items()):
        path = Path(file_of(declared))
        path.parent.mkdir(parents=True, exist_ok=True)
        if declared.is_directory:
            path.mkdir()
            (path / "part").write_text(str(path))
            held = {"kind": "folder", "sha256": tree_sha256(path)}
        else:
            path.write_text("{}" if path.name == "files.json" else str(path))
            held = {"kind": "file", "sha256": file_sha256(path)}
        held["size_bytes"] = 1
        write_record(path, _record(made, {"name": name, "path": str(path)} | held))
        if is_digest(declared):
            write_digest(path, held["sha256"])


def _record(made, output):
    known = {"kind": "file", "size_bytes": 1, "hash": "known"}
    return {
        "record_version": 3,
        "output": output,
        "rule": made.rule,
        "wildcards": made.wildcards,
        "inputs": [
            {"name": name, "path": path, "sha256": sha256} | known
            for name, path, sha256 in made.inputs
        ],
        "settings": json.loads(json.dumps(made.settings)),
        "fingerprints": {
            "code": made.code,
            "env": settings_fingerprint(made.pins),
            "settings": settings_fingerprint(made.settings),
        },
        "seeds": {},
        "pins": made.pins,
        "software": {"python": "3.11"},
        "departures": {},
        "libraries": [],
        "git": None,
        "host": {"name": "a", "system": "b", "cpu": "c", "n_cores": 1, "memory_bytes": 1},
        "accelerator": None,
        "slurm": None,
        "runtime": {"device": "cpu", "precision": "float32", "n_threads": 1, "asked_for": {}}
        | {"memory_limits": {}, "deterministic": True, "peak_memory_bytes": 1},
        "log": "any.log",
        "facts": {},
        **dict.fromkeys(("started_at", "finished_at"), "2025-01-31T12:00:00+00:00"),
        "seconds": 1.0,
    }
