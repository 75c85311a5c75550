"""Settings that a system chooses for itself, on selection data (never on test data)."""

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
from torch import nn

from l2i.checks import InputError
from l2i.metrics import average_precision, macro
from l2i.training.loop import Diverged
from l2i.training.task import Task, Trained

log = logging.getLogger(__name__)


def combinations(choices: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Every combination of values, in the order in which they are written; one of no choices."""
    for values in itertools.product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


def choose_and_train(
    train: Callable[[Task, dict[str, Any]], Trained],
    task: Task,
    settings: dict[str, Any],
    choices: Mapping[str, Sequence[Any]],
    *,
    seed: int,
    selection_seed: int | None,
) -> Trained:
    """Train with the settings that do best on selection data, then anew on all training clips.

    Selection clips are kept from the fits that are compared
    (:meth:`l2i.datasets.fold.Fold.selection`), and test clips from everything. With one combination
    there is nothing to choose. Every fit starts from the same random state.

    Parameters
    ----------
    train : callable
        A system's.
    task : Task
        All training clips of the fold.
    settings : dict
        What is not to be chosen.
    choices : mapping
        Setting to its possible values.
    seed : int
        Of every fit.
    selection_seed : int or None
        Of the draw of selection clips, where the corpus keeps none; unused with one combination.

    Returns
    -------
    Trained
        Its facts tell the score of every combination and which was chosen.
    """
    tried = list(combinations(choices))
    chosen, scores = tried[0], []
    if len(tried) > 1:
        fit_rows, selection_rows = task.fold.selection(selection_seed)
        for number, values in enumerate(tried):
            log.info("choice %d of %d: %s", number + 1, len(tried), values)
            torch.manual_seed(seed)
            part = replace(
                task, rows=fit_rows, checkpoints=task.checkpoints / f"choice-{number + 1}"
            )
            try:
                network = train(fresh(part), settings | values).network
            except Diverged as error:
                log.warning("out of the choice: %s", error)
                scores.append(math.nan)
            else:
                scores.append(score(network, part, selection_rows))
        if all(map(math.isnan, scores)):
            raise InputError(
                f"no setting of {', '.join(choices)} can be chosen: every one diverged, or no "
                f"selection clip of {task.fold.dataset} holds a class. Name one value for each "
                "under `choose`"
            )
        chosen = tried[int(np.nanargmax(scores))]
        log.info("chosen: %s", chosen)
    torch.manual_seed(seed)
    trained = train(fresh(task), settings | chosen)
    about = {"chosen": chosen}
    if scores:
        about["selection_scores"] = [
            {"settings": values, "score": None if math.isnan(each) else each}
            for values, each in zip(tried, scores, strict=True)
        ]
    return trained._replace(facts=trained.facts | about)


def score(network: nn.Module, task: Task, rows: np.ndarray) -> float:
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
