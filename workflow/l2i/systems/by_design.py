"""L2I by design: classifier, Psi and Theta learn together (Sec. III-C).

The interpreter predicts: g(x) is the system's output, and f(x) is there to lead it. Hidden maps
change with every step, so nothing but the features can be computed beforehand.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from l2i.interpretation.explained import ExplainedClassifier
from l2i.networks.classifier import Classifier
from l2i.networks.interpreter import Interpretation, Interpreter, theta_of
from l2i.runtime import autocast, channels_last, on_device
from l2i.training import losses
from l2i.training.augmentation import random_crop
from l2i.training.feed import Feed
from l2i.training.loop import Losses, plan_of
from l2i.training.loop import train as train_network
from l2i.training.task import Clips, Prediction, Task, Trained, needed

NEEDS = [["trunk", "dictionary"]]
MEASURES = ["classification", "sounds"]
SETTINGS = {
    "predictor": (
        ["classifier", "interpreter"],
        "whose output the classification loss is on: classifier (Sec. III-C), or "
        "interpreter (L2I_BD-NoPred)",
    ),
    "prediction_weight": ("weight", "weight of the classification loss (Table III)"),
    "fidelity_weight": (
        "weight",
        "weight of the loss between both outputs (Table III); 0 leaves it out",
    ),
    "reconstruction_weight": ("weight", "weight of the reconstruction loss (Table III)"),
    "sparsity_weight": ("weight", "weight of the mean activation (Table III)"),
    "taps": ("taps", "blocks of the classifier that Psi listens to"),
    "pooling": (
        ["attention", "class_attention", "max"],
        "how Theta pools over time: by attention, one attention a class, or the maximum",
    ),
    "dropout": ("share", "dropout inside Theta's pooling"),
    "n_epochs": ("count", "passes over the training clips"),
    "batch_size": ("count", "clips a step"),
    "learning_rate": ("rate", "Adam's rate"),
    "schedule": (["constant", "one_cycle"], "constant, or one_cycle"),
    "crop": (
        "crop",
        "share of each clip, a ring cut at a random place, that a step sees; null: all",
    ),
}


class ByDesign(nn.Module):
    """A classifier and the interpreter that grew up with it.

    Parameters
    ----------
    classifier : Classifier
    interpreter : Interpreter
        Its W is fixed.
    """

    def __init__(self, classifier: Classifier, interpreter: Interpreter) -> None:
        super().__init__()
        self.classifier = classifier
        self.interpreter = interpreter
        self.architecture: dict[str, Any] = {
            "classifier": classifier.architecture,
            "interpreter": interpreter.architecture,
        }

    def forward(self, M: Tensor) -> tuple[Tensor, Interpretation]:
        """Classifier logits (B, C) and the interpretation of log-mels (B, n_frames, n_mels)."""
        taps = tuple(self.interpreter.architecture["taps"])
        logits, hidden = self.classifier.hidden_maps(M, taps)
        return logits, self.interpreter(hidden, M.shape[1])

    @torch.no_grad()
    def predict(self, clips: Clips) -> Prediction:
        """What the interpreter, which predicts, makes of clips; how far both parts are apart."""
        logits, interpretation = self(clips.log_mel)
        reference = self.classifier.probabilities(logits)
        estimate = self.interpreter.reconstruct(interpretation.H)
        return Prediction(
            interpretation.logits,
            {
                "fidelity_loss": losses.fidelity(
                    reference,
                    interpretation.logits,
                    multi_label=self.classifier.multi_label,
                ),
                "reconstruction_loss": losses.reconstruction(clips.log_magnitude, estimate),
                "sparsity_loss": losses.sparsity(interpretation.H),
            },
        )

    def explained(
        self, classifier: Classifier | None = None, **relevance: str
    ) -> ExplainedClassifier:
        """Both parts, for faithfulness, relevances and sounds; decisions are the interpreter's."""
        return ExplainedClassifier(
            self.classifier, self.interpreter, predictor="interpreter", **relevance
        )


def build(*, classifier: dict[str, Any], interpreter: dict[str, Any]) -> ByDesign:
    """The network, its weights to be loaded."""
    shape = interpreter["n_bins"], interpreter["n_components"]
    rest = {
        key: value for key, value in interpreter.items() if key not in ("n_bins", "n_components")
    }
    return ByDesign(Classifier(**classifier), Interpreter(torch.zeros(shape), **rest))


def train(task: Task, settings: dict[str, Any]) -> Trained:
    """Train classifier and interpreter together, from `task.start` on.

    L = L_f + lambda L_FID + alpha L_NMF + beta |H| with f's output detached in L_FID, as in the
    authors' other code, so that f follows the labels and g follows f. Psi's part of the losses
    reaches the classifier's blocks.
    """
    start = needed(task.start, "trunk")
    interpreter = Interpreter(
        needed(task.W, "dictionary"),
        task.n_classes,
        width=start.architecture["width"],
        **theta_of(settings),
    )
    network = channels_last(ByDesign(start, interpreter).to(task.device))
    network = network.train().requires_grad_()
    feed = Feed(
        {"log_mel": task.log_mel, "log_magnitude": task.log_magnitude}, task.rows, task.device
    )

    def batch_losses(batch: tuple[Tensor, dict[str, Tensor]], epoch: int) -> Losses:
        rows, features = batch
        M, X = features["log_mel"], features["log_magnitude"]
        if settings["crop"] is not None:
            M, X = random_crop(M, X, settings["crop"])
        with autocast(task.device, task.precision):
            logits, (H, _, estimate) = network(M)
        logits, H, estimate = logits.float(), H.float(), estimate.float()
        predicted = {"classifier": logits, "interpreter": estimate}[settings["predictor"]]
        reference = start.probabilities(logits.detach())
        parts = {
            "prediction": task.loss(predicted, task.targets[on_device(rows, task.device)]),
            "fidelity": losses.fidelity(reference, estimate, multi_label=task.multi_label).mean(),
            "reconstruction": losses.reconstruction(X, interpreter.reconstruct(H)).mean(),
            "sparsity": losses.sparsity(H).mean(),
        }
        # A part without weight is measured, but must not reach the network: 0 x inf is no number.
        total = sum(
            settings[f"{name}_weight"] * part
            for name, part in parts.items()
            if settings[f"{name}_weight"]
        )
        return {"total": total, **parts}

    history = train_network(
        network,
        batch_losses,
        len(task.rows),
        plan_of(settings),
        fetch=lambda rows: (rows, feed[rows]),
        checkpoint=task.checkpoint(),
    )
    return Trained(network, history, {"features_kept_in": feed.place})
