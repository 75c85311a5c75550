"""`l2i audit crate`: a run in one archive, described so that others' programs understand it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.opening import RESULTS, RunFolder, open_run, project
from cli.showing import AsJson, Outcome, tell
from cli.validating import Validation, validate
from configuration.reading import load_reference
from l2i.disk import in_units
from l2i.provenance.crate import Packaged, write_crate
from l2i.provenance.records import describe_git
from l2i.provenance.runs import Run

SUFFIX = ".crate.zip"


@dataclass(frozen=True)
class CrateReport:
    """What was packed, and what a validator says of it."""

    run: Run
    packaged: Packaged
    other_sources: str | None  # why the sources may not be those that made the run
    validation: Validation | None

    @property
    def outcome(self) -> Outcome:
        """An archive that does not validate is none that one can rely on."""
        invalid = self.validation is not None and self.validation.required
        return Outcome.TAMPERED if invalid else Outcome.FINE

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        manifest = self.packaged.manifest
        return {
            "run": str(self.run.root),
            "crate": str(self.packaged.path),
            "size_bytes": self.packaged.path.stat().st_size,
            "n_files": len(manifest.files),
            "n_jobs": self.packaged.n_jobs,
            "left_out": manifest.left_out,
            "other_sources": self.other_sources,
            "validation": None if self.validation is None else self.validation._asdict(),
        }

    def show(self, console: Console) -> None:
        """The same for people."""
        manifest, path = self.packaged.manifest, self.packaged.path
        size = in_units(path.stat().st_size)
        console.print(
            f"{path}: {size}, {len(manifest.files)} files, {self.packaged.n_jobs} jobs",
            markup=False,
        )
        for name, why in manifest.left_out.items():
            console.print(f"left out: {name}, which {why}", markup=False)
        if self.other_sources:
            console.print(f"note: {self.other_sources}", markup=False)
        if self.validation is not None:
            self.validation.show(console)


def crate(
    folder: RunFolder = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The archive; results/NAME.crate.zip by default."),
    ] = None,
    with_weights: Annotated[
        bool, typer.Option("--with-weights", help="Pack the weights of models as well.")
    ] = False,
    with_audio: Annotated[
        bool, typer.Option("--with-audio", help="Pack the listening pages as well.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--validate", help="Hold the crate against the profile Provenance Run Crate 0.5."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Pack a run into one archive that others can check, read and make tables from (RO-Crate).

    A run with a result that is not what its record says is not packed. Exit code: 1 the crate does
    not meet what the profile requires, with --validate.
    """
    run = open_run(folder)
    downloads = load_reference("downloads")
    publishers = {name: entry["url"] for part in downloads.values() for name, entry in part.items()}
    packaged = write_crate(
        run,
        project(),
        output or RESULTS / f"{run.root.name}{SUFFIX}",
        publishers=publishers,
        with_weights=with_weights,
        with_audio=with_audio,
    )
    validation = validate(packaged.path) if check else None
    tell(CrateReport(run, packaged, _other_sources(packaged.commits), validation), as_json)


def _other_sources(commits: set[str]) -> str | None:
    """What to know of the sources that are packed: they are those of today."""
    git = describe_git(project())
    if git is None or (commits == {git["commit"]} and not git["dirty"]):
        return None
    today = f"{git['commit'][:8]}{' with changes' if git['dirty'] else ''}"
    then = ", ".join(sorted(commit[:8] for commit in commits)) or "no commit that records name"
    return f"the sources that are packed are of {today}; the results were made by {then}"
