"""`l2i plan`: what a command would run, why, at what cost, and which numbers become invalid."""

from __future__ import annotations

import math
import os
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.expenses import ALIKE, FORMULA, OWN, Expense, Expenses
from cli.invalidated import Invalidated, invalidated_tables, redrawn_figures
from cli.opening import PROJECT, RESULTS, Asked
from cli.planned import Command, Plan, PlannedJob, planned_in
from cli.schedule import Timed, makespan
from cli.showing import AsJson, Outcome, tell
from cli.stale import FOLLOWS, Reason, explained, fact_of_reason, own_reasons, status_of
from configuration.captions import caption_of
from l2i.provenance.runs import NOTES

GPUS = Path("/proc/driver/nvidia")  # is there where NVIDIA's driver has been loaded
FORMAT = 1  # of what --json prints: workflow/schemas/plan.schema.yaml
# Seconds of one core in which Snakemake and Python start for a job, measured on the demo.
STARTING = 2.8
FAR = 10  # times the work of the largest job that the formula was fitted to
FEW = 8  # reasons, and rules that cost most, that are told; others are counted
FEW_RULES = 4  # of a reason, and systems of a table
KNOWN_BY = {OWN: "own record", ALIKE: "jobs alike", FORMULA: "formula"}


@dataclass(frozen=True)
class ToRun:
    """A job that would run."""

    job: PlannedJob
    reasons: list[Reason]  # its own; where it has none, those of what it follows
    status: str  # stale, missing or follows
    expense: Expense


