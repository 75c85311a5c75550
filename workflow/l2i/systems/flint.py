"""FLINT on audio, post-hoc and by design: a few attributes of a whole clip instead of activations.

Attributes come from the hidden maps that L2I listens to. A linear layer predicts the classifier's
output from them, a decoder the log-magnitude spectrogram. By design, the classifier learns along.
What attributes, decoder and linear layer look like on audio is as in the L2I authors' code.

Names and shapes
----------------
hidden : dict of (B, channels, time, mel)  hidden maps of the classifier
Phi    : (B, J)                 attributes, non-negative
X      : (B, n_bins, n_frames)  log-magnitude

References
----------
J. Parekh, P. Mozharovskyi, F. d'Alche-Buc, "A framework to learn with interpretation",
NeurIPS 2021.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from l2i.checks import InputError
from l2i.networks.classifier import Classifier, scaled
from l2i.networks.psi import TAPS, JoinedMaps, stretch
from l2i.runtime import autocast, channels_last, on_device
from l2i.training import losses
from l2i.training.augmentation import random_crop
from l2i.training.feed import Feed
from l2i.training.hidden_maps import HiddenMaps
from l2i.training.loop import Losses, plan_of
from l2i.training.loop import train as train_network
from l2i.training.task import Clips, Prediction, Task, Trained, needed

NEEDS = [["classifier"], ["trunk"]]
MEASURES = ["fidelity", "classification"]
SETTINGS = {
    "joint": (
        "switch",
        "whether the classifier learns along (by design) or stands still (post-hoc)",
    ),
    "n_attributes": (
        "count",
        "number J of attributes; as many as L2I has components (the authors' appendix)",
    ),
    "dropout": (
        "share",
        "probability at the attributes before the linear layer; 0.01 in the authors' code",
    ),
    "reconstruction_weight": (
        "weight",
        "weight of the input fidelity: mean squared error of the log-magnitude; L2I's "
        "(the authors' appendix)",
    ),
    "fidelity_weight": (
        "weight",
        "weight of the output fidelity: cross-entropy to the classifier's output",
    ),
    "fidelity_from_epoch": (
        "count",
        "first epoch, counted from 1, in which fidelity_weight holds; 0 before",
    ),
    "sparsity_weight": ("weight", "weight of the mean attribute"),
    "sparsity_from_epoch": (
        "count",
        "first epoch, counted from 1, in which sparsity_weight holds; 0 before",
    ),
    "entropy_weight": (
        "weight",
        "weight of conciseness less diversity: the mean entropy of each clip's attributes"
        " less the entropy of their mean over the batch",
    ),
    "entropy_from_epoch": (
        "count",
        "first epoch, counted from 1, in which entropy_weight holds; 0 before",
    ),
    "crop": (
        "crop",
        "by design: share of a clip that is seen, cut at random from the clip closed to a"
        " ring, 1.0 for a circular shift in time; null for clips as they are",
    ),
    "n_epochs": ("count", "passes over the training clips"),
    "batch_size": ("count", "clips per step"),
    "learning_rate": ("rate", "of Adam"),
    "schedule": (["constant", "one_cycle"], "of the learning rate: constant, or one_cycle"),
}

POOLED = 3  # cells that attributes are read from, in mel as in time
SEED_FRAMES = 100  # what the decoder starts from


class Explanation(NamedTuple):
    """What FLINT says about a batch of clips."""

    Phi: Tensor  # (B, J)
    logits: Tensor  # (B, C)
    X: Tensor  # (B, n_bins, n_frames), an estimate


class Attributes(JoinedMaps):
    """From hidden maps to attributes; the front is Psi's."""

    def __init__(self, n_attributes: int, *, width: float) -> None:
        super().__init__(width=width, taps=TAPS)
        channels = scaled(128, width)
        self.joint = nn.Conv2d(self.n_joined, channels, 3, padding=1)
        self.linear = nn.Linear(channels * POOLED**2, n_attributes)

    def forward(self, hidden: dict[str, Tensor]) -> Tensor:
        """Attributes Phi, (B, J)."""
        h = relu(self.joint(self.join(hidden)))
        return relu(self.linear(pooled(pooled(h, 3), 2).flatten(1)))


