"""APNet: a network that decides by comparing a clip with prototypes it has learned.

An autoencoder turns a log-mel spectrogram into features; prototypes are features too. The more
alike the two, the more a prototype adds to the classes that it stands for, and the decoder makes
prototypes visible and audible (l2i.systems.apnet_sounds).

Names and shapes
----------------
x          : (B, T, M)                   log-mel, scaled to [-1, 1] by the training clips' extremes
features   : (B, c, T/4, M/4)
prototypes : (K, c, T/4, M/4)
D          : (B, K, M/4)  squared distances, one per row of frequency
S          : (B, K, M/4)  similarities exp(-D)

References
----------
P. Zinemanas, M. Rocamora, M. Miron, F. Font, X. Serra, "An interpretable deep learning model for
automatic sound classification", Electronics 10(7), 2021.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from l2i.checks import InputError
from l2i.features.log_mel import LogMel
from l2i.networks.autoencoder import CELL, Decoder, Encoder
from l2i.progress import progress
from l2i.runtime import autocast, channels_last, on_device
from l2i.training.cached_rows import CachedRows, chunks, place_for
from l2i.training.loop import Losses, plan_of
from l2i.training.loop import train as train_network
from l2i.training.losses import Loss
from l2i.training.task import Clips, Prediction, Task, Trained

NEEDS: list[list[str]] = [[]]
MEASURES = ["classification", "prototypes"]
SETTINGS = {
    "n_prototypes": ("count", "number K of prototypes; the paper takes its number of components"),
    "n_channels": (
        "count",
        "channels of every hidden layer of the autoencoder; 32 in APNet's code",
    ),
    "sample_rate": (
        "count",
        "Hz; waveforms are resampled to it (22050 in APNet's code for UrbanSound8K)",
    ),
    "n_fft": ("count", "samples of a window and of its transform (4096)"),
    "hop_length": ("count", "samples between two windows (1024)"),
    "n_mels": (
        "count",
        "bands of the HTK mel scale, a multiple of 4 (64 or 128 in the authors' appendix)",
    ),
    "classification_weight": ("weight", "factor on the classification loss (10)"),
    "reconstruction_weight": ("weight", "factor on the autoencoder's mean squared error (5)"),
    "prototype_weight": ("weight", "factor on the distances between clips and prototypes (5)"),
    "n_epochs": (
        "count",
        "passes over the training clips (100 on ESC-50, 21 elsewhere; authors' appendix)",
    ),
    "batch_size": ("count", "clips in a batch; every prototype should find a clip near it there"),
    "learning_rate": ("rate", "step size of Adam (1e-3 in APNet's code)"),
}

FRONT_END = ("sample_rate", "n_fft", "hop_length", "n_mels")
PROTOTYPE_RANGE = 0.05  # entries of fresh prototypes lie between minus and plus this
HEAD_NOISE = 0.05  # the same of what is added to the fresh head
LEAST_SIMILARITY = 1e-4  # below it the classification loss has hardly any gradient
WARM_UP = (3, 4)  # epochs without it, if that is so when the first of them begins


class APNet(nn.Module):
    """Autoencoder, prototypes and a linear head.

    Parameters
    ----------
    n_classes : int
        Number C of classes.
    n_prototypes : int
        Number K of prototypes, at least C.
    n_frames : int
        Frames T of a clip, a multiple of 4: prototypes have a length.
    n_channels : int
        Channels c of hidden layers.
    front_end : dict
        Settings of :class:`l2i.features.log_mel.LogMel`.
    """

    extremes: Tensor
    similarity: Tensor
    dormant: Tensor

    def __init__(
        self,
        n_classes: int,
        *,
        n_prototypes: int,
        n_frames: int,
        n_channels: int,
        front_end: dict[str, int],
    ) -> None:
        super().__init__()
        self.front_end = LogMel(**front_end)
        self.n_frames = n_frames
        n_rows = self.front_end.n_mels // CELL
        self.encoder = Encoder(n_channels)
        self.decoder = Decoder(n_channels)
        prototypes = torch.empty(n_prototypes, n_channels, n_frames // CELL, n_rows)
        self.prototypes = nn.Parameter(prototypes.uniform_(-PROTOTYPE_RANGE, PROTOTYPE_RANGE))
        self.row_weights = nn.Parameter(torch.full((n_prototypes, n_rows), 1 / n_rows))
        self.linear = nn.Linear(n_prototypes, n_classes, bias=False)
        self.linear.weight.data = fresh_head(n_classes, n_prototypes)
        self.register_buffer("extremes", torch.tensor([-1.0, 1.0]))  # dB of the training clips
        self.register_buffer("similarity", torch.ones(()))  # mean S of the last training batch
        self.register_buffer("dormant", torch.tensor(False))  # whether it was tiny after 2 epochs
        self.architecture: dict[str, Any] = {
            "n_classes": n_classes,
            "n_prototypes": n_prototypes,
            "n_frames": n_frames,
            "n_channels": n_channels,
            "front_end": asdict(self.front_end),
        }

    def inputs(self, clips: Clips) -> Tensor:
        """Scaled log-mel x of clips.

        Raises
        ------
        InputError
            If they are longer or shorter than the prototypes.
        """
        M = whole_cells(clips, self.front_end)
        if M.shape[1] != self.n_frames:
            raise InputError(
                f"clips of {M.shape[1]} frames cannot be compared with prototypes of "
                f"{self.n_frames}: APNet scores clips of the length that it was trained on. Leave "
                "clip_seconds as it was, or train again"
            )
        return self.scale(M)

    def scale(self, M: Tensor) -> Tensor:
        """Log-mel in dB to x; the training clips' extremes become -1 and 1."""
        low, high = self.extremes
        return 2 * (M - low) / (high - low) - 1

    def unscale(self, x: Tensor) -> Tensor:
        """The other way round."""
        low, high = self.extremes
        return low + (x + 1) / 2 * (high - low)

    def distances(self, features: Tensor) -> Tensor:
        """Squared distances D between features and prototypes, row by row of frequency.

        By the expanded square, a matrix product for each row: all differences at once would take
        gigabytes.
        """
        x, P = (h.permute(3, 0, 1, 2).flatten(2) for h in (features, self.prototypes))
        squares = x.square().sum(2)[:, :, None] + P.square().sum(2)[:, None] - 2 * x @ P.mT
        return squares.clamp(min=0).permute(1, 2, 0)

    def logits(self, D: Tensor) -> Tensor:
        """Class logits (B, C) from distances."""
        return self.linear((D.neg().exp() * self.row_weights).sum(2))

    def class_weights(self) -> Tensor:
        """What each prototype adds to each logit of a clip that equals it, (C, K)."""
        return self.linear.weight.detach() * self.row_weights.detach().sum(1)

    @torch.no_grad()
    def normalise(self) -> None:
        """Bring the weights of each row of frequency to unit length over prototypes."""
        length = self.row_weights.norm(dim=0, keepdim=True)
        self.row_weights.div_(length.clamp(min=1e-7))

    @torch.no_grad()
    def predict(self, clips: Clips) -> Prediction:
        """Logits of clips, and how well the autoencoder knows them."""
        x = self.inputs(clips)
        features, masks = self.encoder(x)
        error = (self.decoder(features, masks) - x).square().mean((1, 2))
        return Prediction(self.logits(self.distances(features)), {"reconstruction_loss": error})


