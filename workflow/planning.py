"""What a run must compute, judged by the records of results (l2i.provenance.currency).

Snakemake judges by notes of its own, in `.snakemake`. They go where that folder goes, know nothing
of what a job made after Snakemake was killed, and cannot tell what an input held. The records can,
and they lie beside the results: :func:`plan_by_records` has Snakemake ask them. It still plans by
itself what is missing, what follows, and an input that is newer and not what its record says.

A job whose inputs turn out to be the same as before finds its results made and leaves them (see
`perform` in harness/job.py). For that they must still be there, hence Snakemake removes none: the
job does, before it makes its own, and puts those in place whole. So none are damaged by one that
fails, nor by another that failed in the same job of SLURM.

A workflow that uses this one as a module has rules of its own: of those Snakemake judges as always.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import uuid
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from snakemake.io import _IOFile
from snakemake.jobs import Job
from snakemake.persistence import ParamsChange, PersistenceBase
from snakemake.workflow import Workflow

from harness.job import remake_mark
from harness.log import put_aside
from l2i.checks import printable
from l2i.provenance.currency import Difference, Identity, KnownRecords
from l2i.provenance.digests import digest_text, file_of, is_digest

SCRIPTS = Path(__file__).resolve().parent / "scripts"
# What a Snakefile calls OUTSIDE. By rule: what has changed, for one of its jobs, in what it reads
# and Snakemake knows nothing of.
Outside = Mapping[str, Callable[[Any], list[str]]]
FEW = 3  # such changes that are told; others are counted
PUBLISHED: dict[tuple[type, str], Callable] = {}  # methods of Snakemake as they were


def plan_by_records() -> None:
    """Have Snakemake ask the records of our results, and `OUTSIDE` of those they call current."""
    known = KnownRecords()
    changed_outside = functools.cache(changes_outside)

    def params_changed(self: Any, job: Any, file: Any = None) -> ParamsChange:
        found = [] if _is_unmade(job) else changes(job)
        # As one text each, since Snakemake keeps sets, in no order.
        return ParamsChange(
            only_old={"; ".join(each.then for each in found)} if found else set(),
            only_new={"; ".join(each.now for each in found)} if found else set(),
            files=set(job.output if found else ()),
        )

    def _is_unmade(job: Any) -> bool:
        """Whether there is neither result nor record; told as what it is, missing."""
        paths = [file_of(path) for path in job.output]
        unmade = bool(paths) and not any(
            os.path.exists(path) or known.of(path) is not None for path in paths
        )
        if unmade:
            job.dag.reason(job).missing_output.update(job.output)
        return unmade

    @functools.cache
    def changes(job: Any) -> list[Difference]:
        return changes_since_made(job, known) or [*_told(changed_outside(job))]

    def input_checksums(self: Any, job: Any, path: Any) -> set[str | None]:
        sha256 = known.sha256_of(file_of(path))
        if sha256 is not None and is_digest(path):
            sha256 = hashlib.sha256(digest_text(file_of(path), sha256).encode()).hexdigest()
        return {sha256 and f"sha256:{sha256}"}

    for_ours = functools.partial(_answer, PersistenceBase, rule_of=lambda self, job, *_: job.rule)
    for_ours("params_changed", params_changed)
    for_ours("input_checksums", input_checksums)
    for_ours("incomplete", _none_incomplete)
    # All that these would tell of stands in the records: `changes` finds it.
    for_ours("input_changed", lambda self, job, file=None: [])
    for_ours("code_changed", lambda self, job, file=None: [])
    for_ours("has_metadata", lambda self, job: True)
    for_ours("has_outdated_metadata", lambda self, job: False)
    _answer(Job, "outputs_older_than_script_or_notebook", _none_older)
    _answer(Job, "remove_existing_output", _keep_existing_output)
    _answer(Job, "cleanup", _keep_outputs_of_failed)
    _answer(_IOFile, "is_newer", _is_newer)
    _answer(_IOFile, "exists", _exists)
    PUBLISHED.setdefault((Workflow, "log_provenance_info"), Workflow.log_provenance_info)
    Workflow.log_provenance_info = _tell_how_to_ignore_changes


def _answer(
    owner: Any, name: str, ours: Callable, rule_of: Callable = lambda self, *_: self.rule
) -> None:
    """Have `ours` answer in the place of a method of Snakemake's, where our rules are concerned.

    `rule_of` gives the rule in question, of the arguments of the method.
    """
    published = PUBLISHED.setdefault((owner, name), getattr(owner, name))

    @functools.wraps(published)
    def either(self: Any, *arguments: Any, **more: Any) -> Any:
        method = ours if is_ours(rule_of(self, *arguments)) else published
        return method(self, *arguments, **more)

    setattr(owner, name, either)


def is_ours(rule: Any) -> bool:
    """Whether a rule runs a script of this workflow, whatever a workflow around it calls it."""
    if rule is None or not rule.script or rule.basedir is None:
        return False
    return _is_of_ours(rule.basedir.get_path_or_uri(secret_free=True), str(rule.script))


@functools.cache
def _is_of_ours(folder: str, script: str) -> bool:
    return Path(folder, script).resolve().parent == SCRIPTS


def own_name(rule: Any) -> str:
    """What this workflow calls its rule: the name of its script."""
    return Path(rule.script).stem


def identity_of(job: Any, known: KnownRecords) -> Identity:
    """What a job of Snakemake would make today, if its inputs are what their records say."""
    return Identity(
        rule=own_name(job.rule),
        wildcards=dict(job.wildcards_dict),
        settings=json.loads(job.params.settings),
        code=job.params.code,
        pins=json.loads(job.params.env),
        inputs=[(name, path, known.sha256_of(path)) for name, path in _named_files(job.input)],
    )


def changes_since_made(job: Any, known: KnownRecords) -> list[Difference]:
    """What has changed since the results of a job were made or accepted, as their records tell."""
    today = identity_of(job, known)
    found = [known.changes_since(file_of(path), today) for path in job.output]
    return [*dict.fromkeys(each for changes in found for each in changes)]


def changes_outside(job: Any) -> list[str]:
    """What has changed in what a job of ours reads and Snakemake knows nothing of."""
    outside: Outside = job.rule.module_globals["OUTSIDE"]
    name = own_name(job.rule)
    return outside[name](job) if name in outside else []


def before_first_job(jobs: list[Any]) -> None:
    """Mark what must be made anew, though its job would find it made.

    That is what the user forces, and what was made of something that has changed outside.
    """
    for job in jobs:
        if not is_ours(job.rule):
            continue
        mark = remake_mark(file_of(job.output[0]))
        if _is_forced(job) or changes_outside(job):
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(uuid.uuid4().hex, encoding="utf-8")
        else:
            mark.unlink(missing_ok=True)


def _is_forced(job: Any) -> bool:
    """As Snakemake asks, which leaves it out of its reasons for what follows another job."""
    forced = job.rule in job.dag.forcerules and job not in job.dag.omitforce
    return forced or not job.dag.forcefiles.isdisjoint(job.output)


async def _is_newer(self: Any, time: float) -> bool:
    """A folder is newer whenever anything lists it: its record decides, and whoever opens it."""
    return not os.path.isdir(self) and await PUBLISHED[_IOFile, "is_newer"](self, time)


async def _exists(self: Any) -> bool:
    """A digest alone is nothing: its file was lost, and is made anew for those who need it.

    Where only some rules may run, the digest will do: tables that are made from a crate read the
    records of models, which are not in it, and what makes models is not allowed.
    """
    alone = is_digest(self) and not os.path.exists(file_of(self)) and not _only_some_may_run(self)
    return not alone and await PUBLISHED[_IOFile, "exists"](self)


def _only_some_may_run(file: Any) -> bool:
    settings = file.rule.workflow.dag_settings
    return settings is not None and bool(settings.allowed_rules)


async def _none_incomplete(self: Any, job: Any) -> list[Any]:
    """Results appear whole, their records last: what was not finished has none."""
    return []


async def _none_older(self: Any) -> AsyncGenerator:
    """That a script was touched is nothing: its fingerprint tells when it was changed."""
    for nothing in self.output[:0]:
        yield nothing


async def _keep_existing_output(self: Any) -> None:
    """See above. A log of before must not be shown where a job dies before it says anything."""
    for path in self.log:
        put_aside(path)


async def _keep_outputs_of_failed(self: Any, skip_outputs: Any) -> None:
    """See above."""


def _tell_how_to_ignore_changes(self: Any) -> None:
    """As Snakemake does, but not of our rules: records ignore nothing."""
    planned = self.dag.needrun_jobs(exclude_finished=False)
    if any(job.output and not is_ours(job.rule) for job in planned):
        PUBLISHED[Workflow, "log_provenance_info"](self)


def _told(changes: list[str]) -> Iterator[Difference]:
    shown = changes[:FEW] + ([f"{len(changes) - FEW} more"] if len(changes) > FEW else [])
    yield from (Difference("corpus", "", "as it was read", printable(change)) for change in shown)


def _named_files(files: Any) -> Iterator[tuple[str, str]]:
    for name, value in files.items():
        for path in [value] if isinstance(value, str) else value:
            yield name, file_of(path)
