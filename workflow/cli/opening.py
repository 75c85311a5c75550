"""Which run is meant, and how it was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from l2i.checks import InputError
from l2i.provenance.runs import NOTES, Run

PROJECT = Path(__file__).resolve().parents[2]
RESULTS = Path("results")

RunFolder = Annotated[
    Path | None,
    typer.Argument(metavar="[RUN]", help="Folder of a run; the only one in results by default."),
]
RunOption = Annotated[
    Path | None,
    typer.Option("--run", help="Folder of a run; the only one in results by default."),
]


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
