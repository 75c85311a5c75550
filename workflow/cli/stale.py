"""`l2i audit stale`: which results no longer match what would make them today, and why."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.markup import escape

from cli.opening import Asked, Assignments, ConfigFiles, RunFolder, asked_for, open_run
from cli.planned import Plan, PlannedJob, planned
from cli.showing import AsJson, Outcome, tell
from l2i.provenance.currency import Difference
from l2i.provenance.sources import code_changes

FEW = 3  # paths that are told of each rule; others are counted
STALE, MISSING, FOLLOWS = "stale", "missing", "follows"
DEPARTURE = "departure"
PHRASES = {
    "setting": "setting {name}: was {before}, now {after}",
    "package": "{name}: was {before}, now {after}",
    "rule": "rule: was {before}, now {after}",
    "wildcards": "wildcards: were {before}, now {after}",
    "input": "input {name}: was sha256 {before}, now {after}",
    "order": "its inputs come in another order",
    "record": "it has no record that can be read",
}


class Reason(NamedTuple):
    """Why a result is not what would be made today."""

    kind: str  # of a Difference, or missing, corpus, touched, departure, other
    text: str
    # Of a setting, a package or an input, as a Difference has them; of code, the file.
    name: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Result:
    """A result that is not what would be made today."""

    path: str
    declared: str  # as Snakemake knows it
    rule: str
    wildcards: dict[str, str]
    status: str  # stale, missing or follows
    reasons: list[Reason]  # where it follows: those of what it follows
    inputs: list[str]  # of it, those that will be made anew


@dataclass(frozen=True)
class Staleness:
    """The answer to what is stale in a run."""

    run: str  # as the workflow names it
    asked: Asked
    findings: list[Result]
    not_asked_for: list[str]  # results that no job of today's configuration makes
    n_current: int
    knows_corpora: bool
    show_all: bool = field(default=False, compare=False)

    @property
    def outcome(self) -> Outcome:
        """What is missing was never made, so it cannot be stale."""
        missing = all(each.status == MISSING for each in self.findings)
        return Outcome.FINE if missing else Outcome.STALE

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {
            "run": self.run,
            "asked_for": self.asked._asdict(),
            "results": [_fact(each) for each in self.findings],
            "not_asked_for": self.not_asked_for,
            "n_current": self.n_current,
            "corpora_compared": self.knows_corpora,
        }

    def show(self, console: Console) -> None:
        """The same for people: by reason, roots first."""
        for line in self._lines():
            console.print(line)

    def _lines(self) -> Iterator[str]:
        n = Counter(each.status for each in self.findings)
        counted = [f"{n[STALE]} stale", f"{n[FOLLOWS]} that follow", f"{n[MISSING]} missing"]
        yield f"[bold]{escape(self.run)}[/]: {', '.join(counted)}, {self.n_current} current"
        of_departures = []
        for reason, (roots, following) in _by_reason(self.findings).items():
            yield ""
            yield f"[bold]{escape(reason.text)}[/]"
            yield from self._listed(roots)
            if following:
                yield f"  and {_counted(following)} {'follow' if len(following) > 1 else 'follows'}"
            of_departures += roots if reason.kind == DEPARTURE else []
        if of_departures:
            rules = sorted({each.rule for each in of_departures})
            command = " ".join(["snakemake", *self.asked.options(), "--forcerun", *rules])
            yield ""
            yield "Snakemake does not make anew what ran with other packages, unless it is forced:"
            yield f"  {escape(command)}"
        if self.not_asked_for:
            yield ""
            n_left = len(self.not_asked_for)
            yield f"[bold]no longer asked for[/] by today's configuration: {_results(n_left)}"
            yield from (f"  {escape(path)}" for path in self._few(self.not_asked_for))
        if not self.knows_corpora:
            yield ""
            yield "The corpora were not looked at: this folder lies outside of its project."

    def _listed(self, findings: list[Result]) -> Iterator[str]:
        for rule in sorted({each.rule for each in findings}):
            paths = [each.path for each in findings if each.rule == rule]
            yield f"  {escape(rule)}: {_results(len(paths))}"
            yield from (f"    {escape(path)}" for path in self._few(paths))

    def _few(self, paths: list[str]) -> list[str]:
        if self.show_all or len(paths) <= FEW + 1:
            return paths
        return [*paths[:FEW], f"... {len(paths) - FEW} more (--all)"]


def stale(
    run: RunFolder = None,
    configfile: ConfigFiles = None,
    config: Assignments = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="List every result, not the first of each rule alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what no longer matches today's settings, code, packages or data, and why.

    Nothing is run and no large file is read. Exit code: 2 something is stale. What is
    missing was never made, and is not stale.
    """
    opened = open_run(run)
    with planned(opened, asked_for(opened, configfile, config)) as plan:
        report = staleness(plan, show_all=show_all)
    tell(report, as_json)


