"""Where a result comes from, told from records: for the tree on a terminal and for the page."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from l2i.pages.provenance import STAGES, Account, Node, Section
from l2i.provenance.lineage import Break, Lineage, Record
from l2i.provenance.lineage import Node as Result

# Of all packages, those that a reader looks for first.
KNOWN_BY_NAME = (
    *("python", "torch", "torchaudio", "numpy", "scipy", "pandas", "librosa", "scikit-learn"),
    *("matplotlib", "seaborn", "snakemake"),
)
SHOWN = 8  # hexadecimal digits of a hash, where it is one word of a sentence


def account_of(
    title: str,
    lineage: Lineage,
    *,
    summary: Iterable[Section] = (),
    states: Mapping[str, str] | None = None,
    more: Mapping[str, Iterable[Section]] | None = None,
) -> Account:
    """The account that a page draws.

    Parameters
    ----------
    title : str
        What was asked.
    lineage : Lineage
        Of one start, or several, of which the first is the root.
    summary : iterable of Section
        What is said first; the lineage's own summary follows.
    states : mapping, optional
        By name of a result, where it is not simply ``recorded``: see `STATES` of
        `l2i.pages.provenance`.
    more : mapping, optional
        By name of a result, what is known of it beside its record.
    """
    root = PurePosixPath(lineage.starts[0])
    run = PurePosixPath(*root.parts[:2])
    found = told_breaks(lineage.breaks())
    known = states or {}
    nodes = [
        Node(
            id=_in_run(result.name, run),
            title=PurePosixPath(result.name).name,
            stage=_stage(result.name, run),
            state=known.get(result.name, "recorded" if result.record else "no record"),
            sections=[*((more or {}).get(result.name, ())), *sections_of(result)],
        )
        for result in lineage.nodes.values()
    ]
    edges = [(_in_run(link.source, run), _in_run(link.target, run)) for link in lineage.links]
    sections = [*summary, *summary_of(lineage)]
    return Account(title, sections, found, nodes, edges, _in_run(str(root), run))


def told_breaks(breaks: Iterable[Break]) -> list[str]:
    """What does not hold in the records of a lineage, a sentence each."""
    return [
        f"{broken.link.target} was made of {broken.link.source} with sha256 "
        f"{broken.link.sha256[:SHOWN]}, "
        + (
            "of which nothing is recorded."
            if broken.said is None
            else f"which was made anew since and now has {broken.said[:SHOWN]}."
        )
        for broken in breaks
    ]


def summary_of(lineage: Lineage) -> list[Section]:
    """What the records of a lineage have in common, or in how many ways they differ."""
    records = [result.record for result in lineage.nodes.values() if result.record]
    jobs = lineage.jobs()
    return [
        Section(
            "Made by",
            [
                ("results", str(len(lineage.nodes))),
                ("jobs", str(sum(results[0].record is not None for results in jobs.values()))),
                ("links", _told_links(lineage)),
                *_span(records),
                ("code", _common(map(_told_commit, records))),
                ("environment", _software(records)),
                ("as locked", _common(map(_told_departures, records))),
                ("machine", _common(map(_told_machine, records))),
                ("device", _common(map(_told_device, records))),
            ],
        )
    ]


def sections_of(result: Result) -> list[Section]:
    """All that the record of a result says, for people."""
    record = result.record
    if record is None:
        return [Section("Record", [("", "none, or none that can be read")])]
    output, runtime = record["output"], record["runtime"]
    return [
        Section(
            "Result",
            [
                ("path", output["path"]),
                ("sha256", output["sha256"]),
                ("size", f"{output['size_bytes']} bytes, {output['kind']}"),
                ("made by", _told_job(record)),
                ("finished", f"{record['finished_at']}, after {record['seconds']:g} s"),
                ("log", record["log"]),
            ],
        ),
        Section("Settings", [*leaves(record["settings"])]),
        Section("Seeds", [(name, str(seed)) for name, seed in record["seeds"].items()]),
        Section(
            "Code",
            [("fingerprint", record["fingerprints"]["code"]), ("commit", _told_commit(record))],
        ),
        Section(
            "Environment",
            [
                *record["software"].items(),
                ("as locked", _told_departures(record)),
                *[("library", each) for each in record["libraries"]],
            ],
        ),
        Section(
            "Machine",
            [
                ("machine", _told_machine(record)),
                ("system", record["host"]["system"]),
                ("device", _told_device(record)),
                ("deterministic", "yes" if runtime["deterministic"] else "torch was not loaded"),
                ("peak of memory", _told_bytes(runtime["peak_memory_bytes"])),
                *_of_gpu_memory(record),
                *[(f"asked: {name}", str(n)) for name, n in runtime.get("asked_for", {}).items()],
                *[(f"SLURM {name}", text) for name, text in (record["slurm"] or {}).items()],
            ],
        ),
        Section("Facts", [*leaves(record["facts"])]),
        Section(
            "Inputs",
            [(used["name"], f"{used['path']}\n{used['sha256']}") for used in record["inputs"]],
        ),
    ]


def leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Key and value of each leaf of settings; lists of plain values count as one."""
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from leaves(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(tree, list) and any(isinstance(each, (dict, list)) for each in tree):
        for i, value in enumerate(tree):
            yield from leaves(value, f"{prefix}[{i}]")
    else:
        yield prefix, _plain(tree)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    if isinstance(value, dict):
        return "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return str(value)


def _in_run(name: str, run: PurePosixPath) -> str:
    path = PurePosixPath(name)
    return str(path.relative_to(run)) if path.is_relative_to(run) else name


def _stage(name: str, run: PurePosixPath) -> str:
    path = PurePosixPath(name)
    first = path.relative_to(run).parts[0] if path.is_relative_to(run) else "outside"
    stage = "listening" if first == "listen" else first  # the page of all that was interpreted
    return stage if stage in STAGES else "outside"


def _told_job(record: Record) -> str:
    wildcards = " ".join(f"{name}={shlex.quote(v)}" for name, v in record["wildcards"].items())
    return f"{record['rule']} {wildcards}".rstrip()


def _told_links(lineage: Lineage) -> str:
    n, n_broken = len(lineage.links), len([*lineage.breaks()])
    return f"{n}, of which {n_broken} do not hold" if n_broken else f"{n}, all hold"


def _span(records: list[Record]) -> list[tuple[str, str]]:
    if not records:
        return []
    first = min(record["started_at"] for record in records)
    last = max(record["finished_at"] for record in records)
    return [("from", first), ("until", last)]


def _told_commit(record: Record) -> str:
    git = record["git"]
    if git is None:
        return "no git: code fingerprints alone"
    return f"commit {git['commit']}" + (", with changes" if git["dirty"] else "")


def _software(records: list[Record]) -> str:
    """Versions of what any of them hangs on; several where they differ, the rest counted."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, version in record["software"].items():
            found.setdefault(name, set()).add(version)
    shown = [name for name in KNOWN_BY_NAME if name in found]
    told = [f"{name} {' or '.join(sorted(found[name]))}" for name in shown]
    n_more = len(found) - len(shown)
    return ", ".join(told + ([f"{n_more} more, named with each result"] if n_more else []))


def _told_departures(record: Record) -> str:
    found = record["departures"].items()
    told = [f"{name} {d['installed'] or 'missing'}, pinned {d['pinned']}" for name, d in found]
    return "no: " + "; ".join(told) if told else "yes"


def _told_machine(record: Record) -> str:
    host, gpu = record["host"], record["accelerator"]
    told = f"{host['name']}: {host['n_cores']} × {host['cpu']}, {_told_bytes(host['memory_bytes'])}"
    if gpu is None:
        return told
    return (
        f"{told}; {gpu['name']}, {_told_bytes(gpu['memory_bytes'])}, driver {gpu['driver']}, "
        f"CUDA {gpu['cuda']}, cuDNN {gpu['cudnn']}"
    )


def _of_gpu_memory(record: Record) -> list[tuple[str, str]]:
    gpu = record["accelerator"]
    return [] if gpu is None else [("peak of GPU memory", _told_bytes(gpu["peak_memory_bytes"]))]


def _told_device(record: Record) -> str:
    runtime = record["runtime"]
    precision = f", {runtime['precision']}" if runtime["precision"] else ""
    threads = "1 thread" if runtime["n_threads"] == 1 else f"{runtime['n_threads']} threads"
    return f"{runtime['device']}{precision}, {threads}"


def _told_bytes(n: int | None) -> str:
    return "unknown" if n is None else f"{n / 2**30:.1f} GiB"


def _common(texts: Iterable[str]) -> str:
    """What all say; where they do not agree, each with the number of those that say it."""
    found: dict[str, int] = {}
    for text in texts:
        found[text] = found.get(text, 0) + 1
    if len(found) == 1:
        return next(iter(found))
    counted = {text: "1 result" if n == 1 else f"{n} results" for text, n in found.items()}
    return "\n".join(f"{text} ({counted[text]})" for text in sorted(found))
