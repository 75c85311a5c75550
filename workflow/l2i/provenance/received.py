"""A crate that came from elsewhere, unpacked: whether all that it holds is what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from l2i.checks import InputError
from l2i.hashing import file_sha256
from l2i.provenance.digests import digest_path, require_digest
from l2i.provenance.jobs import Job, broken, jobs_of
from l2i.provenance.packing import METADATA
from l2i.provenance.runs import Run


class Problem(NamedTuple):
    """A file of a crate that is not what something else in it says."""

    path: str  # in the crate
    what: str

    def __str__(self) -> str:
        return f"{self.path} {self.what}"


def run_in(folder: str | Path) -> Run:
    """The one run that a crate holds.

    Raises
    ------
    InputError
        It holds none, several, or one whose configuration has another name.
    """
    found = sorted(path for path in Path(folder).glob("results/*") if path.is_dir())
    if len(found) != 1:
        raise InputError(
            f"the crate holds {len(found)} runs, and must hold one, as `l2i audit crate` packs it"
        )
    run = Run(found[0])
    configured = (run.configuration or {}).get("name")
    if configured != run.folder.name or str(run.root) != f"results/{configured}":
        raise InputError(
            f"the crate holds results/{run.folder.name}, but its records are of {run.root} and its "
            f"configuration of {configured!r}: have it packed again by `l2i audit crate`"
        )
    return run


def problems_of(folder: str | Path, run: Run) -> list[Problem]:
    """All that is not as it was packed, or not as records have it, each file once."""
    folder = Path(folder)
    jobs = jobs_of(run)
    links = (Problem(*found) for found in broken(run, jobs))
    found = [*_against_metadata(folder), *_against_records(run, jobs), *links]
    return [*{problem.path: problem for problem in reversed(found)}.values()][::-1]


def _against_metadata(folder: Path) -> Iterator[Problem]:
    """Every file is described, with the hash that it has."""
    described = _described(folder / METADATA)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for name in sorted(there - {METADATA}):
        sha256 = described.get(quote(name))
        if sha256 is None:
            yield Problem(name, "is in the crate, which says nothing of it")
        elif sha256 != file_sha256(folder / name):
            yield Problem(name, _changed(sha256, file_sha256(folder / name)))
    lost = (name for name in described if name not in {quote(each) for each in there})
    yield from (Problem(name, "is missing") for name in sorted(lost))


def _described(metadata: Path) -> dict[str, str]:
    """Identifier -> sha256 of the files that a crate says it holds."""
    try:
        graph: list[dict[str, Any]] = json.loads(metadata.read_text(encoding="utf-8"))["@graph"]
        files = [each for each in graph if "File" in each["@type"] and ":" not in each["@id"]]
        return {each["@id"]: each["sha256"] for each in files}
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        raise InputError(
            f"{METADATA} is missing in the crate or damaged ({error}): get the crate again, or "
            "have it packed again by `l2i audit crate`"
        ) from None


def _against_records(run: Run, jobs: list[Job]) -> Iterator[Problem]:
    """What is there is what its record, and its digest, says."""
    for record in (record for job in jobs for record in job.records):
        output, rule = record["output"], record["rule"]
        path, name = run.file(output["path"]), output["path"]
        if not re.fullmatch(r"\w+", rule):  # a name of what to run could be an option instead
            yield Problem(name, f"has a record that tells of a rule {rule!r}")
        if path.is_file() and (sha256 := file_sha256(path)) != output["sha256"]:
            yield Problem(name, _changed(output["sha256"], sha256))
        if digest_path(path).exists():
            try:
                require_digest(path, output["sha256"])
            except InputError:
                yield Problem(str(digest_path(name)), f"is not of what the record of {name} says")


def _changed(said: str, found: str) -> str:
    return f"was changed: sha256 {said[:8]} is recorded, and it has {found[:8]}"