@dataclass(frozen=True)
class Forecast:
    """The answer to what a command would run."""

    run: str  # as the workflow names it
    folder: Path  # in which that holds
    asked: Asked
    command: Command
    n_jobs: int  # of the configuration, whether or not they would run
    to_run: list[ToRun]
    wall_seconds: float
    n_gpus: int  # that jobs take turns on; 0: none uses one
    tables: list[Invalidated]
    figures: list[str]
    others: list[str]  # commands of runs that are there, where of this one nothing is

    @property
    def outcome(self) -> Outcome:
        """That there is something to do is no failure."""
        return Outcome.FINE

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        cores, gpus = self._spent(self.to_run)
        return {
            "format": FORMAT,
            "run": self.run,
            "asked_for": self.asked._asdict() | {"targets": [*self.command.targets]},
            "n_jobs": self.n_jobs,
            "jobs": [_fact(each) for each in self.to_run],
            "cost": {
                "core_seconds": cores,
                "gpu_seconds": gpus,
                "wall_seconds": self.wall_seconds,
                "n_cores": self.command.cores,
                "n_gpus": self.n_gpus,
                "n_jobs_by": dict(_known_by(self.to_run)),
            },
            "tables": [_fact_of_table(each) for each in self.tables],
            "figures": self.figures,
        }

    @staticmethod
    def _spent(jobs: Iterable[ToRun]) -> tuple[float, float]:
        """Seconds of cores, with those of starting, and of GPUs."""
        spent = [each.expense for each in jobs]
        cores = sum(each.core_seconds for each in spent) + STARTING * len(spent)
        return cores, sum(each.gpu_seconds for each in spent)

    # ------------------------------------------------------------ told

    def show(self, console: Console) -> None:
        """The same for people."""
        n = len(self.to_run)
        told = f"{n} of {self.n_jobs} jobs would run" if n else f"all {self.n_jobs} jobs are done"
        console.print(f"[bold]{escape(self.run)}[/]: {told}")
        if not self.to_run:
            return
        for line in (*self._told_reasons(), "", "[bold]What[/]"):
            console.print(line)
        console.print(self._table_of_rules())
        for line in (*self._told_cost(), *self._told_numbers(), *self._told_command()):
            console.print(line)

    def _told_reasons(self) -> Iterator[str]:
        yield ""
        yield "[bold]Why[/]"
        roots: dict[Reason, list[ToRun]] = defaultdict(list)
        followers: Counter[Reason] = Counter()
        for each in self.to_run:
            for reason in each.reasons:
                if each.status == FOLLOWS:
                    followers[reason] += 1
                else:
                    roots[reason].append(each)
        for reason, jobs in sorted(roots.items(), key=lambda item: -len(item[1]))[:FEW]:
            n = followers[reason]
            follow = f"; {n} {'follows' if n == 1 else 'follow'}" if n else ""
            yield f"  {escape(reason.text)}"
            yield f"    [dim]{escape(_counted(jobs))}{follow}[/]"
        if len(roots) > FEW:
            yield f"  ... {len(roots) - FEW} more reasons (--json has them)"

    def _table_of_rules(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("  rule")
        gpus = any(each.expense.gpu_seconds for each in self.to_run)
        for heading in ("jobs", "cores", *(["GPU"] if gpus else [])):
            table.add_column(heading, justify="right")
        table.add_column("known by")
        for named, jobs in self._by_rule():
            spent = self._spent(jobs)[: 1 + gpus]
            known = ", ".join(KNOWN_BY[by] for by in _known_by(jobs))
            table.add_row(f"  {named}", str(len(jobs)), *map(spelt, spent), known)
        return table

    def _by_rule(self) -> Iterator[tuple[str, list[ToRun]]]:
        """Jobs of the rules that cost most, in the order of their work; of the others; and all."""
        by_rule: dict[str, list[ToRun]] = defaultdict(list)
        for each in self.to_run:
            by_rule[each.job.rule].append(each)
        dear = sorted(by_rule, key=lambda rule: -sum(self._spent(by_rule[rule])))[:FEW]
        yield from ((rule, jobs) for rule, jobs in by_rule.items() if rule in dear)
        others = [each for each in self.to_run if each.job.rule not in dear]
        if others:
            yield f"{len(by_rule) - len(dear)} other rules", others
            yield "together", self.to_run
        elif len(by_rule) > 1:
            yield "together", self.to_run

    def _told_cost(self) -> Iterator[str]:
        n_cores = self.command.cores
        cores = f"{n_cores} core{'s' if n_cores > 1 else ''}"
        yield ""
        if self.n_gpus:
            cores += f" and {self.n_gpus} GPU{'s' if self.n_gpus > 1 else ''}"
        yield f"About [bold]{spelt(self.wall_seconds)}[/] on {cores} (--cores)."
        n_beyond = sum(each.expense.beyond > FAR for each in self.to_run)
        if n_beyond:
            yield (
                f"{n_beyond} of the jobs are more than {FAR} times as large as any of their kind "
                "that was ever measured: do not rely on it."
            )

    def _told_numbers(self) -> Iterator[str]:
        there = [table for table in self.tables if table.n_numbers]
        if self.tables or self.figures:
            yield ""
            yield "[bold]Numbers that are no longer valid[/]" if there else "[bold]Made of it[/]"
        for table in there:
            yield f"  {escape(caption_of(table.table).number)}: {escape(_told_table(table))}"
        new = [table.table for table in self.tables if not table.n_numbers]
        for what, names in (("for the first time", new), ("drawn anew", self.figures)):
            if names:
                yield f"  {what}: {escape(', '.join(caption_of(n).number for n in names))}"

    def _told_command(self) -> Iterator[str]:
        yield ""
        yield "To run it:"
        yield f"  {escape(shlex.join(self._command()))}"
        for other in self.others:
            yield f"Of a run that is there: {escape(other)}"

    def _command(self) -> list[str]:
        """What to type where we are."""
        here, files = Path.cwd(), self.asked.configfiles
        place: list[str] = []
        if here != PROJECT or self.folder != PROJECT:
            place = ["--snakefile", f"{PROJECT}/Snakefile", "--directory", str(self.folder)]
        else:
            files = [min(path, os.path.relpath(path), key=len) for path in files]
        options = self.asked._replace(configfiles=files).options()
        cores = ["--cores", str(self.command.cores)]
        gpus = ["--resources", f"gpu={self.n_gpus}"] if self.n_gpus else []  # to take turns
        return ["snakemake", *self.command.targets, *place, *options, *gpus, *cores]


def plan(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TARGET]...", help="Rules or files, as for Snakemake; by default everything."
        ),
    ] = None,
    configfile: Annotated[
        list[str] | None,
        typer.Option(
            "--configfile", metavar="FILE", help="Overlay of config.yaml, as for Snakemake."
        ),
    ] = None,
    config: Annotated[
        list[str] | None, typer.Option("--config", metavar="KEY=VALUE", help="As for Snakemake.")
    ] = None,
    cores: Annotated[
        int | None,
        typer.Option("--cores", "-c", min=1, help="Of which the time is guessed; by default all."),
    ] = None,
    gpu: Annotated[
        bool | None,
        typer.Option(
            "--gpu/--no-gpu",
            help="Whether jobs have a GPU, and take turns on it; by default as configured, or as "
            "this machine has one.",
        ),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option("--directory", help="Where results lie, as for Snakemake; the project."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what `snakemake` would run with these arguments, why, at what cost, and what for.

    Costs are those that records of the run tell of the same jobs, else computed from the size
    of the data. Nothing is run and no large file is read.
    """
    asked = Asked([*map(os.path.abspath, configfile or [])], [*(config or [])])
    command = Command(tuple(targets or ()), cores or os.cpu_count() or 1)
    with planned_in(directory or PROJECT, asked, command) as found:
        report = forecast(found, command, gpu=gpu)
    tell(report, as_json)


def forecast(found: Plan, command: Command, *, gpu: bool | None = None) -> Forecast:
    """What a plan comes to; in the folder where its names of results hold."""
    device = found.configuration["machine"]["device"]
    on_gpu = device == "cuda" or (device != "cpu" and GPUS.exists()) if gpu is None else gpu
    expenses = Expenses(found.run, found.configuration, on_gpu=on_gpu)
    to_run = [
        ToRun(job, own or upstream, status_of(own), expenses.of(job.rule, job.wildcards))
        for job, own, upstream in explained(found)
        if job.will_run
    ]
    n_gpus = n_gpus_here() if any(each.expense.gpu_seconds for each in to_run) else 0
    return Forecast(
        run=str(found.run.root),
        folder=Path.cwd(),
        asked=found.asked,
        command=command,
        n_jobs=len(found.jobs),
        to_run=to_run,
        wall_seconds=_wall_seconds(to_run, command.cores, max(1, n_gpus)),
        n_gpus=n_gpus,
        tables=[*invalidated_tables(found, own_reasons(found))],
        figures=redrawn_figures(found),
        others=[] if found.run.folder.is_dir() or found.asked.options() else [*_other_runs()],
    )


def n_gpus_here() -> int:
    """GPUs of this machine; 1 where it has none, for who asks about another."""
    return max(1, len([*GPUS.glob("gpus/*")]))


def _wall_seconds(to_run: list[ToRun], n_cores: int, n_gpus: int) -> float:
    places = {id(each.job): place for place, each in enumerate(to_run)}
    timed = []
    for each in to_run:
        n_threads = min(each.job.n_threads, n_cores)
        works = each.expense.seconds(n_threads)
        awaited = [places[id(other)] for other in each.job.waits_for if id(other) in places]
        on_gpu = int(each.expense.gpu_seconds > 0)
        timed.append(Timed(STARTING + works, n_threads, awaited, on_gpu))
    return makespan(timed, n_cores, n_gpus)


def _other_runs() -> Iterator[str]:
    for notes in sorted(RESULTS.glob(f"*/{NOTES}/asked.json")):
        overlay = Path("config", f"{notes.parents[1].name}.yaml")
        if (PROJECT / overlay).is_file():
            yield f"l2i plan --configfile {overlay}"


def _known_by(jobs: Iterable[ToRun]) -> Counter[str]:
    return Counter(each.expense.by for each in jobs)


def _fact(each: ToRun) -> dict[str, Any]:
    job, expense = each.job, each.expense
    return {
        "rule": job.rule,
        "wildcards": job.wildcards,
        "outputs": job.outputs,
        "status": each.status,
        "reasons": [fact_of_reason(reason) for reason in each.reasons],
        "n_threads": job.n_threads,
        "core_seconds": expense.core_seconds,
        "gpu_seconds": expense.gpu_seconds,
        "cost_by": expense.by,
        "beyond": expense.beyond,
    }


def _fact_of_table(table: Invalidated) -> dict[str, Any]:
    return {
        "table": table.table,
        "n_numbers": table.n_numbers,
        "n_invalid": table.n_invalid,
        "numbers": [each._asdict() for each in table.numbers],
    }


def _told_table(table: Invalidated) -> str:
    """Such as `12 of 73 (esc50: l2i_att 6, l2i_max 6)`."""
    if table.n_invalid == table.n_numbers:
        return f"all {table.n_numbers}"
    of: dict[str, list[str]] = defaultdict(list)
    for each in table.numbers:
        of[each.dataset].append(f"{each.system or 'others'} {len(each.names)}")
    told = [f"{dataset}: " * bool(dataset) + _some(systems) for dataset, systems in of.items()]
    return f"{table.n_invalid} of {table.n_numbers}" + (f" ({'; '.join(told)})" if told else "")


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - FEW_RULES} more" if len(texts) > FEW_RULES + 1 else ""
    return ", ".join(texts[:FEW_RULES] if more else texts) + more


def _counted(jobs: list[ToRun]) -> str:
    """Such as `train_system 6, learn_dictionary 3, 12 of 4 other rules`."""
    rules = Counter(each.job.rule for each in jobs).most_common()
    shown = rules if len(rules) <= FEW_RULES + 1 else rules[:FEW_RULES]
    told = [f"{rule} {n}" for rule, n in shown]
    rest = sum(n for _, n in rules[len(shown) :])
    return ", ".join(told + ([f"{rest} of {len(rules) - len(shown)} other rules"] if rest else []))


def spelt(seconds: float) -> str:
    """A time for people, of two units at most: '12 s', '4 min', '1 h 20 min', '35 h'."""
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h" if hours >= 10 or not rest else f"{hours} h {rest} min"
