"""VIBI: an explainer keeps a few chunks of the input, an approximator copies f from them alone.

Variational information bottleneck for interpretation (Bang et al. 2021), a post-hoc baseline that
sees nothing of the classifier f but its output (Table IV). The explainer turns the log-mel into a
distribution p over d chunks of frames and mel bands. Training keeps the chunks that k relaxed draws
from p hit, and minimises

    prediction + information_weight k KL(p || uniform),

the prediction loss being that of the approximator, which hears what is kept and copies f. Scores
keep the k chunks of largest p, and come from running means of the weights.

Names and shapes
----------------
x      : (B, 1, T, F)  standardised log-mel, cropped to whole chunks
logits : (B, d)        of p over chunks, or (B, C) over classes
masks  : (..., B, d)   share of each chunk that is kept, 0 to 1

References
----------
S. Bang, P. Xie, H. Lee, W. Wu, E. Xing, "Explaining a black-box by using a deep variational
information bottleneck approach", AAAI 2021.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from l2i.checks import InputError
from l2i.networks.bottleneck import (
    Approximator,
    Explainer,
    Grid,
    draw_masks,
    information,
    masked,
    start_weights,
    top_chunks,
)
from l2i.runtime import autocast, channels_last, on_device
from l2i.training import losses
from l2i.training.cached_rows import CachedRows, place_for
from l2i.training.loop import Losses, plan_of
from l2i.training.loop import train as train_network
from l2i.training.task import BATCH, Clips, Prediction, Task, Trained, needed

NEEDS = [["classifier"]]
MEASURES = ["fidelity"]
SETTINGS = {
    "n_kept": ("count", "k, chunks that are kept; 5 to 20 in the authors' appendix"),
    "information_weight": (
        "weight",
        "beta, weight of k KL(p || uniform) in nats; 0.1 in the public code",
    ),
    "temperature": ("positive", "of the relaxed draws, above 0; 0.5 in the public code"),
    "n_draws": (
        "count",
        "draws of k chunks for each clip and step, over which the loss is averaged",
    ),
    "chunk_mels": ("count", "mel bands in a chunk; 32 in the authors' appendix"),
    "chunk_frames": (
        "count",
        "frames in a chunk; 43 (ESC-50) and 86 (SONYC-UST) in the authors' appendix",
    ),
    "ema_decay": (
        "share",
        "decay of the running means of weights, per step; 0.999 in the public code",
    ),
    "published_sampling": (
        "switch",
        "draw as the public code does: log-probabilities taken for probabilities, and no "
        "gradient from the prediction loss to the explainer",
    ),
    "n_epochs": ("count", "passes over the training clips"),
    "batch_size": ("count", "clips in a step"),
    "learning_rate": ("rate", "of Adam"),
    "schedule": (["constant", "one_cycle"], "'constant' or 'one_cycle'"),
}

BETAS = (0.5, 0.999)  # of Adam in the public code


class Vibi(nn.Module):
    """Explainer and approximator, and running means of both, which scores come from.

    Parameters
    ----------
    n_classes : int
        Number C of classes.
    n_kept : int
        Number k of chunks that scores keep.
    chunk_frames, chunk_mels : int
        Size of a chunk.
    """

    mean: Tensor
    std: Tensor
    n_steps: Tensor

    def __init__(self, n_classes: int, *, n_kept: int, chunk_frames: int, chunk_mels: int) -> None:
        super().__init__()
        self.architecture: dict[str, Any] = {
            "n_classes": n_classes,
            "n_kept": n_kept,
            "chunk_frames": chunk_frames,
            "chunk_mels": chunk_mels,
        }
        self.grid = Grid(chunk_frames, chunk_mels)
        self.register_buffer("mean", torch.zeros(()))  # of the training clips, in dB
        self.register_buffer("std", torch.ones(()))
        self.register_buffer("n_steps", torch.zeros((), dtype=torch.int64))
        self.learned = nn.ModuleDict(
            {"explainer": Explainer(self.grid), "approximator": Approximator(n_classes)}
        )
        self.learned.apply(start_weights)
        self.averaged = copy.deepcopy(self.learned).requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Vibi:
        """Switch what learns; the running means never drop out nor gather statistics."""
        super().train(mode)
        self.averaged.eval()
        return self

    def standardised(self, log_mel: Tensor) -> Tensor:
        """Log-mel in dB, (B, n_frames, n_mels), as both networks see it: x, 0 at the mean level."""
        n_frames, n_mels = self.grid.counts(*log_mel.shape[1:])
        cropped = log_mel[:, : n_frames * self.grid.frames, : n_mels * self.grid.mels]
        return ((cropped - self.mean) / self.std).unsqueeze(1)

    def explain(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits over chunks (B, d), mask of the chunks kept (B, d), class logits (B, C)."""
        logits = self.averaged["explainer"](x)
        mask = top_chunks(logits, self.architecture["n_kept"])
        return logits, mask, self.averaged["approximator"](masked(x, mask, self.grid))

    @torch.no_grad()
    def predict(self, clips: Clips) -> Prediction:
        """What the approximator makes of the chunks that the explainer keeps."""
        logits, _, estimate = self.explain(self.standardised(clips.log_mel))
        classifier = clips.classifier
        reference = classifier.probabilities(clips.reference)
        multi_label = classifier.multi_label
        return Prediction(
            estimate,
            {
                "fidelity_loss": losses.fidelity(reference, estimate, multi_label=multi_label),
                "information_loss": information(logits),
            },
        )

    @torch.no_grad()
    def average(self, decay: float) -> None:
        """Take the weights of a step into their running means.

        The decay starts low, at (1 + t) / (10 + t) after t steps: else the random start would stay
        in the mean for thousands of steps, more than a small corpus has. Statistics of batch norms
        are running means already and are copied.
        """
        weight = 1 - ((1 + self.n_steps) / (10 + self.n_steps)).clamp(max=decay)
        self.n_steps += 1
        for mean, value in zip(self.averaged.parameters(), self.learned.parameters(), strict=True):
            mean.lerp_(value, weight)
        for kept, latest in zip(self.averaged.buffers(), self.learned.buffers(), strict=True):
            kept.copy_(latest)


