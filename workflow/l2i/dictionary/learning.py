"""The spectral dictionary of one fold: which clips it is learned from, and how it is kept.

One dictionary of all training clips (ESC-50), or columns learned class by class and laid side by
side, optionally with columns of background noise held fixed beside them (SONYC-UST, OpenMIC-2018;
Sec. IV-B.3).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from l2i.checks import raise_all
from l2i.dictionary.columns import Blocks, ClipColumns, MatrixColumns
from l2i.dictionary.nmf import sparse_nmf
from l2i.progress import GrowingHistory
from l2i.runtime import free_memory
from l2i.saved_state import load_state, save_state

log = logging.getLogger(__name__)

NOISE = "noise"  # name of the part that is learned from clips without positive labels


class Part(NamedTuple):
    """Columns that were learned together."""

    W: Tensor  # (F, K of this part), unit-norm columns, without those held fixed
    history: pd.DataFrame  # iteration, objective, seconds; from the start on
    relative_error: float  # ||X - WH|| / ||X||, with those held fixed
    n_clips: int
    n_columns: int  # of X


class DictionaryResult(NamedTuple):
    """A dictionary and how it came about; parts are named by class, or NOISE, or 'all'."""

    W: Tensor  # (F, K), unit-norm columns; noise left out
    component_classes: list[str] | None  # of which class each column is; None: of none
    parts: dict[str, Part]


def learn_together(
    log_magnitude: np.ndarray,
    train_rows: Sequence[int] | np.ndarray,
    *,
    n_components: int,
    sparsity: float,
    n_iter: int,
    solver: str,
    generator: torch.Generator,
    device: str,
) -> DictionaryResult:
    """One dictionary of all training clips; arguments as those of :func:`learn_per_class`."""
    growing = GrowingHistory()
    part = _learn(
        log_magnitude,
        train_rows,
        n_components,
        observe=lambda *values: growing.add(_row(*values)),
        sparsity=sparsity,
        n_iter=n_iter,
        solver=solver,
        generator=generator,
        device=device,
    )
    return DictionaryResult(part.W, None, {"all": part})


def learn_per_class(
    log_magnitude: np.ndarray,
    train_rows: Sequence[int] | np.ndarray,
    targets: Tensor,
    *,
    dataset: str,
    classes: Sequence[str],
    n_components: int,
    n_noise_components: int,
    clips_per_class: int,
    sparsity: float,
    n_iter: int,
    solver: str,
    generator: torch.Generator,
    device: str,
    checkpoint: Path | None = None,
) -> DictionaryResult:
    """A dictionary whose columns are learned from clips of one class after another.

    Noise comes first, from all training clips without a positive label. Beside its columns, which
    stay as they are, each class then learns its own from positive clips drawn at random. Noise is
    no part of the result.

    Parameters
    ----------
    log_magnitude : ndarray, shape (N_clips, F, T)
        Features of a data set, as a rule a memory map; read a few clips at a time.
    train_rows : sequence or ndarray of int
        Row numbers of the fold's training clips.
    targets : Tensor, shape (len(train_rows), C)
        Their labels: 1 positive, 0 negative, NaN not observed.
    dataset, classes : str, sequence of str
        Names, in class order.
    n_components : int
        Columns of the result, a multiple of the number of classes.
    n_noise_components : int
        Columns held fixed beside those of each class; 0 for none.
    clips_per_class : int
        How many positive clips are drawn of a class; all of a class that has fewer.
    sparsity, n_iter, solver
        As in :func:`l2i.dictionary.nmf.sparse_nmf`, the same for every part.
    generator : torch.Generator
        On the CPU; draws clips and starts.
    device : str
        Where to compute.
    checkpoint : Path, optional
        File that keeps the parts that are finished, for a run that goes on; the caller names it
        after all that they depend on, and removes it.

    Raises
    ------
    InputError
        If components cannot be shared out, or a class or the noise has no clips to learn from.
    """
    positive = (targets == 1).cpu().numpy()  # what nobody has observed (NaN) is neither
    unlabelled = (targets == 0).any(1).cpu().numpy() & ~positive.any(axis=1)
    has_noise = n_noise_components == 0 or bool(unlabelled.any())
    _require_learnable(dataset, classes, n_components, positive, has_noise=has_noise)
    learn = partial(
        _learn,
        log_magnitude,
        sparsity=sparsity,
        n_iter=n_iter,
        solver=solver,
        generator=generator,
        device=device,
    )

    train_rows = np.asarray(train_rows)
    # Before anything is learned: the clips are the same whatever the number of components.
    drawn = {
        name: _drawn(train_rows[positive[:, c]], clips_per_class, generator, name)
        for c, name in enumerate(classes)
    }
    size = n_components // len(classes)
    plan = [(name, rows, size) for name, rows in drawn.items()]
    if n_noise_components:
        plan.insert(0, (NOISE, train_rows[unlabelled], n_noise_components))
    parts = _kept_parts(checkpoint, generator)
    growing = GrowingHistory(
        {"part": name, **row}
        for (name, _, _), part in zip(plan, parts, strict=False)
        for row in part.history.to_dict("records")
    )

    def observe(name: str, *values: Any) -> None:
        growing.add({"part": name, **_row(*values)})

    for name, rows, n_columns in plan[len(parts) :]:
        frozen = parts[0].W if n_noise_components and parts else None
        told = partial(observe, name)
        parts.append(learn(rows, n_columns, name=name, frozen=frozen, observe=told))
        _keep_parts(parts, checkpoint, generator)
    of_class = parts[-len(classes) :]
    W = torch.cat([part.W for part in of_class], dim=1)
    owners = [name for name, part in zip(classes, of_class, strict=True) for _ in part.W.T]
    named = {name: part for (name, _, _), part in zip(plan, parts, strict=True)}
    return DictionaryResult(W, owners, named)


def _row(iteration: int, objective: float, seconds: float) -> dict[str, Any]:
    """A row of the history of a part."""
    return {"iteration": iteration, "objective": objective, "seconds": seconds}


def _kept_parts(checkpoint: Path | None, generator: torch.Generator) -> list[Part]:
    """Parts that were learned before a run was ended, in their order; the generator goes on."""
    if checkpoint is None or not checkpoint.exists():
        return []
    state = load_state(checkpoint)
    generator.set_state(state["generator"])
    log.info("going on after %d parts, from a checkpoint", len(state["parts"]))
    return [Part(**kept | {"history": pd.DataFrame(kept["history"])}) for kept in state["parts"]]


def _keep_parts(parts: list[Part], checkpoint: Path | None, generator: torch.Generator) -> None:
    if checkpoint is None:
        return
    kept = [part._asdict() | {"history": part.history.to_dict("list")} for part in parts]
    save_state({"parts": kept, "generator": generator.get_state()}, checkpoint)


def training_columns(
    log_magnitude: np.ndarray, train_rows: Sequence[int] | np.ndarray, *, device: str = "cpu"
) -> Blocks:
    """All frames of the training clips, one per column; frames of other clips are never read.

    A GPU holds them all if it has room for them and for what is computed; else, and on a CPU, they
    come from the array a few clips at a time.

    Parameters
    ----------
    log_magnitude : ndarray, shape (N_clips, F, T)
        Features of a data set, as a rule a memory map.
    train_rows : sequence or ndarray of int
        Row numbers of the fold's training clips.
    device : str
        Where columns are wanted.
    """
    columns = ClipColumns(log_magnitude, train_rows, device)
    n_bytes = math.prod(columns.shape) * log_magnitude.itemsize
    if device == "cpu" or 2 * n_bytes > free_memory(device):
        return columns
    return MatrixColumns(columns.matrix())


def _learn(
    log_magnitude: np.ndarray,
    rows: Sequence[int] | np.ndarray,
    n_components: int,
    *,
    device: str,
    name: str = "all",
    frozen: Tensor | None = None,
    **nmf: Any,
) -> Part:
    X = training_columns(log_magnitude, rows, device=device)
    log.info("%s: %d components of %d clips, %d columns", name, n_components, len(rows), X.shape[1])
    result = sparse_nmf(X, n_components, frozen=frozen, **nmf)
    history = pd.DataFrame({"objective": result.objective, "seconds": result.seconds})
    return Part(
        # A copy of what is new, else all parts would keep the frozen columns too.
        result.W[:, -n_components:].clone(),
        history.rename_axis("iteration").reset_index(),
        result.relative_error,
        len(rows),
        X.shape[1],
    )


def _drawn(
    positives: np.ndarray, clips_per_class: int, generator: torch.Generator, name: str
) -> np.ndarray:
    """Rows of the clips that a class learns from, in the order of the index."""
    if len(positives) < clips_per_class:
        log.warning(
            "%s has %d positive training clips, fewer than clips_per_class, %d: all are taken",
            name,
            len(positives),
            clips_per_class,
        )
    order = torch.randperm(len(positives), generator=generator)
    return positives[order[:clips_per_class].sort().values.numpy()]


def _require_learnable(
    dataset: str,
    classes: Sequence[str],
    n_components: int,
    positive: np.ndarray,
    *,
    has_noise: bool,
) -> None:
    key = f"datasets.{dataset}.dictionary"
    problems = [
        f"class {name} has no positive training clip: correct the labels, or set "
        f"{key}.clips_per_class to null for one dictionary of all clips"
        for name, n_clips in zip(classes, positive.sum(axis=0), strict=True)
        if not n_clips
    ]
    if n_components % len(classes):
        problems.append(
            f"{key}.n_components is {n_components}: make it a multiple of the number of classes, "
            f"{len(classes)}, of which each learns as many"
        )
    if not has_noise:
        problems.append(
            "every training clip has a positive label, which leaves none to learn noise from: set "
            f"{key}.n_noise_components to 0"
        )
    raise_all(problems, f"The dictionary of {dataset} cannot be learned class by class")
