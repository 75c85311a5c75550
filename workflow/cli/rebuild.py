"""`l2i audit rebuild`: tables and figures made anew from the scores in a crate, without a GPU."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.opening import RESULTS
from cli.showing import AsJson, Outcome, tell
from l2i.checks import InputError, printable
from l2i.datasets.archive import unpack
from l2i.provenance.currency import differences, identity_in
from l2i.provenance.jobs import Job, jobs_of, made_by
from l2i.provenance.received import Problem, problems_of, run_in
from l2i.provenance.runs import NOTES, Run

REBUILT = ("tables", "figures")
LAST_LINES = 20  # of what Snakemake says, when it fails


@dataclass(frozen=True)
class Rebuilt:
    """A result that was made anew."""

    path: str
    is_identical: bool
    # What has changed between the job that made it then and the one that makes it today.
    changes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RebuildReport:
    """What is wrong with a crate, or else what came of it."""

    crate: Path
    problems: list[Problem]
    rebuilt: list[Rebuilt]

    @property
    def outcome(self) -> Outcome:
        """Stale: other code or packages explain another result; nothing explains it: tampered."""
        other = [each for each in self.rebuilt if not each.is_identical]
        if self.problems or any(not each.changes for each in other):
            return Outcome.TAMPERED
        return Outcome.STALE if other else Outcome.FINE

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {
            "crate": str(self.crate),
            "problems": [problem._asdict() for problem in self.problems],
            "rebuilt": [vars(each) for each in self.rebuilt],
        }

    def show(self, console: Console) -> None:
        """The same for people."""
        for problem in self.problems:
            console.print(f"changed: {printable(str(problem))}", markup=False)
        if self.problems:
            told = f"{self.crate} is not as it was packed: nothing was made of it"
            console.print(printable(told), markup=False)
            return
        for each in self.rebuilt:
            what = "identical" if each.is_identical else "DIFFERENT"
            console.print(f"{what}  {each.path}", markup=False)
        for change in dict.fromkeys(c for each in self.rebuilt for c in each.changes):
            console.print(f"since then: {change}", markup=False)
        same = sum(each.is_identical for each in self.rebuilt)
        console.print(
            f"{same} of {len(self.rebuilt)} tables and figures are byte-identical with those of "
            f"{self.crate}",
            markup=False,
        )


def rebuild(
    crate: Annotated[
        Path, typer.Argument(metavar="CRATE", help="A crate, as l2i audit crate packs it.")
    ],
    cores: Annotated[int | None, typer.Option(min=1, help="Cores to use; all by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make the tables and figures of a crate anew from its scores of clips, and compare them.

    They are left in results, where no run of that name may be. Exit codes: 1 the crate was changed,
    or something differs and nothing explains it, 2 something differs, made by other code or
    packages.
    """
    if not Path("Snakefile").is_file():
        raise InputError("there is no Snakefile here: go to a clone of the project")
    if not crate.is_file():
        raise InputError(f"{crate} is no file: name a crate, such as results/demo.crate.zip")
    with _unpacked(crate) as folder:
        run = run_in(folder)
        if problems := problems_of(folder, run):
            tell(RebuildReport(crate, problems, []), as_json)
        before = [job for job in jobs_of(run) if _stage(run, job) in REBUILT]
        target = RESULTS / run.folder.name
        _put_in_place(run, target)
        try:
            _make(target, before, cores)
            rebuilt = _compared(before, Run(target))
        except BaseException:
            shutil.rmtree(target)
            raise
    tell(RebuildReport(crate, [], rebuilt), as_json)


@contextmanager
def _unpacked(crate: Path) -> Iterator[Path]:
    """The content of an archive, in a folder that is removed in the end."""
    folder = RESULTS / f".rebuild-{crate.name}"
    shutil.rmtree(folder, ignore_errors=True)  # left by a killed run
    try:
        unpack(crate, folder, kind="zip")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stage(run: Run, job: Job) -> str:
    return PurePosixPath(job.outputs[0]["path"]).relative_to(run.root).parts[0]


def _put_in_place(run: Run, target: Path) -> None:
    """Move a run to where Snakemake finds it, without what is to be made."""
    if target.exists():
        raise InputError(
            f"{target} exists already and would be overwritten: move it away, or rebuild the crate "
            "in a new clone"
        )
    for stage in REBUILT:
        shutil.rmtree(run.folder / stage, ignore_errors=True)
    run.folder.rename(target)


def _make(target: Path, jobs: Sequence[Job], cores: int | None) -> None:
    """Have Snakemake make the results of these jobs, and run nothing else."""
    n_results = sum(len(job.records) for job in jobs)
    print(f"Making {n_results} files by Snakemake ...", file=sys.stderr)
    command = [
        *(sys.executable, "-m", "snakemake", "--cores", str(cores or "all")),
        *("--configfile", str(target / NOTES / "configuration.json")),
        *("--allowed-rules", *sorted({job.rule for job in jobs})),
        *("--", *(output["path"] for job in jobs for output in job.outputs)),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        said = "\n".join(done.stdout.splitlines()[-LAST_LINES:])
        raise InputError(
            f"Snakemake ended with {done.returncode} and made no tables of the crate; it said:\n"
            f"{said}"
        )


def _compared(before: Sequence[Job], run: Run) -> list[Rebuilt]:
    """Each result of before beside the one that was made."""
    today = made_by(jobs_of(run))
    found = []
    for record in (record for job in before for record in job.records):
        name, now = record["output"]["path"], today[record["output"]["path"]]
        changes = [
            f"{change.then} -> {change.now}"
            for change in differences(identity_in(record), identity_in(now))
        ]
        for package in sorted({*record["software"], *now["software"]}):
            versions = [each["software"].get(package, "none") for each in (record, now)]
            if versions[0] != versions[1]:
                changes.append(f"installed {package} {versions[0]} -> {versions[1]}")
        same = record["output"]["sha256"] == now["output"]["sha256"]
        found.append(Rebuilt(name, same, changes))
    return found
