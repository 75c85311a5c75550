"""Whether explanations, and what is measured of them, notice another network (Adebayo et al.).

An interpreter is set before its classifier and before others, such as classifiers with shuffled
weights. The same clips are explained with each. What is compared with the intact pair are the
relevances for the class that the intact classifier decides; what is measured, fidelity and
faithfulness, is of the pair at hand, for what its own classifier decides, as of any system.

A relevance is z_k w_ck, scaled: the weights w are the interpreter's and stay, only the pooled
activations z come from the network that is heard. How alike relevances are by w alone tells
:func:`agreement` of those of two different clips.

References
----------
J. Adebayo, J. Gilmer, M. Muelly, I. Goodfellow, M. Hardt, B. Kim, "Sanity checks for saliency
maps", NeurIPS 2018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from l2i.evaluation.agreement import agreement
from l2i.features.spectral import FrontEnd, log_magnitude, phase_of, up_to_frames
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.relevance import select, soft_masked


class Heard(NamedTuple):
    """A clip as what is removed from it needs it, whatever network listens; float64."""

    X: Tensor  # (F, T), log-magnitude
    phase: Tensor  # (F, T)
    n_samples: int


def heard(waveform: Tensor, front_end: FrontEnd) -> Heard:
    """The spectrogram of a waveform, (n_samples,); with a last frame, see `to_whole_hops`."""
    S = front_end.stft(front_end.to_whole_hops(waveform.double()))
    return Heard(log_magnitude(S), phase_of(S), len(waveform))


@torch.no_grad()
def explained_for(explained: ExplainedClassifier, M: Tensor, classes: Tensor) -> np.ndarray:
    """Relevances of clips, a class each: (B, K). M is (B, n_frames, n_mels), `classes` (B,)."""
    _, interpretation = explained.explain(M, M.shape[1])
    return _of_classes(explained.relevances(interpretation), classes).cpu().numpy()


@torch.no_grad()
def sanity_rows(
    explained: ExplainedClassifier,
    M: Tensor,
    clips: Sequence[Heard],
    intact: np.ndarray,
    classes: Tensor,
    front_end: FrontEnd,
    *,
    threshold: float,
) -> pd.DataFrame:
    """What a network and its interpreter make of a batch of clips, one row each.

    Parameters
    ----------
    explained : ExplainedClassifier
        Of which one class is decided.
    M : Tensor, shape (B, n_frames, n_mels)
        Log-mel of the clips.
    clips : sequence of Heard
        The same clips.
    intact : np.ndarray [shape=(B, K)]
        From :func:`explained_for`, of the intact network.
    classes : Tensor of int, shape (B,)
        What that decides.
    front_end : FrontEnd
    threshold : float
        Of relevances.

    Returns
    -------
    DataFrame
        What :func:`agreement` returns, of the relevances for `classes`; ``followed``: 1 where the
        interpreter decides as its network does, else 0; and of what the network decides,
        ``decided`` (a number), ``n_selected`` components and ``probability_drop`` without them,
        through a waveform as in :mod:`l2i.evaluation.removals`.
    """
    logits, interpretation = explained.explain(M, M.shape[1])
    r, decided = explained.relevances(interpretation), logits.argmax(1)
    L = select(_of_classes(r, decided), threshold)
    without = [
        _without(explained, clip, H, chosen, front_end, M.dtype)
        for clip, H, chosen in zip(clips, interpretation.H, L, strict=True)
    ]
    before, after = (
        explained.classifier.probabilities(each)
        for each in (logits, explained.predict(torch.cat(without)))
    )
    of_decided = torch.arange(len(M), device=M.device), decided
    agreements: list[Mapping[str, float]] = [
        agreement(own, other, threshold=threshold)
        for own, other in zip(_of_classes(r, classes).cpu().numpy(), intact, strict=True)
    ]
    measured = {
        "followed": (interpretation.logits.argmax(1) == decided).int(),
        "decided": decided,
        "n_selected": L.sum(1),
        "probability_drop": before[of_decided] - after[of_decided],
    }
    columns = {name: values.cpu().numpy() for name, values in measured.items()}
    return pd.DataFrame(agreements).assign(**columns)


def _of_classes(r: Tensor, classes: Tensor) -> Tensor:
    """Of relevances (B, C, K) those of a class each, (B, K)."""
    return r[torch.arange(len(r), device=r.device), classes.to(r.device)]


def _without(
    explained: ExplainedClassifier,
    clip: Heard,
    H: Tensor,
    chosen: Tensor,
    front_end: FrontEnd,
    dtype: torch.dtype,
) -> Tensor:
    """Log-mel of a clip without the chosen components, (1, n_frames, n_mels)."""
    H = up_to_frames(H, clip.X.shape[1])
    taken = soft_masked(clip.X, explained.interpreter.W.double(), H.double(), chosen)
    x = front_end.inverse(clip.X - taken, clip.phase, clip.n_samples).to(dtype)
    return front_end.log_mel(front_end.stft(x[None]))
