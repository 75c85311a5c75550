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

from l2i.checks import InputError
from l2i.metrics import average_precision, macro
from l2i.streams import stream_seed
from l2i.training.loop import Diverged
from l2i.training.task import Network, Task, Trained

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
    selection_seed: int | None,
) -> Trained:
    """Train with the settings that do best on selection data, then anew on all training clips.

    Selection clips are kept from the fits that are compared
    (:meth:`l2i.datasets.fold.Fold.selection`), and test clips from everything. With one combination
    there is nothing to select. Every fit starts from the same random state.

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
    selection_seed : int or None
        Of the draw of selection clips, where the corpus keeps none; unused with one combination.

    Returns
    -------
    Trained
        Its facts tell the score of every combination and which was selected.
    """
    tried = list(combinations(grid))
    selected, scores = tried[0], []
    if len(tried) > 1:
        if selection_seed is None:
            raise ValueError("settings to select from need a selection_seed, got None")
        fit_rows, selection_rows = task.fold.selection(selection_seed)
        for number, values in enumerate(tried):
            log.info("combination %d of %d: %s", number + 1, len(tried), values)
            torch.manual_seed(stream_seed(seed, "selection"))
            part = replace(
                task, rows=fit_rows, checkpoints=task.checkpoints / f"combination-{number + 1}"
            )
            try:
                network = train(fresh(part), settings | values).network
            except Diverged as error:
                log.warning("not selected: %s", error)
                scores.append(math.nan)
            else:
                scores.append(selection_score(network, part, selection_rows))
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


def selection_score(network: Network, task: Task, rows: np.ndarray) -> float:
    """How well a network does on some clips: the more the better, NaN where nothing can be said.

    Against what the classifier decides, for systems that explain one, else against the labels: the
    share of clips with the right class, or the mean average precision over classes.
    """
    network.eval()
    logits, reference = [], []
    for clips in task.batches(rows):
        logits.append(network.predict(clips).logits.cpu())
        if task.classifier is None:
            reference.append(task.fold.targets(clips.rows))
        else:
            reference.append(task.classifier.decisions(clips.reference).float().cpu())
    estimate, target = torch.cat(logits), torch.cat(reference)
    if task.multi_label:
        return float(macro(average_precision, target.numpy(), estimate.sigmoid().numpy()))
    return float((estimate.argmax(1) == target.argmax(1)).float().mean())


def fresh(task: Task) -> Task:
    """The task with a classifier of its own to start from: training changes it."""
    return replace(task, start=copy.deepcopy(task.start))