class Decoder(nn.Module):
    """From attributes to the log-magnitude of as many frames as are asked for."""

    def __init__(self, n_attributes: int, n_bins: int, *, width: float) -> None:
        super().__init__()
        channels = [scaled(n, width) for n in (16, 32, 64, 128)]
        self.seed = nn.Linear(n_attributes, channels[0] * SEED_FRAMES)
        # Over time alone, in two dimensions for the reason given in Psi.
        self.first, self.second, self.third = (
            nn.Conv2d(n_in, n_out, (1, 5), padding=(0, 2))
            for n_in, n_out in zip(channels, channels[1:], strict=False)
        )
        self.bins = nn.Conv2d(channels[-1], n_bins, (1, 3), padding=(0, 1))

    def forward(self, Phi: Tensor, n_frames: int) -> Tensor:
        """Log-magnitude estimate, (B, n_bins, n_frames)."""
        h = self.seed(Phi).unflatten(1, (-1, 1, SEED_FRAMES))
        h = doubled(relu(self.first(h)))
        h = doubled(relu(self.second(h)))
        h = stretch(relu(self.third(h)), n_frames)
        return relu(self.bins(h)).squeeze(2)


class Flint(nn.Module):
    """Attributes, decoder, linear layer and, by design, the classifier that they learn with.

    Parameters
    ----------
    n_attributes, n_classes, n_bins : int
        Numbers J, C and of STFT bins.
    dropout : float
        Probability at the attributes before the linear layer.
    width : float
        Factor on channel counts, equal to the classifier's.
    classifier : Classifier, optional
        By design; post-hoc, the network is told what it listens to.
    """

    def __init__(
        self,
        n_attributes: int,
        n_classes: int,
        n_bins: int,
        *,
        dropout: float,
        width: float,
        classifier: Classifier | None = None,
    ) -> None:
        super().__init__()
        self.attributes = Attributes(n_attributes, width=width)
        self.decoder = Decoder(n_attributes, n_bins, width=width)
        self.dropout = nn.Dropout(dropout)
        # Without a bias, attribute j adds exactly Phi_j w_cj to the logit of class c.
        self.linear = nn.Linear(n_attributes, n_classes, bias=False)
        self.classifier = classifier
        self.architecture: dict[str, Any] = {
            "n_attributes": n_attributes,
            "n_classes": n_classes,
            "n_bins": n_bins,
            "dropout": dropout,
            "width": width,
            "classifier": None if classifier is None else classifier.architecture,
        }

    def forward(self, hidden: dict[str, Tensor], n_frames: int) -> Explanation:
        """Explain a batch of hidden maps; the log-magnitude is decoded at `n_frames` frames."""
        Phi = self.attributes(hidden)
        logits = self.linear(self.dropout(Phi))
        return Explanation(Phi, logits, self.decoder(Phi, n_frames))

    @torch.no_grad()
    def predict(self, clips: Clips) -> Prediction:
        """What the linear layer makes of clips, and the losses on them."""
        classifier = clips.classifier if self.classifier is None else self.classifier
        X = clips.log_magnitude
        logits, hidden = classifier.hidden_maps(clips.log_mel, TAPS)
        explanation = self(hidden, X.shape[-1])
        reference = classifier.probabilities(logits)
        each = clip_losses(explanation, X, reference, multi_label=classifier.multi_label)
        return Prediction(explanation.logits, {f"{name}_loss": loss for name, loss in each.items()})


def build(*, classifier: dict[str, Any] | None, **architecture: Any) -> Flint:
    """The network, its weights to be loaded."""
    learned_along = None if classifier is None else Classifier(**classifier)
    return Flint(**architecture, classifier=learned_along)