def staleness(plan: Plan, *, show_all: bool = False) -> Staleness:
    """What of a run is not what the plan would make."""
    findings: list[Result] = []
    for job, own, upstream in explained(plan):
        if own or job.will_run:
            above = (each for each in job.waits_for if each.will_run)
            inputs = sorted(path for each in above for path in each.outputs)
            findings += _findings(job, own, upstream, inputs)
    made = {path for job in plan.jobs for path in job.outputs}
    results = [str(plan.run.root / path) for path in plan.run.results()]
    return Staleness(
        run=str(plan.run.root),
        asked=plan.asked,
        findings=findings,
        not_asked_for=[path for path in results if path not in made],
        n_current=len(made) - len(findings),
        knows_corpora=plan.knows_corpora,
        show_all=show_all,
    )


def explained(plan: Plan) -> Iterator[tuple[PlannedJob, list[Reason], list[Reason]]]:
    """Each job with the reasons of its own, and with those of what it follows."""
    own = own_reasons(plan)
    inherited: dict[int, dict[Reason, None]] = {}
    for job in plan.jobs:
        above = [each for each in job.waits_for if each.will_run]
        upstream = {reason: None for each in above for reason in inherited[id(each)]}
        reasons = own[id(job)]
        inherited[id(job)] = upstream | {r: None for r in reasons if r.kind != DEPARTURE}
        yield job, reasons, [*upstream]


def own_reasons(plan: Plan) -> dict[int, list[Reason]]:
    """Why each job would be run today for its own sake, by `id`; what merely follows has none."""
    makers = {path: job for job in plan.jobs for path in job.outputs}
    return {id(job): [*dict.fromkeys(_own(plan, job, makers))] for job in plan.jobs}


def _own(plan: Plan, job: PlannedJob, makers: Mapping[str, PlannedJob]) -> Iterator[Reason]:
    if not job.will_run:
        yield from _departures(plan, job)
        return
    both = [*zip(job.outputs, job.declared, strict=True)]
    lost = [paths for paths in both if not all(map(os.path.exists, paths))]
    if lost:
        made = any(plan.known.of(path) is not None for path in job.outputs)
        yield Reason(MISSING, "made once, but it or its digest is lost" if made else "not made yet")
    for change in job.changes:
        if not (lost and change.kind == "record"):
            yield from _reasons_of(change, plan, job, makers)
    yield from (Reason("corpus", f"corpus of {_dataset(job)}: {each}") for each in job.corpus)
    for path in job.touched:
        if path not in makers or not makers[path].will_run:
            yield Reason("touched", f"input {path}: was changed, it is not what its record says")
    follows = any(each.will_run for each in job.waits_for)
    if not follows and not (lost or job.changes or job.corpus or job.touched):
        yield Reason("other", f"Snakemake says: {job.why}")