def build(**architecture: Any) -> Vibi:
    """The network, its weights to be loaded."""
    return Vibi(**architecture)


def train(task: Task, settings: dict[str, Any]) -> Trained:
    """Train explainer and approximator on what the classifier makes of the training clips.

    Raises
    ------
    InputError
        If a chunk is larger than a clip, or more chunks are to be kept than there are.
    """
    n_kept, n_draws = settings["n_kept"], settings["n_draws"]
    network = Vibi(
        task.n_classes,
        n_kept=n_kept,
        chunk_frames=settings["chunk_frames"],
        chunk_mels=settings["chunk_mels"],
    )
    n_chunks = math.prod(network.grid.counts(*task.log_mel.shape[1:]))
    if not 1 <= n_kept <= n_chunks:
        raise InputError(
            f"n_kept is {n_kept}, but a clip of {task.log_mel.shape[1]} frames and "
            f"{task.log_mel.shape[2]} mel bands has {n_chunks} whole chunks of chunk_frames = "
            f"{network.grid.frames} and chunk_mels = {network.grid.mels}: set n_kept between 1 and "
            "their number, or the chunks smaller"
        )
    network.mean, network.std = level(task)
    network = channels_last(network.to(task.device))
    x, targets = prepare(task, network)
    explainer, approximator = network.learned["explainer"], network.learned["approximator"]

    def batch_losses(fetched: tuple[Tensor, Tensor], epoch: int) -> Losses:
        x, targets = fetched
        with autocast(task.device, task.precision):
            logits = explainer(x)
            masks = draw_masks(
                logits,
                n_kept,
                n_draws=n_draws,
                temperature=settings["temperature"],
                published=settings["published_sampling"],
            )
            estimate = approximator(masked(x, masks, network.grid))
        parts = {
            "prediction": losses.fidelity(
                targets.repeat(n_draws, 1), estimate, multi_label=task.multi_label
            ).mean(),
            "information": information(logits).mean(),
        }
        weight = settings["information_weight"] * n_kept
        return {"total": parts["prediction"] + weight * parts["information"], **parts}

    history = train_network(
        network,
        batch_losses,
        len(task.rows),
        plan_of(settings),
        checkpoint=task.checkpoint(),
        fetch=lambda rows: (x[rows], targets[on_device(rows, task.device)]),
        optimizer=torch.optim.Adam(
            network.learned.parameters(), lr=settings["learning_rate"], betas=BETAS
        ),
        after_step=lambda: network.average(settings["ema_decay"]),
    )
    n_parameters = sum(p.numel() for p in network.learned.parameters())  # not their running means
    return Trained(network.eval(), history, {"n_chunks": n_chunks, "n_parameters": n_parameters})


def level(task: Task) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the log-mel over all training clips, in dB."""
    n, total, squares = 0, *torch.zeros(2, dtype=torch.float64, device=task.device)
    for clips in task.batches(task.rows):
        M = clips.log_mel.double()
        n, total, squares = n + M.numel(), total + M.sum(), squares + M.square().sum()
    mean = total / n
    return mean.float(), (squares / n - mean.square()).clamp(min=1e-12).sqrt().float()


def prepare(task: Task, network: Vibi) -> tuple[CachedRows, Tensor]:
    """Inputs x of the training clips and what to predict of them, computed once.

    The classifier's decision where one class is right, as a one-hot vector, as the public code
    does; its probabilities where any number may be.
    """
    references = []
    for i, clips in enumerate(task.batches(task.rows)):
        batch = network.standardised(clips.log_mel)
        if i == 0:
            shape = (len(task.rows), *batch.shape[1:])
            place = place_for(task.precision.itemsize * math.prod(shape), task.device)
            x = CachedRows(
                shape, task.precision, place=place, device=task.device, scratch=task.scratch
            )
        x.fill(i * BATCH, batch)
        references.append(clips.reference)
    logits = torch.cat(references)
    if task.multi_label:
        return x, needed(task.classifier, "classifier").probabilities(logits)
    return x, one_hot(logits.argmax(-1), task.n_classes).float()
