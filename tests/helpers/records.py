"""Records of results, written by hand."""

from __future__ import annotations

import json

from l2i.hashing import file_sha256, tree_sha256
from l2i.provenance.records import acceptance_path, record_path


def write_record(path, settings, inputs=(), dataset="esc50"):
    """A whole record, of which the tables read settings, data set and inputs."""
    known = {"sha256": "0" * 64, "size_bytes": 1, "kind": "file"}
    held = {"sha256": file_sha256(path)} if path.is_file() else {}
    record = {
        "record_version": 3,
        "output": {"name": "model", "path": str(path), **known, **held},
        "rule": "any",
        "wildcards": {"dataset": dataset},
        "inputs": [
            {"name": name, "path": str(used), "hash": "known", **known} for name, used in inputs
        ],
        "settings": settings,
        "fingerprints": dict.fromkeys(("code", "env", "settings"), "0" * 64),
        "seeds": {},
        "pins": {},
        "software": {"python": "3.11"},
        "departures": {},
        "libraries": [],
        "git": None,
        "host": {"name": "a", "system": "b", "cpu": "c", "n_cores": 1, "memory_bytes": 1},
        "accelerator": None,
        "slurm": None,
        "runtime": {"device": "cpu", "precision": "float32", "n_threads": 1}
        | {"deterministic": True, "peak_memory_bytes": 1},
        "log": "any.log",
        "facts": {},
        **dict.fromkeys(("started_at", "finished_at"), "2025-01-31T12:00:00+00:00"),
        "seconds": 1.0,
    }
    record_path(path).parent.mkdir(exist_ok=True)
    record_path(path).write_text(json.dumps(record), encoding="utf-8")


def write_result(path, text):
    """A file as a job leaves it: with a record that vouches for it."""
    path.write_text(text)
    write_record(path, {})


def write_acceptance(path, before, after):
    """Somebody accepts a result as what another identity would make."""
    described = [
        {
            "rule": each.rule,
            "wildcards": each.wildcards,
            "settings": each.settings,
            "fingerprints": dict.fromkeys(("code", "env", "settings"), "0" * 64),
            "pins": each.pins,
            "inputs": [{"name": n, "path": p, "sha256": s} for n, p, s in each.inputs],
        }
        for each in (before, after)
    ]
    said = {"user": "somebody", "host": "here", "time": "2025-02-01T12:00:00+00:00"}
    said |= {"reason": "only the folds were renamed"}
    said |= dict(zip(("before", "after"), described, strict=True))
    whole = {
        "acceptance_version": 1,
        "path": str(path),
        "outputs": [str(path)],
        "record_sha256": file_sha256(record_path(path)),
        "departures": {},
        "accepted": [said],
    }
    acceptance_path(path).write_text(json.dumps(whole))


def vouch_for(folder):
    """Write a record for a folder that a job seems to have made."""
    write_record(folder, {})
    record = json.loads(record_path(folder).read_text(encoding="utf-8"))
    record["output"] |= {"sha256": tree_sha256(folder), "kind": "folder"}
    record_path(folder).write_text(json.dumps(record), encoding="utf-8")
