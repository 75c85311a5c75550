"""`l2i audit accept`: a result stands for what would be made today, and needs no rerun."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from cli.opening import Assignments, ConfigFiles, asked_for, run_of
from cli.planned import Plan, PlannedJob, planned
from cli.showing import AsJson, Outcome, tell
from cli.stale import MISSING, Reason, own_reasons
from l2i.checks import InputError
from l2i.provenance.acceptance import accept as accept_outputs
from l2i.provenance.acceptance import load_acceptance, revoke
from l2i.provenance.digests import file_of
from l2i.provenance.records import is_acceptance, papers_below, result_of
from l2i.provenance.runs import NOTES, Run

# What nobody can accept, and what to do about it.
REMEDIES = {
    MISSING: "there is nothing to accept: give your command again, which makes it",
    "record": "nothing vouches for it: give your command again, which makes it anew",
    "corpus": "nobody can accept that: put the files back, or give your command again",
    "touched": "nobody can accept that: put it back, or delete it and give your command again",
    "other": "only Snakemake can tell more: give your command again",
}


@dataclass(frozen=True)
class Accepted:
    """What has been accepted or revoked, and what of it could not be."""

    run: str  # as the workflow names it
    what: str  # accepted or revoked
    results: list[str]
    following: list[str]  # results that follow others, and are as current as those

    @property
    def outcome(self) -> Outcome:
        """What could not be done has been refused before."""
        return Outcome.FINE

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {"run": self.run, self.what: self.results, "following": self.following}

    def show(self, console: Console) -> None:
        """The same for people."""
        console.print(
            f"{self.what} {len(self.results)} of them:" if self.results else "nothing to do"
        )
        for path in self.results:
            console.print(f"  {escape(path)}")
        if self.following:
            n = len(self.following)
            console.print(f"left alone: {n} that only follow others (l2i audit stale says which)")


def accept(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Results, or folders of them, of one run."),
    ],
    why: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why the results stand; needed.")
    ] = "",
    take_back: Annotated[
        bool, typer.Option("--revoke", help="Take all acceptances of these results back.")
    ] = False,
    configfile: ConfigFiles = None,
    config: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Accept results as what would be made today, so that a harmless change needs no rerun.

    Of a folder, all that is stale below it. All results of one job are accepted together. Another
    change makes them stale again, --revoke does so at once, and whatever makes them anew removes
    the acceptance.
    """
    run = _run_of(paths)
    names = [file_of(run.named(path.absolute())) for path in paths]
    if take_back:
        tell(Accepted(str(run.root), "revoked", _revoke(run, names), []), as_json)
    if not why.strip():
        raise InputError('an acceptance needs a reason: add --reason "why the results stand"')
    with planned(run, asked_for(run, configfile, config)) as plan:
        report = _accept(plan, names, why)
    tell(report, as_json)


def _run_of(paths: list[Path]) -> Run:
    """The one run that all of them are of."""
    runs = [Run(p.absolute()) if (p / NOTES).is_dir() else run_of(p) for p in paths]
    folders = {run.folder for run in runs}
    if len(folders) > 1:
        raise InputError("these are results of several runs: accept those of one at a time")
    return runs[0]


def _accept(plan: Plan, names: list[str], why: str) -> Accepted:
    own = own_reasons(plan)
    chosen: dict[int, PlannedJob] = {}
    following: list[str] = []
    for name in names:
        jobs = [job for job in plan.jobs if any(_is_below(path, name) for path in job.outputs)]
        if not jobs:
            raise InputError(
                f"{name} is no result of today's configuration: l2i audit stale lists those that "
                "are stale"
            )
        named = any(name in job.outputs for job in jobs)
        for job in jobs:
            if own[id(job)] and (named or _may_be_accepted(own[id(job)])):
                chosen[id(job)] = job
            elif job.will_run and not own[id(job)]:
                following += job.outputs
            elif named:
                raise InputError(f"{name} is current: there is nothing to accept")
        if named and not chosen:
            raise InputError(_of_following(name, jobs))
    for job in chosen.values():
        _require_acceptable(job, own[id(job)])
    for job in chosen.values():
        accept_outputs(job.outputs, job.today, why)
    results = [path for job in chosen.values() for path in job.outputs]
    return Accepted(str(plan.run.root), "accepted", results, following)


def _may_be_accepted(reasons: list[Reason]) -> bool:
    return not any(reason.kind == MISSING for reason in reasons)


def _require_acceptable(job: PlannedJob, reasons: list[Reason]) -> None:
    for reason in reasons:
        if reason.kind in REMEDIES:
            raise InputError(f"{job.outputs[0]}: {reason.text}; {REMEDIES[reason.kind]}")


def _of_following(name: str, jobs: list[PlannedJob]) -> str:
    above = [
        path for job in jobs for each in job.waits_for if each.will_run for path in each.outputs
    ]
    return (
        f"{name} itself has not changed: it is of {above[0]}, which is stale. Accept that, or the "
        "folder of both"
    )


def _is_below(path: str, name: str) -> bool:
    return path == name or name == "." or path.startswith(f"{name}/")


def _revoke(run: Run, names: list[str]) -> list[str]:
    revoked: dict[str, None] = {}
    accepted = map(result_of, filter(is_acceptance, papers_below(run.folder)))
    for path in map(run.named, accepted):
        if any(_is_below(path, name) for name in names):
            found = load_acceptance(run.file(path)) or {"outputs": [path]}
            # It may name anything; what is not of this run is not touched.
            revoked |= dict.fromkeys(filter(run.is_of_run, found["outputs"]))
    for path in revoked:
        revoke(run.file(path))
    return [*revoked]
