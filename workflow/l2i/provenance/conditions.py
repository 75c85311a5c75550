"""Under which conditions a job ran and what it took, as its record tells, by names for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from l2i.provenance.fingerprints import canonical_json
from l2i.provenance.jobs import Job

SECONDS, BYTES, NUMBER = (f"https://qudt.org/vocab/unit/{unit}" for unit in ("SEC", "BYTE", "NUM"))
PEAK = "peak_memory_bytes"


class Usage(NamedTuple):
    """An amount of something."""

    name: str
    value: float | None  # None where it is unknown
    unit: str  # an address


def environment_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Where a job ran, and on what; what is unknown is left out."""
    host, accelerator = record["host"], record["accelerator"] or {}
    git, runtime = record["git"] or {}, record["runtime"]
    tree = {True: "changed", False: "clean", None: "unknown"}
    software = sorted(record["software"].items())
    said = {
        "container": "none: the workflow names no image",
        "python": record["software"]["python"],
        "packages": ", ".join(f"{name} {version}" for name, version in software),
        "packages not as pinned": canonical_json(record["departures"]),
        "libraries": "; ".join(record["libraries"]),
        "git commit": git.get("commit", "none: no working tree of git"),
        "git working tree": tree[git.get("dirty")],
        "code fingerprint": record["fingerprints"]["code"],
        "host": host["name"],
        "operating system": host["system"],
        "processor": host["cpu"],
        "processor cores": host["n_cores"],
        "memory": host["memory_bytes"],
        "device": runtime["device"],
        "precision": runtime["precision"],
        "deterministic algorithms": runtime["deterministic"],
        **{f"GPU {name}": value for name, value in accelerator.items() if name != PEAK},
        **{f"SLURM {name}": value for name, value in (record["slurm"] or {}).items()},
        **{name.replace("_", " "): value for name, value in record["seeds"].items()},
    }
    return {name: value for name, value in said.items() if value not in (None, "")}


def usage_of(job: Job) -> dict[str, Usage]:
    """What a job took, by what identifies it; what is unknown is left out."""
    runtime, accelerator = job.record["runtime"], job.record["accelerator"] or {}
    said = {
        "wallTime": Usage("wall time", job.record["seconds"], SECONDS),
        "peakMemory": Usage("peak resident memory", runtime[PEAK], BYTES),
        "peakGpuMemory": Usage("peak memory of the GPU", accelerator.get(PEAK), BYTES),
        "threads": Usage("threads", runtime["n_threads"], NUMBER),
        "written": Usage("size of results", sum(o["size_bytes"] for o in job.outputs), BYTES),
    }
    return {name: usage for name, usage in said.items() if usage.value is not None}


def version_of(record: Mapping[str, Any]) -> str:
    """Version of the code that ran: the commit, or else its fingerprint."""
    git = record["git"]
    if git is None:
        return f"code {record['fingerprints']['code'][:16]}"
    return f"{git['commit']}{' with changes' if git['dirty'] else ''}"
