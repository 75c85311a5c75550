"""`l2i export`: a trained interpreter of a run, its classifier and its card, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console

from cli.showing import AsJson, Outcome, tell
from l2i.disk import in_units

CARD = "MODEL_CARD.md"


class ExportReport(NamedTuple):
    """What was written."""

    path: Path
    card: dict[str, Any]

    @property
    def outcome(self) -> Outcome:
        """What the exit code says of it."""
        return Outcome.FINE

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        size = self.path.stat().st_size
        return {"path": str(self.path), "size_bytes": size, "card": self.card}

    def show(self, console: Console) -> None:
        """The same for people."""
        size = in_units(self.path.stat().st_size)
        console.print(f"{self.path}: {size}, with {self.path.parent / CARD}", markup=False)


def export(
    output: Annotated[
        Path,
        typer.Option(
            "--output", metavar="FILE", help="File to write, such as dog.safetensors, or dog.onnx."
        ),
    ],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="Folder of a run; the only one in results by default."),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Data set, of several.")] = None,
    fold: Annotated[str | None, typer.Option(help="Fold, of several.")] = None,
    system: Annotated[str | None, typer.Option(help="System, of several.")] = None,
    number: Annotated[str | None, typer.Option("--run", help="Run, of several.")] = None,
    about: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="YAML of what no record knows, for the card: headings, and a text or a list each.",
        ),
    ] = None,
    half: Annotated[
        bool,
        typer.Option("--half", help="Store float16, half the size; the card says what it changes."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a trained interpreter and its classifier into one file, with a card that says what it is.

    `l2i interpret --model FILE` and `l2i.load(FILE)` read it. A file whose name ends with .onnx is
    for onnxruntime instead: a waveform goes in, its explanation comes out. What the model scores on
    the test clips of its fold is computed from the run's scores, as the run's tables are.
    MODEL_CARD.md beside it says the same in words.
    """
    # Here because it takes seconds, for which no other verb should wait.
    from cli.exporting import write_model
    from cli.opening import open_run

    wanted = {"dataset": dataset, "fold": fold, "system": system, "run": number}
    chosen = {key: value for key, value in wanted.items() if value is not None}
    card = write_model(open_run(folder), chosen, output, output.parent / CARD, about, half=half)
    tell(ExportReport(output, card), as_json)