def build(**architecture: Any) -> APNet:
    """The network, its weights to be loaded."""
    return APNet(**architecture)


def train(task: Task, settings: dict[str, Any]) -> Trained:
    """Train autoencoder, prototypes and head together, from random weights.

    Raises
    ------
    InputError
        If the settings fit neither each other nor the clips, or a loss is not finite.
    """
    if settings["n_prototypes"] < task.n_classes:
        raise InputError(
            f"n_prototypes: {settings['n_prototypes']} leaves some of {task.n_classes} classes "
            "without a prototype; raise it"
        )
    front_end = LogMel(**{key: settings[key] for key in FRONT_END})
    log_mel, extremes = resident_log_mel(task, front_end)
    network = APNet(
        task.n_classes,
        n_prototypes=settings["n_prototypes"],
        n_frames=log_mel.data.shape[1],
        n_channels=settings["n_channels"],
        front_end=asdict(front_end),
    )
    network.extremes.copy_(extremes)
    network = channels_last(network.to(task.device))

    def batch_losses(batch: Tensor, epoch: int) -> Losses:
        x = network.scale(log_mel[batch])
        with autocast(task.device, task.precision):
            features, masks = network.encoder(x)
            estimate = network.decoder(features, masks)
        D = network.distances(features.float())
        targets = task.targets[on_device(batch, task.device)]
        parts = parts_of_loss(network, x, estimate.float(), D, targets, task.loss)
        network.similarity.copy_(D.detach().neg().exp().mean())
        factors = {part: settings[f"{part}_weight"] for part in parts}
        if epoch in WARM_UP:  # a product: to ask the device would be to wait for it
            factors["classification"] *= ~network.dormant
        total = sum(factors[part] * value for part, value in parts.items())
        return {"total": total, **parts, "similarity": network.similarity.clone()}

    def before_epoch(epoch: int) -> None:
        if epoch == WARM_UP[0]:  # kept in the network, so that a run that goes on knows it
            network.dormant.copy_(network.similarity < LEAST_SIMILARITY)

    network.train()
    history = train_network(
        network,
        batch_losses,
        len(task.rows),
        plan_of(settings),
        checkpoint=task.checkpoint(),
        before_epoch=before_epoch,
        after_step=network.normalise,
    )
    return Trained(network, history, {"warmed_up": bool(network.dormant)})


