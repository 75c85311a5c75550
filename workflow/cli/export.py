"""`l2i export`: a trained interpreter of a run, its classifier and its card, in one file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import torch
import typer
import yaml
from rich.console import Console

from cli.model_facts import facts_of, fold_of
from cli.opening import RunFolder, open_run
from cli.showing import AsJson, Outcome, tell
from l2i.checks import InputError, reason
from l2i.disk import in_units, replace_text
from l2i.features.cache import open_features, rows_of
from l2i.interpretation.model import Model
from l2i.interpretation.stored_model import load_model, save_model
from l2i.pages.model_card import model_card
from l2i.systems.trained import Trained, choose, open_trained

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
        typer.Option("--output", metavar="FILE", help="File to write, such as dog.safetensors."),
    ],
    folder: RunFolder = None,
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

    `l2i interpret --model FILE` and `l2i.load(FILE)` read it. What it scores on the test clips of
    its fold is computed from the run's scores, as the run's tables are. MODEL_CARD.md beside it
    says the same in words.
    """
    said = {} if about is None else _said(about)
    run = open_run(folder)
    wanted = {"dataset": dataset, "fold": fold, "system": system, "run": number}
    trained = choose(run.folder, **{key: value for key, value in wanted.items() if value})
    model = open_trained(trained)
    precision = torch.float16 if half else torch.float32
    card = {**facts_of(run, trained, model), "about": said}
    card["stored_as"] = {"precision": str(precision).removeprefix("torch.")}
    _save(output, model, card, precision)
    if half:
        card["stored_as"] |= rounding(trained, model, load_model(output))
        _save(output, model, card, precision)
    replace_text(output.parent / CARD, model_card(card, output.name))
    tell(ExportReport(output, card), as_json)


def _save(path: Path, model: Model, card: dict[str, Any], precision: torch.dtype) -> None:
    save_model(path, dataclasses.replace(model, card=card), precision=precision)


@torch.no_grad()
def rounding(trained: Trained, model: Model, stored: Model) -> dict[str, Any]:
    """What a model says otherwise on the test clips of its fold since its numbers were rounded.

    Raises
    ------
    InputError
        If the run has no features any more.
    """
    fold = fold_of(trained, model)
    path = trained.run_folder / "features" / fold.dataset / "log_mel.npy"
    M = rows_of(open_features(path, n_clips=len(fold.index)), fold.test_rows)
    answers = [_answers(each, M) for each in (model, stored)]
    (before, relevant), (after, relevant_after) = answers
    same = (before.argmax(-1) == after.argmax(-1)).sum()
    selected = [r > model.threshold for r in (relevant, relevant_after)]
    return {
        "n_clips": len(M),
        "n_same_class": int(same),
        "largest_change_of_probability": float((before - after).abs().max()),
        "largest_change_of_relevance": float((relevant - relevant_after).abs().max()),
        "share_of_components_selected_otherwise": float(
            (selected[0] != selected[1]).float().mean()
        ),
    }


def _answers(model: Model, M: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities (N, C), and relevances (N, K) of the most probable class."""
    probabilities, relevances = [], []
    for some in M.split(16):
        logits, interpretation = model.explained.explain(some, some.shape[1])
        rows = torch.arange(len(some)), logits.argmax(-1)
        probabilities.append(model.explained.classifier.probabilities(logits))
        relevances.append(model.explained.relevances(interpretation)[rows])
    return torch.cat(probabilities), torch.cat(relevances)


def _said(path: Path) -> Mapping[str, Any]:
    """Headings of the card, and what stands under them."""
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read as YAML ({reason(error)})") from error
    texts = isinstance(said, dict) and all(
        isinstance(heading, str)
        and (
            isinstance(text, str)
            or (isinstance(text, list) and all(isinstance(t, str) for t in text))
        )
        for heading, text in said.items()
    )
    if not texts:
        raise InputError(f"{path} must hold headings, and a text or a list of texts for each")
    return said
