"""What explains the decisions of a clip, as masks: interpreters here, other methods beside.

Each method has a module of its own, so that an edit of one measures no other anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from l2i.evaluation.masked_explanations import MaskedExplanation, of_components
from l2i.evaluation.masked_scores import MASKS, HeardClip, Scorer, mask_rows
from l2i.evaluation.removals import explain_clip
from l2i.interpretation.explained import ExplainedClassifier
from l2i.progress import progress
from l2i.training.task import Recordings

# The explanations of some classes of a clip, by class.
Explainer = Callable[[HeardClip, Sequence[int]], Mapping[int, MaskedExplanation]]


def by_components(explained: ExplainedClassifier, *, threshold: float, n_steps: int) -> Explainer:
    """The components that an interpreter finds relevant."""

    def explain(clip: HeardClip, classes: Sequence[int]) -> dict[int, MaskedExplanation]:
        found, H = explain_clip(explained, clip.name, clip.M[None])
        X, W, r = clip.X, explained.interpreter.W, found.relevances
        return {
            c: of_components(X, W, H, r[c], threshold=threshold, n_steps=n_steps) for c in classes
        }

    return explain


def masks_of_clips(
    recordings: Recordings,
    scorer: Scorer,
    explainers: Mapping[str, Explainer],
    rows: Sequence[int] | np.ndarray,
) -> dict[str, pd.DataFrame]:
    """Every measure of the explanations of some clips, by the name of what explains.

    Parameters
    ----------
    recordings : Recordings
    scorer : Scorer
        Whose decisions are explained.
    explainers : mapping of str to Explainer
        All explain the same decisions of the same clips.
    rows : sequence of int
        Of the clips.

    Returns
    -------
    dict of str to DataFrame
        ``clip`` and the columns of :func:`l2i.evaluation.masked_scores.mask_rows`; no row of a clip
        in which nothing is decided.
    """
    fold = recordings.fold
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in explainers}
    for row in progress(rows, description="Remove what explanations claim", unit="clip"):
        clips = recordings.clips([row])
        clip = scorer.hear(fold.index["clip"].iloc[row], clips.log_mel[0], clips.waveforms[0])
        if not (decided := scorer.decided(clip)):
            continue
        for name, explain in explainers.items():
            scores = mask_rows(scorer, clip, explain(clip, decided), fold.classes)
            scores.insert(0, "clip", clip.name)
            tables[name].append(scores)
    nothing = [pd.DataFrame(columns=["clip", *MASKS])]
    return {name: pd.concat(found or nothing, ignore_index=True) for name, found in tables.items()}
