"""Task-driven NMF: a dictionary that learns from the classifier's mistakes (Sec. V-B, Table VIII).

Starts as unsupervised NMF (l2i.systems.nmf_linear). Then the classification loss is differentiated
through the averaged codes (l2i.dictionary.sparse_coding) down to the dictionary, which takes
projected gradient steps; before every epoch the linear classifier takes a few steps of its own on
the codes of all training clips, and at the end it is fitted to its minimum.

References
----------
J. Mairal, F. Bach, J. Ponce, "Task-driven dictionary learning", IEEE Trans. PAMI 34(4), 2012.
V. Bisot, R. Serizel, S. Essid, G. Richard, "Feature learning with matrix factorization applied to
acoustic scene classification", IEEE/ACM Trans. ASLP 25(6), 2017.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from l2i.checks import InputError
from l2i.dictionary.sparse_coding import differentiable_codes, project_columns
from l2i.runtime import on_device
from l2i.systems.nmf_linear import NmfLinear, learn_dictionary, training_loss
from l2i.training.cached_rows import CachedRows, place_for
from l2i.training.loop import Losses, Plan, plan_of
from l2i.training.loop import train as train_network
from l2i.training.losses import Loss
from l2i.training.task import Task, Trained

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
    "ridge": (
        "positive",
        "weight of half the squared norm of codes, above 0 so that they can be differentiated",
    ),
    "n_iter": ("count", "iterations of the unsupervised NMF that gives the first dictionary"),
    "n_epochs": ("count", "passes over the training clips"),
    "batch_size": ("count", "clips per step"),
    "learning_rate": (
        "rate",
        "rate of the steps on the dictionary in the first tenth of all steps, after which"
        " it falls as one over their number (Mairal et al. 2012)",
    ),
    "inverse_regularization": (
        "positive",
        "C of the logistic regression, larger for less shrinkage",
    ),
    "head_iterations": ("count", "steps of the linear classifier before every epoch but the first"),
    "published_gradient": (
        "switch",
        "true: score every slice by itself and unscaled, and sum over the batch, as the "
        "public code for task-driven NMF does; false: the exact gradient of the loss",
    ),
}

CONSTANT_SHARE = 0.1  # of all steps: those at the full rate


class TdlNmf(NmfLinear):
    """The same network, whose dictionary learns, with a count of the steps that it has taken."""

    n_steps: Tensor

    def __init__(self, slices: dict[str, Any], **architecture: Any) -> None:
        super().__init__(slices, **architecture)
        self.register_buffer("n_steps", torch.zeros((), dtype=torch.int64))

    def learnable_codes(self, x: Tensor, start: Tensor) -> Tensor:
        """Codes H of slices x, from codes that were nearly right; the gradient reaches D."""
        H = differentiable_codes(
            x.flatten(0, 1), self.D, start=start.flatten(0, 1), **self.penalties
        )
        return H.unflatten(0, x.shape[:2])


def build(**architecture: Any) -> TdlNmf:
    """The network, its weights to be loaded."""
    return TdlNmf(**architecture)


def train(task: Task, settings: dict[str, Any]) -> Trained:
    """Learn dictionary and linear classifier from each other.

    Raises
    ------
    InputError
        If `ridge` is 0, or a class of a multi-class data set has no clip to learn from.
    """
    if not settings["ridge"] > 0:
        raise InputError(
            f"ridge is {settings['ridge']}: without it codes need not be unique, nor have a "
            "derivative; set it above 0"
        )
    network, x, _ = learn_dictionary(TdlNmf, task, settings, ridge=settings["ridge"])
    shape = (*x.data.shape[:2], settings["n_components"])
    # Codes as they were before the epoch: those in a dictionary a few steps on are near.
    before = CachedRows(
        shape,
        torch.float32,
        place=place_for(4 * math.prod(shape), task.device),
        device=task.device,
        scratch=task.scratch,
    )
    plan = plan_of(settings)
    optimizer = torch.optim.SGD([network.D], lr=plan.learning_rate)
    C = settings["inverse_regularization"]

    def fit_a_little(epoch: int) -> None:
        means = network.code_clips(x, before)
        n_iter = None if epoch == 1 else settings["head_iterations"]
        network.fit_classifier(means, task, C, n_iter)

    def fetch(batch: Tensor) -> tuple[Tensor, ...]:
        return x[batch], before[batch], task.targets[on_device(batch, task.device)]

    def batch_losses(fetched: tuple[Tensor, ...], epoch: int) -> Losses:
        slices, start, targets = fetched
        H = network.learnable_codes(slices, start)
        loss = slice_loss if settings["published_gradient"] else clip_loss
        return {"total": loss(network, H, targets, task.loss)}

    def after_step() -> None:
        project_columns(network.D)
        network.n_steps += 1
        step = int(network.n_steps) + 1
        optimizer.param_groups[0]["lr"] = plan.learning_rate * decay(step, plan, len(task.rows))

    history = train_network(
        network,
        batch_losses,
        len(task.rows),
        plan,
        checkpoint=task.checkpoint(),
        fetch=fetch,
        optimizer=optimizer,
        before_epoch=fit_a_little,
        after_step=after_step,
    )
    means = network.code_clips(x)
    network.fit_classifier(means, task, C)
    facts = {"training_loss": training_loss(network, means, task)}
    return Trained(network, history, facts | {"n_parameters": network.n_learned})


def clip_loss(network: TdlNmf, H: Tensor, targets: Tensor, loss: Loss) -> Tensor:
    """Loss of clips by their averaged codes: what is to be minimised."""
    return loss(network.classify(H), targets)


def slice_loss(network: TdlNmf, H: Tensor, targets: Tensor, loss: Loss) -> Tensor:
    """Sum of the losses of slices, each with its clip's label and codes that nothing scales.

    What the gradient of the public code belongs to, although its classifier is fitted to averaged
    and scaled codes.
    """
    logits = linear(H.flatten(0, 1), network.weight, network.bias)
    return loss(logits, targets.repeat_interleave(H.shape[1], dim=0)) * len(logits)


def decay(step: int, plan: Plan, n_clips: int) -> float:
    """Factor on the learning rate in a step counted from 1: min(1, t0 / step)."""
    n_steps = plan.n_epochs * math.ceil(n_clips / plan.batch_size)
    return min(1.0, CONSTANT_SHARE * n_steps / step)
