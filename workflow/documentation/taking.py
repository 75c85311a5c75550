"""The tables of a finished run into docs/measured, with the facts that their records tell."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from documentation.places import BY_HAND, MEASURED, PAGES, PROJECT
from l2i.checks import InputError
from l2i.hashing import file_sha256
from l2i.provenance.records import load_record, record_path


def take(
    results: Path,
    *,
    command: str | None = None,
    commit: str | None = None,
    note: str | None = None,
    measured: Path = MEASURED,
) -> str:
    """Copy the tables of a finished run, with the facts that their records tell.

    Parameters
    ----------
    results : path
        ``results/{name}``, or a copy of it that holds ``tables`` and every record.
    command, commit, note : str, optional
        What records do not know.
    measured : path
        Where to; a folder named after the run there is replaced.

    Returns
    -------
    str
        What was done, and which lines of the pages are to be read again.

    Raises
    ------
    InputError
        No table, a table that is not what its record says, or no commit.
    """
    tables = sorted((results / "tables").glob("*.csv"))
    if not tables:
        raise InputError(f"{results} holds no tables/*.csv: name the folder of a finished run")
    for table in tables:
        if file_sha256(table) != load_record(table)["output"]["sha256"]:
            raise InputError(f"{table} is not what its record says: run the workflow again")
    root = Path(load_record(tables[0])["output"]["path"]).parents[1]
    records, n_missing = _records_behind(tables, results, root.as_posix())
    about = {
        "command": command or f"snakemake --configfile config/{root.name}.yaml",
        **_facts(records, commit),
        **({"note": note} if note else {}),
    }
    folder = measured / root.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for table in tables:
        shutil.copyfile(table, folder / table.name)
    text = yaml.safe_dump(
        about, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
    )
    (folder / "about.yaml").write_text(text, encoding="utf-8")
    said = [f"{len(tables)} tables and about.yaml are in {folder}"]
    if n_missing:
        said.append(f"facts are incomplete: {n_missing} results behind them have no record here")
    if about["uncommitted_changes"]:
        said.append("some of it was computed with uncommitted changes, and the pages will say so")
    said += [f"read again, it was typed: {place}" for place in _typed(root.name)]
    return "\n".join(said)


def _records_behind(
    tables: Iterable[Path], results: Path, root: str
) -> tuple[list[dict[str, Any]], int]:
    """The records of tables and of all results that these were made from; how many are missing."""
    found: dict[Path, dict[str, Any]] = {}
    waiting, missing = [*tables], set()
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = load_record(path)
        for used in found[path]["inputs"]:
            stage, _, rest = used["path"].removeprefix(f"{root}/").partition("/")
            below = results / stage / rest
            if record_path(below).exists():
                waiting.append(below)
            elif used["path"].startswith(f"{root}/") and stage not in ("data", "corpora"):
                missing.add(below)
    return [*found.values()], len(missing)


def _facts(records: list[dict[str, Any]], commit: str | None) -> dict[str, Any]:
    """When, where, at which commit and for which folds jobs were done."""
    # A job has a record for each of its outputs.
    once = {(r["rule"], *r["wildcards"].items(), r["started_at"]): r for r in records}
    jobs = sorted(once.values(), key=lambda record: record["started_at"])
    known = [record["git"] for record in jobs if record["git"]]
    commits = [commit] if commit else [*dict.fromkeys(git["commit"][:7] for git in known)]
    if not commits:
        raise InputError("the records know no commit: give it with --commit")
    folds: dict[str, dict[str, list[str]]] = {}
    for where, system in ((r["wildcards"], r["wildcards"].get("system")) for r in jobs):
        if system and "fold" in where:
            of_system = folds.setdefault(where["dataset"], {}).setdefault(system, [])
            of_system += [where["fold"]] if where["fold"] not in of_system else []
    hosts = (record["host"] for record in jobs)
    return {
        "commits": commits,
        "uncommitted_changes": any(git["dirty"] for git in known),
        "first_day": jobs[0]["started_at"][:10],
        "last_day": max(record["finished_at"] for record in jobs)[:10],
        "minutes": round(_busy_seconds(jobs) / 60, 1),  # with at least one job at work
        "jobs": len(jobs),
        "machines": _each(
            f"{h['n_cores']} cores of {h['cpu']}, {h['memory_bytes'] / 2**30:.0f} GiB"
            for h in hosts
        ),
        "accelerators": _each(r["accelerator"]["name"] for r in jobs if r["accelerator"]),
        "precisions": _each(r["runtime"]["precision"] for r in jobs if r["runtime"]["precision"]),
        "folds": {name: {s: sorted(of[s]) for s in sorted(of)} for name, of in folds.items()},
    }


def _each(values: Iterable[str]) -> list[str]:
    return sorted(set(values))


def _busy_seconds(jobs: Iterable[Mapping]) -> float:
    """For how long at least one job was at work."""
    at = datetime.datetime.fromisoformat
    seconds, until = 0.0, datetime.datetime.min.replace(tzinfo=datetime.UTC)
    for start, end in sorted((at(job["started_at"]), at(job["finished_at"])) for job in jobs):
        seconds += max(0.0, (end - max(start, until)).total_seconds())
        until = max(until, end)
    return seconds


def _typed(run: str) -> list[str]:
    """Places of the pages with typed numbers of a run."""
    return [
        f"{page.relative_to(PROJECT)}:{number}"
        for page in PAGES
        for number, line in enumerate(page.read_text("utf-8").splitlines(), start=1)
        if (mark := BY_HAND.search(line)) and mark[1] == run
    ]
