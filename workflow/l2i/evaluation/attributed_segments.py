"""What SLIME says of a clip, as masks of whole segments."""

from __future__ import annotations

from collections.abc import Sequence

from l2i.evaluation.explainers import Explainer
from l2i.evaluation.masked_explanations import MaskedExplanation, of_segments
from l2i.evaluation.masked_scores import HeardClip
from l2i.interpretation import slime
from l2i.interpretation.slime import Slime
from l2i.networks.classifier import Classifier


def by_slime(
    classifier: Classifier,
    settings: Slime,
    *,
    n_steps: int,
    clip_seconds: float,
    seed: int,
    run: int,
) -> Explainer:
    """The segments that SLIME keeps."""

    def explain(clip: HeardClip, classes: Sequence[int]) -> dict[int, MaskedExplanation]:
        rng = slime.generator(seed, run, clip.name)
        found = slime.explain(classifier, clip.M, classes, settings, rng, clip_seconds=clip_seconds)
        X = clip.X
        return {
            c: of_segments(X, each.borders, each.weights, each.kept, n_steps=n_steps)
            for c, each in found.items()
        }

    return explain
