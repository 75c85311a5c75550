"""A run written by hand, of a few jobs as the real rules have them, without Snakemake."""

from __future__ import annotations

import json
from pathlib import Path

from l2i.hashing import file_sha256, tree_sha256
from l2i.provenance.digests import write_digest
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.records import record_path
from l2i.provenance.runs import NOTES

ROOT = "results/small"
CONFIGURATION = {"name": "small", "seed": 0, "run": {"datasets": ["esc50"]}}
GPU = {"name": "H100", "driver": "570.1", "cuda": "13.0", "cudnn": "9.19.0"}
SLURM = {"job_id": "77", "partition": "gpu"}
PINS = {"numpy": "2.4.6", "pandas": "3.1.1"}
COMMIT = "c" * 40


class HandmadeRun:
    """Makes results, each with a record, below a folder that stands for the project."""

    def __init__(self, folder):
        self.folder, self.run = Path(folder), Path(folder, ROOT)
        self.minute = 0

    def make(self):
        """A corpus, a model, its scores, and the tables and sounds that are made of these."""
        index = self.job("index_dataset", {"index": "datasets/esc50/index.csv"}, dataset="esc50")
        model, scores = (
            "systems/esc50/fold1/model.safetensors",
            "evaluation/esc50/fold1/fidelity.csv",
        )
        where = {"dataset": "esc50", "fold": "1", "system": "l2i_att", "run": "0"}
        heavy = {"accelerator": GPU | {"memory_bytes": 80, "peak_memory_bytes": 7}, "slurm": SLURM}
        self.job(
            "train_system",
            {"model": model, "history": "systems/esc50/fold1/history.csv"},
            {"index": index},
            {"training": {"n_epochs": 3}, "seed": 0},
            changes=heavy,
            **where,
        )
        write_digest(self.run / model, file_sha256(self.run / model))
        self.job("measure_fidelity", {"fidelity": scores}, {"system": model}, **where)
        table = {"table": "tables/table_4.csv", "page": "tables/table_4.md"}
        self.job("tabulate_fidelity", table, {"clips": scores}, {"title": "Fidelity", "empty": ""})
        self.job(
            "interpret_clips",
            {"sounds": "listening/esc50"},
            {"system": model},
            file="a clip #1.wav",
            **where,
        )
        self.job(
            "trace_tables", {"pages": "provenance"}, {"tables": table["table"]}, file="table_4.html"
        )
        notes = self.run / NOTES
        (notes / "code").mkdir(parents=True)
        (notes / "configuration.json").write_text(json.dumps(CONFIGURATION))
        (notes / "asked.json").write_text(json.dumps({"configfiles": ["/home/me/mine.yaml"]}))
        return self

    def job(self, rule, outputs, inputs=None, settings=None, *, file=None, changes=None, **where):
        """Write what a job makes, with log and records; the name of the first output.

        With `file`, each output is a folder that holds it.
        """
        self.minute += 1
        log = self.run / "logs" / next(iter(outputs.values())) / f"{rule}.log"
        log.parent.mkdir(parents=True)
        log.write_text(f"{rule}: done\n")
        for name, path in outputs.items():
            target = self.run / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if file:
                target.mkdir()
                (target / file).write_bytes(b"bytes")
            else:
                target.write_text(f"{rule} made {name}\n")
        made = self._record(rule, inputs or {}, settings or {}, where) | (changes or {})
        made["log"] = f"{ROOT}/{log.relative_to(self.run)}"
        for name, path in outputs.items():
            self.write(path, made | {"output": {"name": name, **self._content(path)}})
        return next(iter(outputs.values()))

    def write(self, path, record):
        """Put a record beside a result."""
        target = record_path(self.run / path)
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(record))

    def record(self, path):
        """The record of a result."""
        return json.loads(record_path(self.run / path).read_text())

    def _content(self, path):
        target = self.run / path
        folder = target.is_dir()
        return {
            "path": f"{ROOT}/{path}",
            "kind": "folder" if folder else "file",
            "sha256": tree_sha256(target) if folder else file_sha256(target),
            "size_bytes": 5 if folder else target.stat().st_size,
        }

    def _record(self, rule, inputs, settings, where):
        read = [{"name": n, **self._content(p), "hash": "computed"} for n, p in inputs.items()]
        return {
            "record_version": 3,
            "rule": rule,
            "wildcards": where,
            "inputs": read,
            "settings": settings,
            "fingerprints": {
                "code": settings_fingerprint(rule),
                "env": settings_fingerprint(PINS),
                "settings": settings_fingerprint(settings),
            },
            "seeds": {"seed": 0},
            "pins": PINS,
            "software": {"python": "3.11.7", "snakemake": "9.27.1", **PINS},
            "departures": {},
            "libraries": ["openblas 0.3 of numpy"],
            "git": {"commit": COMMIT, "dirty": False},
            "host": {"name": "node1", "system": "Linux", "cpu": "EPYC"}
            | {"n_cores": 2, "memory_bytes": 8_000},
            "accelerator": None,
            "slurm": None,
            "runtime": {"device": "cpu", "precision": "float32", "n_threads": 2}
            | {"deterministic": True, "peak_memory_bytes": 1_000},
            "facts": {},
            "started_at": f"2026-01-31T12:{self.minute:02}:00+00:00",
            "finished_at": f"2026-01-31T12:{self.minute:02}:30+00:00",
            "seconds": 30.5,
        }
