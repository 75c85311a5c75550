"""Which run is meant, and how it was asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from configuration.reading import read_configuration, resolved
from l2i.checks import InputError
from l2i.provenance.runs import NOTES, Run

PROJECT = Path(__file__).resolve().parents[2]
RESULTS = Path("results")

RunFolder = Annotated[
    Path | None,
    typer.Argument(metavar="RUN", help="Folder of a run; the only one in results by default."),
]
RunOption = Annotated[
    Path | None,
    typer.Option("--run", help="Folder of a run; the only one in results by default."),
]
ConfigFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--configfile",
        metavar="FILE",
        help="Overlay of config.yaml, as for Snakemake. By default as the run was asked for last.",
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--config",
        metavar="KEY=VALUE",
        help="Assignment over the overlays, as for Snakemake. By default as for --configfile.",
    ),
]


class Asked(NamedTuple):
    """How a run is asked for on the command line of Snakemake."""

    configfiles: list[str]
    assignments: list[str]

    def options(self) -> list[str]:
        """The same as arguments."""
        files = ["--configfile", *self.configfiles] if self.configfiles else []
        return files + (["--config", *self.assignments] if self.assignments else [])


def project() -> Path:
    """The clone of the project that this command belongs to.

    Raises
    ------
    InputError
        It was installed by itself.
    """
    if (PROJECT / "Snakefile").is_file():
        return PROJECT
    raise InputError(
        "this needs the project, and only its library and its command are installed here: clone "
        "it, give `make env` there, and this command again as .venv/bin/l2i"
    )


def open_run(folder: Path | None) -> Run:
    """The run in a folder, or the only one in `results`.

    Raises
    ------
    InputError
        There is none, or which one is not said.
    """
    if folder is not None:
        return Run(folder)
    found = sorted(path.parent for path in RESULTS.glob(f"*/{NOTES}"))
    if len(found) == 1:
        return Run(found[0])
    if not found:
        raise InputError(f"{RESULTS} holds no run: go to the project, or name the folder of a run")
    raise InputError(f"there are several runs; name one of {', '.join(map(str, found))}")


def run_of(path: Path) -> Run:
    """The run that a file belongs to: the folder above it that holds notes on a run.

    Raises
    ------
    InputError
        There is none.
    """
    absolute = path.absolute()
    for folder in absolute.parents:
        if (folder / NOTES).is_dir():
            return Run(folder)
    raise InputError(
        f"{path} lies in no run: none of its folders holds {NOTES}. Name a file below results"
    )


def asked_for(
    run: Run, configfiles: Sequence[str] | None = None, assignments: Sequence[str] | None = None
) -> Asked:
    """How a run is asked for: as is said here, or else as it was asked for last.

    Raises
    ------
    InputError
        Nothing is said, and what the run notes of it is damaged.
    """
    if configfiles or assignments:
        return Asked([os.path.abspath(each) for each in configfiles or []], [*(assignments or [])])
    noted = run.asked or {"configfiles": [], "config": []}
    if not all(map(_are_arguments, (noted.get("configfiles"), noted.get("config")))):
        raise InputError(
            f"{run.folder / NOTES / 'asked.json'} is damaged: name the overlays that the run was "
            "made with by --configfile, such as config/demo.yaml"
        )
    # A rebuilt run was asked for with a file of its own, which goes where the run goes.
    files = [
        run.file(each).absolute() if run.is_of_run(each) else project() / each
        for each in noted["configfiles"]
    ]
    for file in files:
        if not file.is_file():
            raise InputError(
                f"{file}, by which {run.folder} was asked for, is missing: name the overlays that "
                "it was made with by --configfile, such as config/demo.yaml"
            )
    return Asked([*map(str, files)], [*noted["config"]])


def machine_of(run: Run) -> dict[str, Any]:
    """What today's configuration says of the machine, by the overlays that the run was asked with.

    Nothing where they are not to be had, as where the run is looked at elsewhere.
    """
    try:
        asked = asked_for(run)
        files: list[str | Path] = [PROJECT / "config.yaml", *asked.configfiles]
        machine = resolved(read_configuration(files, asked.assignments).value)["machine"]
    except (InputError, KeyError, TypeError, AttributeError):
        return {}
    return machine if isinstance(machine, dict) else {}


def _are_arguments(texts: object) -> bool:
    """Whether these are texts that Snakemake cannot take for options of its own."""
    return isinstance(texts, list) and all(
        isinstance(each, str) and not each.startswith("-") for each in texts
    )