def parts_of_loss(
    network: APNet, x: Tensor, estimate: Tensor, D: Tensor, targets: Tensor, loss: Loss
) -> Losses:
    """The three losses of a batch: of decisions, of the autoencoder, of the prototypes.

    The last has two halves: every prototype is to lie near some clip of the batch, and every clip
    near some prototype.
    """
    distances = D.mean(2)
    return {
        "classification": loss(network.logits(D), targets),
        "reconstruction": (estimate - x).square().mean(),
        "prototype": distances.amin(0).mean() + distances.amin(1).mean(),
    }


def fresh_head(n_classes: int, n_prototypes: int) -> Tensor:
    """Weights (C, K) that give each class q = K // C prototypes: 1/q there, -1/q elsewhere.

    Prototypes left over go to the classes in turn. Uniform noise is added.
    """
    q = n_prototypes // n_classes
    number = torch.arange(n_prototypes)
    own = torch.where(number < q * n_classes, number // q, number - q * n_classes)
    sign = 2.0 * nn.functional.one_hot(own, n_classes).T - 1
    return sign / q + torch.empty(n_classes, n_prototypes).uniform_(-HEAD_NOISE, HEAD_NOISE)


def whole_cells(clips: Clips, front_end: LogMel) -> Tensor:
    """Log-mel of clips in dB, (B, T, M), cropped at its end to whole cells of the features."""
    M = front_end(clips.waveforms, clips.recordings.fold.front_end.sample_rate)
    T = M.shape[1] // CELL * CELL
    if T == 0 or front_end.n_mels % CELL:
        raise InputError(
            f"clips of {M.shape[1]} frames and {front_end.n_mels} bands do not fill cells of "
            f"{CELL} x {CELL}: make n_mels a multiple of {CELL}, and hop_length small enough for "
            f"{CELL} frames"
        )
    return M[:, :T]


def resident_log_mel(task: Task, front_end: LogMel) -> tuple[CachedRows, Tensor]:
    """Log-mel in dB of the clips to learn from, computed once; its smallest and largest value."""
    extremes, start = [], 0
    for rows in progress(chunks(task.rows), description="Compute log-mels", unit="batch"):
        M = whole_cells(task.clips(rows), front_end)
        if start == 0:
            shape = (len(task.rows), *M.shape[1:])
            place = place_for(M[0].nbytes * len(task.rows), task.device)
            kept = CachedRows(shape, M.dtype, place=place, device=task.device, scratch=task.scratch)
        kept.fill(start, M)
        extremes.append(torch.stack(M.aminmax()))
        start += len(rows)
    low, high = torch.stack(extremes).unbind(1)
    return kept, torch.stack([low.amin(), high.amax()])
