"""Settings that are selected for a system, on selection data (never on test data)."""

from __future__ import annotations

import copy
import itertools
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from l2i.checks import InputError
from l2i.metrics import auprc, macro, weighted_f1
from l2i.networks.classifier import Classifier
from l2i.networks.stored_classifier import frozen
from l2i.runtime import resolve_precision
from l2i.saved_state import load_state, save_state
from l2i.streams import stream_seed
from l2i.thresholds import INTERPRETER_DECIDES
from l2i.training.checkpoints import checkpoint_path
from l2i.training.fine_tuning import fit_classifier
from l2i.training.loop import Diverged
from l2i.training.task import Network, Task, Trained, needed

log = logging.getLogger(__name__)


def combinations(grid: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Every combination of values, in the order in which they are written; one of an empty grid."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def select_and_train(
    train: Callable[[Task, dict[str, Any]], Trained],
    task: Task,
    settings: dict[str, Any],
    grid: Mapping[str, Sequence[Any]],
    *,
    seed: int,
    selection: dict[str, Any] | None,
) -> Trained:
    """Train with the settings that do best on selection data, then anew on all training clips.

    Selection clips are kept from the fits that are compared
    (:meth:`l2i.datasets.fold.Fold.selection`), and test clips from everything. With one combination
    there is nothing to select. Every fit starts from the same random state. Fits of a system that
    explains a classifier are compared on one that has not learned from selection clips either.

    Parameters
    ----------
    train : callable
        A system's.
    task : Task
        All training clips of the fold.
    settings : dict
        What is not to be selected.
    grid : mapping
        Setting to its possible values.
    seed : int
        Of every fit.
    selection : dict or None
        None with one combination. Else `seed` of the draw of selection clips, where the corpus
        keeps none; `metric`, see :func:`selection_score`; `classifier`, the settings of the
        fold's, where there is one.

    Returns
    -------
    Trained
        Its facts tell the score of every combination and which was selected.
    """
    tried = list(combinations(grid))
    selected, scores = tried[0], []
    if len(tried) > 1:
        if selection is None:
            raise ValueError("settings to select from need a selection, got None")
        scores = _scores(train, task, settings, tried, seed=seed, selection=selection)
        if all(map(math.isnan, scores)):
            raise InputError(
                f"no setting of {', '.join(grid)} can be selected: every one diverged, or no "
                f"selection clip of {task.fold.dataset} holds a class. Name one value for each "
                "under `grid`"
            )
        selected = tried[int(np.nanargmax(scores))]
        log.info("selected: %s", selected)
    torch.manual_seed(stream_seed(seed, "training"))
    trained = train(fresh(task), settings | selected)
    about: dict[str, Any] = {"selected": selected}
    if scores:
        about["selection_scores"] = [
            {"settings": values, "score": None if math.isnan(each) else each}
            for values, each in zip(tried, scores, strict=True)
        ]
    return trained._replace(facts=trained.facts | about)


def _scores(
    train: Callable[[Task, dict[str, Any]], Trained],
    task: Task,
    settings: dict[str, Any],
    tried: Sequence[dict[str, Any]],
    *,
    seed: int,
    selection: dict[str, Any],
) -> list[float]:
    """Score of each combination, NaN where it diverged; those that are known are not trained."""
    kept = checkpoint_path(task.checkpoints / "scores", task.device, task.precision)
    scores: list[float] = load_state(kept)["scores"] if kept.exists() else []
    if len(scores) == len(tried):
        return scores
    fit_rows, selection_rows = task.fold.selection(selection["seed"])
    unaware = task
    if task.classifier is not None and len(fit_rows) < len(task.rows):
        log.info("a classifier that has not learned from selection clips")
        torch.manual_seed(stream_seed(seed, "selection classifier"))
        classifier = classifier_of(task, fit_rows, selection["classifier"])
        unaware = replace(task, classifier=classifier)
    for number, values in enumerate(tried[len(scores) :], len(scores) + 1):
        log.info("combination %d of %d: %s", number, len(tried), values)
        torch.manual_seed(stream_seed(seed, "selection"))
        part = replace(
            unaware, rows=fit_rows, checkpoints=task.checkpoints / f"combination-{number}"
        )
        try:
            network = train(fresh(part), settings | values).network
        except Diverged as error:
            log.warning("not selected: %s", error)
            scores.append(math.nan)
        else:
            score = selection_score(network, part, selection_rows, metric=selection["metric"])
            scores.append(score)
        save_state({"scores": scores}, kept)
    return scores


def classifier_of(task: Task, rows: np.ndarray, settings: dict[str, Any]) -> Classifier:
    """A classifier that learns from some clips alone, by the settings of the fold's; frozen.

    It decides from the probabilities on that the fold's classifier decides from.
    """
    network = copy.deepcopy(needed(task.start, "start"))
    precision = resolve_precision(settings["precision"], task.device)
    fit_classifier(
        network,
        task.log_mel,
        rows,
        task.fold.targets(rows),
        settings,
        loss=task.loss,
        precision=precision,
        device=task.device,
        checkpoint=checkpoint_path(
            task.checkpoints / "selection-classifier", task.device, precision
        ),
    )
    if task.multi_label:
        network.thresholds.copy_(needed(task.classifier, "classifier").thresholds)
    return frozen(network, task.device)


def selection_score(network: Network, task: Task, rows: np.ndarray, *, metric: str) -> float:
    """How well a network does on some clips: the more the better, NaN where nothing can be said.

    Against what the classifier decides, for systems that explain one, else against the labels, by
    what the tables print of the data set.

    Parameters
    ----------
    network, task
        What answers, and on which recordings.
    rows : np.ndarray of int
        The clips.
    metric : {'accuracy', 'auprc', 'f1'}
        Share of clips with the right class; mean over classes of the area under the
        precision-recall curve, or of the weighted F1.
    """
    network.eval()
    logits, reference = [], []
    for clips in task.batches(rows):
        logits.append(network.predict(clips).logits.cpu())
        if task.classifier is None:
            reference.append(task.fold.targets(clips.rows))
        else:
            reference.append(task.classifier.decisions(clips.reference).float().cpu())
    return _score(torch.cat(logits), torch.cat(reference), metric)


def _score(estimate: Tensor, target: Tensor, metric: str) -> float:
    if metric == "accuracy":
        return float((estimate.argmax(1) == target.argmax(1)).float().mean())
    probability, truth = estimate.sigmoid().numpy(), target.numpy()
    if metric == "f1":
        return float(macro(weighted_f1, truth, probability >= INTERPRETER_DECIDES))
    return float(macro(auprc, truth, probability))


def fresh(task: Task) -> Task:
    """The task with a classifier of its own to start from: training changes it."""
    return replace(task, start=copy.deepcopy(task.start))
