"""Unsupervised NMF and a linear classifier (Sec. V-B, Table VIII).

A dictionary is learned from the spectra of the training clips, without their labels. What a clip's
codes in it are on average over time is all that a linear classifier sees.

Names and shapes
----------------
x : (B, S, F)  slices of clips (l2i.training.slices)
D : (F, K)     dictionary, unit-norm columns
H : (B, S, K)  codes of the slices (l2i.dictionary.sparse_coding)
z : (B, K)     codes averaged over time, in units of their standard deviation over training clips
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from l2i.checks import InputError
from l2i.dictionary.columns import MatrixColumns
from l2i.dictionary.nmf import Factorisation, sparse_nmf
from l2i.dictionary.sparse_coding import codes
from l2i.progress import GrowingHistory
from l2i.training.cached_rows import CachedRows
from l2i.training.logistic_regression import fit_linear
from l2i.training.slices import Slices, compute_slices, slices_of
from l2i.training.task import Clips, Prediction, Task, Trained

log = logging.getLogger(__name__)

NEEDS: list[list[str]] = [[]]
MEASURES = ["classification"]
SETTINGS = {
    "representation": (
        ["log_magnitude", "sqrt_mel"],
        "log_magnitude, log(1 + |S|), or sqrt_mel, the square root of the power mel "
        "spectrum (Sec. V-B tries both)",
    ),
    "slice_frames": ("count", "STFT frames averaged to one column of the data, 1 or more"),
    "n_components": ("count", "columns of the dictionary (Sec. V-B: 64 to 512)"),
    "sparsity": ("weight", "weight of the L1 penalty on codes, for slices of mean norm 1"),
    "n_iter": ("count", "iterations of NMF"),
    "inverse_regularization": (
        "positive",
        "C of the logistic regression, larger for less shrinkage",
    ),
}

BATCH = 128  # clips coded together
RIDGE = 1e-3  # weight of 1/2 ||h||^2, which makes every code the only one of its cost
SMALLEST_SPREAD = 1e-6  # below it a component is as good as never used


class NmfLinear(nn.Module):
    """A dictionary, the codes that it gives, and a linear classifier of their means.

    Parameters
    ----------
    slices : dict
        Architecture of :class:`l2i.training.slices.Slices`.
    n_components, n_classes : int
        K and C.
    sparsity, ridge : float
        Penalties on codes, see :mod:`l2i.dictionary.sparse_coding`.
    """

    scale: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        slices: dict[str, Any],
        *,
        n_components: int,
        n_classes: int,
        sparsity: float,
        ridge: float,
    ) -> None:
        super().__init__()
        self.slices = Slices(**slices)
        self.architecture: dict[str, Any] = {
            "slices": self.slices.architecture,
            "n_components": n_components,
            "n_classes": n_classes,
            "sparsity": sparsity,
            "ridge": ridge,
        }
        self.penalties: dict[str, Any] = {"l1": sparsity, "l2": ridge}
        self.D = nn.Parameter(torch.zeros(self.slices.n_features, n_components))
        self.register_buffer("scale", torch.ones(n_components))
        self.register_buffer("weight", torch.zeros(n_classes, n_components))
        self.register_buffer("bias", torch.zeros(n_classes))

    def codes(self, x: Tensor) -> Tensor:
        """Codes H of slices x, each from scratch, with the dictionary as it is."""
        return codes(x.flatten(0, 1), self.D.detach(), **self.penalties).unflatten(0, x.shape[:2])

    def classify(self, H: Tensor) -> Tensor:
        """Logits (B, C) of codes H."""
        return linear(H.mean(1) / self.scale, self.weight, self.bias)

    @property
    def n_learned(self) -> int:
        """Number of parameters: dictionary, weights and bias of the classifier."""
        return self.D.numel() + self.weight.numel() + self.bias.numel()

    @torch.no_grad()
    def predict(self, clips: Clips) -> Prediction:
        """Logits of clips."""
        return Prediction(self.classify(self.codes(self.slices(clips.log_magnitude))))

    @torch.no_grad()
    def code_clips(self, x: CachedRows, keep: CachedRows | None = None) -> Tensor:
        """Codes of all training clips averaged over time, (n_clips, K).

        Stored in `keep`, (n_clips, S, K), as they are, where that is given.
        """
        means = []
        for batch in torch.arange(len(x.data)).split(BATCH):
            H = self.codes(x[batch])
            means.append(H.mean(1))
            if keep is not None:
                keep.fill(int(batch[0]), H)
        return torch.cat(means)

    @torch.no_grad()
    def fit_classifier(
        self, means: Tensor, task: Task, inverse_regularization: float, n_iter: int | None = None
    ) -> None:
        """Fit scale, weight and bias to averaged codes of the training clips.

        Weight and bias go to their minimum, or `n_iter` iterations towards it.
        """
        spread = means.std(0, correction=0)
        # A component that never sounds in training must not count for much when it does later.
        self.scale.copy_(torch.where(spread > SMALLEST_SPREAD, spread, 1.0))
        weight, bias = fit_linear(
            means / self.scale,
            task.targets,
            multi_label=task.multi_label,
            positive_weight=task.positive_weight,
            inverse_regularization=inverse_regularization,
            start=(self.weight, self.bias),
            n_iter=n_iter,
        )
        self.weight.copy_(weight)
        self.bias.copy_(bias)


Kind = TypeVar("Kind", bound=NmfLinear)


def build(**architecture: Any) -> NmfLinear:
    """The network, its weights to be loaded."""
    return NmfLinear(**architecture)


def train(task: Task, settings: dict[str, Any]) -> Trained:
    """Learn a dictionary, then fit a linear classifier to averaged codes."""
    network, x, history = learn_dictionary(NmfLinear, task, settings, ridge=RIDGE)
    means = network.code_clips(x)
    network.fit_classifier(means, task, settings["inverse_regularization"])
    facts = {"training_loss": training_loss(network, means, task)}
    return Trained(network, history, facts | {"n_parameters": network.n_learned})


def learn_dictionary(
    kind: type[Kind], task: Task, settings: dict[str, Any], *, ridge: float
) -> tuple[Kind, CachedRows, pd.DataFrame]:
    """A network with a dictionary learned without labels, slices, the objective by iteration.

    Raises
    ------
    InputError
        If a class of a multi-class data set has no clip to learn from.
    """
    if not task.multi_label and (empty := (task.targets == 1).sum(0) == 0).any():
        names = [name for name, none in zip(task.fold.classes, empty, strict=True) if none]
        raise InputError(
            f"{task.fold.dataset}, fold {task.fold.name}: no training clip of {', '.join(names)}: "
            "correct the labels or the folds of the corpus"
        )
    slices = slices_of(task.fold.front_end, settings["representation"], settings["slice_frames"])
    network = kind(
        slices.architecture,
        n_components=settings["n_components"],
        n_classes=task.n_classes,
        sparsity=settings["sparsity"],
        ridge=ridge,
    ).to(task.device)
    x = compute_slices(
        network.slices, task.log_magnitude, task.rows, device=task.device, scratch=task.scratch
    )
    result = sparse_nmf(
        MatrixColumns(x.data.flatten(0, 1).T),
        settings["n_components"],
        sparsity=settings["sparsity"],
        n_iter=settings["n_iter"],
        generator=torch.default_generator,
        observe=_growing_history(),
    )
    network.D.data.copy_(result.W)
    log.info("relative error of the dictionary: %.4f", result.relative_error)
    return network, x, history_of(result)


def history_of(result: Factorisation) -> pd.DataFrame:
    """Iterations of NMF as epochs, the objective as their loss."""
    known = zip(result.objective[1:].tolist(), result.seconds.diff().tolist(), strict=True)
    return pd.DataFrame([_row(epoch, *values) for epoch, values in enumerate(known, 1)])


def _row(epoch: int, objective: float, seconds: float) -> dict[str, Any]:
    return {"epoch": epoch, "total": objective, "seconds": seconds, "seconds_waiting": 0.0}


def _growing_history() -> Callable[[int, float, float], None]:
    """The same, to be followed: what takes note of an iteration."""
    growing, before = GrowingHistory(), 0.0

    def observe(iteration: int, objective: float, seconds: float) -> None:
        nonlocal before
        if iteration:
            growing.add(_row(iteration, objective, seconds - before))
        before = seconds

    return observe


@torch.no_grad()
def training_loss(network: NmfLinear, means: Tensor, task: Task) -> float:
    """Classification loss over all training clips, from their averaged codes."""
    logits = linear(means / network.scale, network.weight, network.bias)
    return float(task.loss(logits, task.targets))