def _reasons_of(
    change: Difference, plan: Plan, job: PlannedJob, makers: Mapping[str, PlannedJob]
) -> Iterator[Reason]:
    if change.kind == "code":
        yield from _reasons_of_code(plan, job)
    elif change.kind != "input" or not _is_to_come(change, makers):
        text = PHRASES[change.kind].format(**change._asdict())
        yield Reason(change.kind, text, change.name, change.before, change.after)


def _is_to_come(change: Difference, makers: Mapping[str, PlannedJob]) -> bool:
    """Whether an input will be made anew, so that what it holds today decides nothing."""
    _, _, path = change.name.partition(" ")
    return path in makers and makers[path].will_run


def _reasons_of_code(plan: Plan, job: PlannedJob) -> Iterator[Reason]:
    for path in job.outputs:
        made = plan.known.identity_of(path)
        if made is None or made.code == job.today.code:
            continue
        then = plan.run.code(made.code)
        if then is not None:
            changed = code_changes(then, plan.code_parts(job.today.code))
            yield from (Reason("code", f"code of {each.told()}", each.file) for each in changed)
            continue
        git = (plan.known.of(path) or {}).get("git") or {}
        commit = f"commit {git['commit'][:12]}" if git else "a tree without git"
        dirty = " with changes that were not committed" if git.get("dirty") else ""
        yield Reason(
            "code",
            f"code of {job.rule}: another one than at {commit}{dirty} (nothing is noted of it)",
        )


def _departures(plan: Plan, job: PlannedJob) -> Iterator[Reason]:
    for path in job.outputs:
        record = plan.known.of(path)
        if record is not None and not plan.known.is_accepted(path):
            for name, each in record["departures"].items():
                installed = each["installed"] or "missing"
                yield Reason(DEPARTURE, f"ran with {name} {installed}, pinned {each['pinned']}")


def _dataset(job: PlannedJob) -> str:
    return job.wildcards.get("dataset", job.rule)


def _findings(
    job: PlannedJob, own: list[Reason], upstream: list[Reason], inputs: list[str]
) -> Iterator[Result]:
    for path, declared in zip(job.outputs, job.declared, strict=True):
        reasons = own or upstream
        yield Result(path, declared, job.rule, job.wildcards, status_of(own), reasons, inputs)


def status_of(own: list[Reason]) -> str:
    """Of what a job makes, by the reasons of its own."""
    missing = any(reason.kind == MISSING for reason in own)
    return MISSING if missing else STALE if own else FOLLOWS


def fact_of_reason(reason: Reason) -> dict[str, str]:
    """A reason as JSON has it: without what it does not say."""
    return {name: text for name, text in reason._asdict().items() if text}


def _by_reason(findings: Iterable[Result]) -> dict[Reason, tuple[list[Result], list[Result]]]:
    """Each reason with the results that it is about, and those that follow them; most first."""
    found: dict[Reason, tuple[list[Result], list[Result]]] = {}
    for each in findings:
        for reason in each.reasons:
            found.setdefault(reason, ([], []))[each.status == FOLLOWS].append(each)
    return dict(sorted(found.items(), key=lambda item: -len(item[1][0])))


def _counted(findings: list[Result]) -> str:
    n = Counter(each.rule for each in findings)
    return f"{_results(len(findings))} ({', '.join(f'{rule} {n[rule]}' for rule in sorted(n))})"


def _results(n: int) -> str:
    return f"{n} result" if n == 1 else f"{n} results"


def _fact(finding: Result) -> dict[str, Any]:
    made_anew = all(reason.kind != DEPARTURE for reason in finding.reasons)
    return {
        "path": finding.path,
        "rule": finding.rule,
        "wildcards": finding.wildcards,
        "status": finding.status,
        "reasons": [fact_of_reason(reason) for reason in finding.reasons],
        "inputs_to_come": finding.inputs,
        "remade_by": "snakemake" if made_anew else f"snakemake --forcerun {finding.declared}",
    }
