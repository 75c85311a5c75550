"""L2I, post-hoc: an interpreter of a classifier that stands still (Sec. III-B, Eq. 4 and 5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from l2i.checks import InputError
from l2i.datasets.exchange import exchange
from l2i.features.cache import rows_of
from l2i.interpretation.explained import ExplainedClassifier
from l2i.networks.explainable import Explainable
from l2i.networks.interpreter import Interpreter, theta_of
from l2i.runtime import autocast, channels_last, on_device, precision_name
from l2i.training import losses
from l2i.training.hidden_maps import HiddenMaps
from l2i.training.loop import Losses, Plan, plan_of
from l2i.training.loop import train as train_network
from l2i.training.projections import Projections
from l2i.training.task import Clips, Prediction, Task, Trained, needed

log = logging.getLogger(__name__)

NEEDS = [["classifier", "dictionary"]]
MEASURES = ["fidelity", "faithfulness", "sounds"]
SETTINGS = {
    "taps": ("taps", "blocks of the classifier that Psi listens to"),
    "pooling": (
        ["attention", "class_attention", "max"],
        "how Theta pools over time: by attention, one attention a class, or the maximum",
    ),
    "dropout": ("share", "dropout inside Theta's pooling"),
    "reconstruction_weight": ("weight", "weight of the reconstruction loss (Table II)"),
    "sparsity_weight": ("weight", "weight of the mean activation (Table II)"),
    "fidelity_weight": (
        "weight_by_epoch",
        "pairs of first epoch and weight of the fidelity loss from there on",
    ),
    "targets": (
        ["classifier", "shuffled"],
        "what a training clip's estimate is held to: the classifier's output for this clip or, to "
        "see which measures notice, for another one",
    ),
    "n_epochs": ("count", "passes over the training clips"),
    "batch_size": ("count", "clips a step"),
    "learning_rate": ("rate", "Adam's rate"),
}

LARGEST_PARITY_GAP = 0.05  # relative; bfloat16 usually stays below a hundredth


@dataclass(frozen=True)
class LossWeights:
    """Weights of the losses (Table II); `fidelity` holds pairs of first epoch and weight."""

    reconstruction: float
    sparsity: float
    fidelity: Sequence[tuple[int, float]]

    def fidelity_at(self, epoch: int) -> float:
        """Weight of the fidelity loss in an epoch, counted from 1."""
        return [weight for first, weight in self.fidelity if epoch >= first][-1]


class PostHoc(Interpreter):
    """An interpreter that listens to a classifier beside it."""

    @torch.no_grad()
    def predict(self, clips: Clips) -> Prediction:
        """What the interpreter makes of clips, and its losses on them."""
        explained = self.explained(clips.classifier)
        X = clips.log_magnitude
        logits, (H, _, estimate) = explained.explain(clips.log_mel, X.shape[-1])
        reference = explained.classifier.probabilities(logits)
        return Prediction(
            estimate,
            {
                "fidelity_loss": losses.fidelity(
                    reference, estimate, multi_label=explained.multi_label
                ),
                "reconstruction_loss": losses.reconstruction(X, self.reconstruct(H)),
                "sparsity_loss": losses.sparsity(H),
            },
        )

    def explained(self, classifier: Explainable | None, **relevance: str) -> ExplainedClassifier:
        """Classifier and interpreter, for faithfulness, relevances and sounds."""
        return ExplainedClassifier(needed(classifier, "classifier"), self, **relevance)


def build(*, n_bins: int, n_components: int, **architecture: Any) -> PostHoc:
    """The network, its weights to be loaded."""
    return PostHoc(torch.zeros(n_bins, n_components), **architecture)


def train(task: Task, settings: dict[str, Any]) -> Trained:
    """Train Psi and Theta on a frozen classifier, with the settings of Table II."""
    classifier = needed(task.classifier, "classifier")
    network = PostHoc(
        needed(task.W, "dictionary"),
        task.n_classes,
        width=classifier.architecture["width"],
        **theta_of(settings),
    )
    network = channels_last(network.to(task.device))
    history, parity = train_posthoc(
        network,
        classifier,
        task.log_mel,
        task.log_magnitude,
        task.rows,
        LossWeights(
            reconstruction=settings["reconstruction_weight"],
            sparsity=settings["sparsity_weight"],
            fidelity=settings["fidelity_weight"],
        ),
        plan_of(settings),
        precision=task.precision,
        device=task.device,
        scratch=task.scratch,
        checkpoint=task.checkpoint(),
        followed=followed_clips(settings["targets"], len(task.rows)),
    )
    return Trained(network, history, {"parity_with_float32": parity})


def followed_clips(targets: str, n: int) -> np.ndarray:
    """Of n training clips, whose output of the classifier the estimate of each is held to, (n,).

    Shuffled ones are another clip's each, none twice, drawn with the seed of this training.
    """
    return exchange(n, torch.initial_seed()) if targets == "shuffled" else np.arange(n)


def train_posthoc(
    interpreter: Interpreter,
    classifier: Explainable,
    log_mel: np.ndarray,
    log_magnitude: np.ndarray,
    rows: np.ndarray,
    weights: LossWeights,
    plan: Plan,
    *,
    precision: torch.dtype,
    device: str,
    scratch: Path,
    checkpoint: Path | None,
    followed: np.ndarray | None = None,
) -> tuple[pd.DataFrame, float]:
    """Train Psi and Theta on the clips `rows`, with everything else computed once beforehand.

    Parameters
    ----------
    interpreter, classifier : Interpreter, Explainable
        On the device; the classifier in evaluation mode and without gradients.
    log_mel, log_magnitude : np.ndarray
        Features of the data set, (N, n_frames, n_mels) and (N, n_bins, n_frames).
    rows : np.ndarray of int
        Training clips.
    scratch : Path
        Folder for hidden maps that fit into no memory.
    checkpoint : Path or None
        See :func:`l2i.training.loop.train`.
    followed : np.ndarray of int, optional
        For each of `rows`, by its place, the place of the clip whose output of the classifier its
        estimate is held to: its own, unless told otherwise. The clip that is heard and
        reconstructed is the one of `rows`.

    Returns
    -------
    history : DataFrame
        Losses and seconds of every epoch.
    parity : float
        Relative difference of the first batch's loss between `precision` and float32.

    Raises
    ------
    InputError
        If that difference is larger than 5 %, or a loss is not finite.
    """
    taps = tuple(interpreter.architecture["taps"])
    hidden = HiddenMaps(
        classifier, log_mel, rows, taps=taps, precision=precision, device=device, scratch=scratch
    )
    followed = np.arange(len(rows)) if followed is None else followed
    reference = classifier.probabilities(hidden.logits)[torch.from_numpy(followed)]
    multi_label = classifier.multi_label
    projections = Projections(interpreter.W, log_magnitude, rows, scratch=scratch)

    def batch_losses(batch: Tensor, epoch: int) -> Losses:
        with autocast(device, precision):
            H, _, logits = interpreter(hidden[batch], projections.n_frames)
        H = H.float()
        error = projections.reconstruction(batch, H)
        return weighted(reference[on_device(batch, device)], logits.float(), error, H, epoch)

    def weighted(reference: Tensor, logits: Tensor, error: Tensor, H: Tensor, epoch: int) -> Losses:
        parts = {
            "fidelity": losses.fidelity(reference, logits, multi_label=multi_label).mean(),
            "reconstruction": error.mean(),
            "sparsity": losses.sparsity(H).mean(),
        }
        total = (
            weights.fidelity_at(epoch) * parts["fidelity"]
            + weights.reconstruction * parts["reconstruction"]
            + weights.sparsity * parts["sparsity"]
        )
        return {"total": total, **parts}

    def exact_losses(batch: Tensor) -> Losses:
        """The same in float32 throughout, from the features on: nothing cached, X rebuilt."""
        X, M, M_followed = (
            rows_of(array, rows[places]).to(device)
            for array, places in (
                (log_magnitude, batch.numpy()),
                (log_mel, batch.numpy()),
                (log_mel, followed[batch.numpy()]),
            )
        )
        _, maps = classifier.hidden_maps(M, taps)
        H, _, estimate = interpreter(maps, X.shape[-1])
        error = losses.reconstruction(X, interpreter.reconstruct(H))
        return weighted(classifier.probabilities(classifier(M_followed)), estimate, error, H, 1)

    interpreter.eval()  # no dropout, so that both precisions see the same network
    first = torch.arange(min(plan.batch_size, len(rows)))
    with torch.no_grad():
        fast, exact = batch_losses(first, 1)["total"].item(), exact_losses(first)["total"].item()
    parity = abs(fast - exact) / max(abs(exact), 1e-12)
    log.info("first loss in %s and float32: %.6f, %.6f", precision_name(precision), fast, exact)
    if not parity < LARGEST_PARITY_GAP:
        raise InputError(
            f"{precision_name(precision)} changes the first loss from {exact:g} to {fast:g}, more "
            f"than {LARGEST_PARITY_GAP:.0%}: set the interpreter's precision to float32"
        )

    interpreter.train()
    history = train_network(interpreter, batch_losses, len(rows), plan, checkpoint=checkpoint)
    return history, parity
