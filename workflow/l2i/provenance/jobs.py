"""Jobs of a run, put together from the records of what they made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from l2i.checks import InputError
from l2i.hashing import file_sha256
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.records import is_record, load_record
from l2i.provenance.runs import Run

OF_JOB = ("rule", "wildcards", "settings", "fingerprints", "started_at", "finished_at", "seconds")


@dataclass(frozen=True)
class Job:
    """One execution of a rule.

    Parameters
    ----------
    records : tuple of dict
        Of its outputs, one each, in the order of their paths.
    """

    records: tuple[dict[str, Any], ...]

    @property
    def record(self) -> dict[str, Any]:
        """Any of the records, for what all of them say."""
        return self.records[0]

    @property
    def rule(self) -> str:
        """The rule."""
        return str(self.record["rule"])

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """What it made: name, path, kind, sha256 and size of each."""
        return [record["output"] for record in self.records]

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """What it read, in the same form, records of other results included."""
        return list(self.record["inputs"])

    @property
    def title(self) -> str:
        """Rule and wildcards, for people."""
        wildcards = [f"{name}={value}" for name, value in sorted(self.record["wildcards"].items())]
        return " ".join([self.rule, *wildcards])

    @property
    def log(self) -> str:
        """Where its log lies, if it is still there."""
        return str(self.record["log"])

    @property
    def key(self) -> str:
        """A short name that no other job of the run has."""
        first = self.outputs[0]["path"]
        return settings_fingerprint([first, *(self.record[part] for part in OF_JOB)])[:16]


def jobs_of(run: Run) -> list[Job]:
    """All jobs whose results have records in a run, in the order of their first results.

    Raises
    ------
    InputError
        A record is damaged, or of another result than the one it lies beside.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for record in _records_of(run):
        found.setdefault(settings_fingerprint([record[part] for part in OF_JOB]), []).append(record)
    return [Job(tuple(records)) for records in found.values()]


def _records_of(run: Run) -> Iterator[dict[str, Any]]:
    for result in run.results():
        record, name = load_record(run.folder / result), str(run.root / result)
        if record["output"]["path"] != name:
            raise InputError(
                f"the record beside {run.folder / result} is one of {record['output']['path']}: "
                f"delete both and give your command again, which makes {name} anew"
            )
        yield record


def made_by(jobs: Iterable[Job]) -> dict[str, dict[str, Any]]:
    """What records call each result -> its record."""
    return {record["output"]["path"]: record for job in jobs for record in job.records}


def broken(run: Run, jobs: Iterable[Job]) -> Iterator[tuple[str, str]]:
    """What a job read that is another one now, as records have it: its name, and what of it."""
    jobs = [*jobs]
    made = {name: record["output"]["sha256"] for name, record in made_by(jobs).items()}
    for job in jobs:
        for name, sha256 in ((used["path"], used["sha256"]) for used in job.inputs):
            now = made.get(name)
            if is_record(name) and run.file(name).is_file():
                now = file_sha256(run.file(name))
            if now is not None and now != sha256:
                yield name, f"was another one when {job.outputs[0]['path']} was made of it"