def train(task: Task, settings: dict[str, Any]) -> Trained:
    """Train attributes, decoder and linear layer, by design together with the classifier.

    Raises
    ------
    InputError
        If `crop` is no share, or is given where the classifier stands still.
    """
    joint, crop = settings["joint"], settings["crop"]
    if crop is not None and not (joint and 0 < crop <= 1):
        raise InputError(
            f"crop must be null, or by design (joint: true) a share above 0 and up to 1, got "
            f"{crop} with joint: {str(joint).lower()}. Post-hoc, the classifier hears every "
            "clip once, as it is: set crop to null"
        )
    if joint:
        classifier = needed(task.start, "trunk").requires_grad_()
    else:
        classifier = needed(task.classifier, "classifier")
    network = Flint(
        settings["n_attributes"],
        task.n_classes,
        task.log_magnitude.shape[1],
        dropout=settings["dropout"],
        width=classifier.architecture["width"],
        classifier=classifier if joint else None,
    )
    network = channels_last(network.to(task.device)).train()
    hidden = None if joint else hidden_maps(task, classifier)

    arrays = {"log_magnitude": task.log_magnitude}
    feed = Feed(arrays | ({"log_mel": task.log_mel} if joint else {}), task.rows, task.device)

    def fetch(batch: Tensor) -> tuple[Tensor, Tensor, Any]:
        rows, features = on_device(batch, task.device), feed[batch]
        X = features["log_magnitude"]
        if hidden is None:
            return rows, X, features["log_mel"]
        return rows, X, (hidden.logits[rows], hidden[batch])

    def batch_losses(fetched: tuple[Tensor, Tensor, Any], epoch: int) -> Losses:
        rows, X, heard = fetched
        with autocast(task.device, task.precision):
            if joint:
                M, X = (heard, X) if crop is None else random_crop(heard, X, crop)
                heard = classifier.hidden_maps(M, TAPS)
            logits, maps = heard
            explanation = network(maps, X.shape[-1])
        logits, explanation = logits.float(), Explanation(*(part.float() for part in explanation))
        # What is to be predicted is given: the classifier does not learn to be easy to predict.
        reference = classifier.probabilities(logits.detach())
        each = clip_losses(explanation, X, reference, multi_label=task.multi_label)
        parts = {name: loss.mean() for name, loss in each.items()}
        parts["entropy"] = conciseness(explanation.Phi) - diversity(explanation.Phi)
        if joint:
            parts["prediction"] = task.loss(logits, task.targets[rows])
        weights = weights_at(epoch, settings)
        # A part without weight must not reach the network: 0 x inf is no number.
        counted = [weights[name] * loss for name, loss in parts.items() if weights[name]]
        return {"total": reduce(torch.add, counted), **parts}

    plan, n_clips, checkpoint = plan_of(settings), len(task.rows), task.checkpoint()
    history = train_network(
        network, batch_losses, n_clips, plan, checkpoint=checkpoint, fetch=fetch
    )
    return Trained(network, history)


def hidden_maps(task: Task, classifier: Classifier) -> HiddenMaps:
    """What the classifier that stands still makes of the clips to learn from."""
    return HiddenMaps(
        classifier,
        task.log_mel,
        task.rows,
        taps=TAPS,
        precision=task.precision,
        device=task.device,
        scratch=task.scratch,
    )


def weights_at(epoch: int, settings: dict[str, Any]) -> dict[str, float]:
    """Weight of each loss in an epoch, counted from 1; the classification counts once."""
    begun = {
        name: settings[f"{name}_weight"] * (epoch >= settings[f"{name}_from_epoch"])
        for name in ("fidelity", "sparsity", "entropy")
    }
    return {"prediction": 1.0, "reconstruction": settings["reconstruction_weight"], **begun}


def clip_losses(
    explanation: Explanation, X: Tensor, reference: Tensor, *, multi_label: bool
) -> dict[str, Tensor]:
    """The losses that every clip has for itself, (B,) each.

    `reference` are the classifier's probabilities, (B, C).
    """
    return {
        "fidelity": losses.fidelity(reference, explanation.logits, multi_label=multi_label),
        "reconstruction": losses.reconstruction(X, explanation.X),
        "sparsity": explanation.Phi.mean(-1),  # never negative, so without the original's modulus
    }


def conciseness(Phi: Tensor) -> Tensor:
    """Mean entropy of a clip's attributes under a softmax: small if few stand out."""
    return entropy(Phi).mean()


def diversity(Phi: Tensor) -> Tensor:
    """Entropy of the softmax of attributes averaged over clips: large if all are used alike."""
    return entropy(Phi.mean(0))


def entropy(scores: Tensor) -> Tensor:
    """Entropy in nats of the softmax over the last axis."""
    logarithm = scores.log_softmax(-1)
    return -(logarithm.exp() * logarithm).sum(-1)


def pooled(h: Tensor, dim: int) -> Tensor:
    """Averages along a dimension, over as many overlapping cells as adaptive pooling has.

    Slices, since the gradient of adaptive pooling adds up in any order on a GPU.
    """
    n = h.shape[dim]
    cells = [(i * n // POOLED, -(-(i + 1) * n // POOLED)) for i in range(POOLED)]
    return torch.stack([h.narrow(dim, a, b - a).mean(dim) for a, b in cells], dim)


def doubled(h: Tensor) -> Tensor:
    """Every frame twice, (..., T) to (..., 2T)."""
    return h.unsqueeze(-1).expand(*h.shape, 2).flatten(-2)
