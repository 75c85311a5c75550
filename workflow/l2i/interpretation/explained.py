"""A classifier together with the interpreter that explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from l2i.interpretation.relevance import relevance
from l2i.networks.classifier import Classifier
from l2i.networks.interpreter import Interpretation, Interpreter


class Explaining(Protocol):
    """A network that explains the classifier it is given, or its own."""

    def explained(self, classifier: Classifier | None, **relevance: str) -> ExplainedClassifier:
        """Both, told how to pool and to scale relevances."""


@dataclass(frozen=True)
class ExplainedClassifier:
    """A classifier and the interpreter trained on it, both in evaluation mode.

    `relevance_pooling` is 'model' for the interpreter's own pooling, or 'max' for the largest
    activation over time, which the authors' code uses on ESC-50 whatever the model pools with.
    `relevance_scale` is explained in :func:`l2i.interpretation.relevance.relevance`. `predictor` is
    whose output counts as the decision that is explained: the classifier's, or, by design, the
    interpreter's.
    """

    classifier: Classifier
    interpreter: Interpreter
    relevance_pooling: str = "model"
    relevance_scale: str = "absolute"
    predictor: str = "classifier"

    @property
    def multi_label(self) -> bool:
        """Whether classes are decided one by one."""
        return self.classifier.architecture["multi_label"]

    @torch.no_grad()
    def explain(self, M: Tensor, n_frames: int) -> tuple[Tensor, Interpretation]:
        """Logits (B, C) of the predictor and the interpretation of a batch of log-mels."""
        logits, hidden = self.classifier.hidden_maps(
            M, tuple(self.interpreter.architecture["taps"])
        )
        interpretation = self.interpreter(hidden, n_frames)
        by_design = self.predictor == "interpreter"
        return interpretation.logits if by_design else logits, interpretation

    @torch.no_grad()
    def predict(self, M: Tensor) -> Tensor:
        """Logits (B, C) of the predictor alone."""
        if self.predictor == "interpreter":
            return self.explain(M, M.shape[1])[0]
        return self.classifier(M)

    def relevances(self, interpretation: Interpretation) -> Tensor:
        """Relevance of every component to every class, (B, C, K)."""
        z = interpretation.z if self.relevance_pooling == "model" else interpretation.H.amax(2)
        contributions = self.interpreter.contributions(z).detach()
        return relevance(contributions, scale=self.relevance_scale)
