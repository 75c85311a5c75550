"""What integrated gradients and Grad-CAM claim of a clip, as masks to be measured."""

from __future__ import annotations

from collections.abc import Sequence

from l2i.evaluation.explainers import Explainer
from l2i.evaluation.masked_explanations import MaskedExplanation, of_cells
from l2i.evaluation.masked_scores import HeardClip
from l2i.features.spectral import FrontEnd, log_magnitude
from l2i.interpretation.attributions import Attributions, attributions_of, fitted
from l2i.networks.classifier import Classifier


def by_attribution(
    method: str,
    classifier: Classifier,
    front_end: FrontEnd,
    settings: Attributions,
    *,
    n_steps: int,
) -> Explainer:
    """The cells that gradients say the classifier needs.

    Parameters
    ----------
    method : str
        One of :data:`l2i.interpretation.attributions.METHODS`.
    classifier : Classifier
    front_end : FrontEnd
    settings : Attributions
    n_steps : int
        Steps of the masks that grow; integrated gradients have their own in `settings`.
    """

    def explain(clip: HeardClip, classes: Sequence[int]) -> dict[int, MaskedExplanation]:
        # What the classifier decides on, without the frame that whole hops may add.
        heard, X = log_magnitude(front_end.stft(clip.waveform)), clip.X
        found = attributions_of(method, classifier, heard, classes, front_end, settings)
        return {c: of_cells(X, fitted(A, X.shape[1]), n_steps=n_steps) for c, A in found.items()}

    return explain
