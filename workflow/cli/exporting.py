"""The file of a model that is handed on, and its card."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml

from cli.model_facts import facts_of, fold_of
from l2i.checks import InputError, reason
from l2i.disk import replace_text
from l2i.export.onnx_file import is_ours, save_onnx
from l2i.features.cache import open_features, rows_of
from l2i.interpretation.model import Model
from l2i.interpretation.stored_model import KIND, load_model, save_model
from l2i.pages.model_card import model_card
from l2i.provenance.runs import Run
from l2i.systems.trained import Trained, choose, open_trained
from l2i.weights import read_identity

ONNX = ".onnx"


def write_model(
    run: Run,
    chosen: Mapping[str, str],
    path_to_model: Path,
    path_to_card: Path,
    path_to_about: Path | None,
    *,
    half: bool,
) -> dict[str, Any]:
    """Write the file of a model and its card; returns what both say of it.

    Parameters
    ----------
    run : Run
    chosen : mapping
        See :func:`l2i.systems.trained.choose`.
    path_to_model, path_to_card : Path
        What is written; a model whose name ends with .onnx as ONNX, else as safetensors.
    path_to_about : Path or None
        YAML of headings, and a text or a list of texts for each.
    half : bool
        Store float16, and measure what that changes.

    Raises
    ------
    InputError
        If there is no such model, anything that it needs is missing or not what it was, or
        something else has its name.
    """
    if half and path_to_model.suffix == ONNX:
        raise InputError("a file of ONNX holds float32: leave out --half, or write safetensors")
    _require_replaceable(path_to_model)
    said = {} if path_to_about is None else _said(path_to_about)
    trained = choose(run.folder, **chosen)
    model = open_trained(trained)
    precision = torch.float16 if half else torch.float32
    # In a list, because headings have an order, and a file sorts mappings.
    card = {**facts_of(run, trained, model), "about": [[*each] for each in said.items()]}
    card["stored_as"] = {"precision": str(precision).removeprefix("torch.")}
    with tempfile.TemporaryDirectory(prefix=".l2i-", dir=path_to_model.parent) as folder:
        path = Path(folder) / path_to_model.name
        if half:
            _save(path, model, card, precision)
            card["stored_as"] |= rounding(trained, model, load_model(path))
        _save(path, model, card, precision)
        replace_text(path_to_card, model_card(card, path_to_model.name))
        path.replace(path_to_model)
    return card


def _save(path: Path, model: Model, card: dict[str, Any], precision: torch.dtype) -> None:
    with_card = dataclasses.replace(model, card=card)
    if path.suffix == ONNX:
        save_onnx(path, with_card)
    else:
        save_model(path, with_card, precision=precision)


def _require_replaceable(path: Path) -> None:
    """Refuse to write over what was not exported here."""
    if path.exists() and not (is_ours(path) if path.suffix == ONNX else _is_model(path)):
        raise InputError(f"{path} is there, and no model that was exported: name another file")


def _is_model(path: Path) -> bool:
    try:
        return read_identity(path).get("kind") == KIND
    except InputError:
        return False


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
