"""Interpretations as sound: Algorithm 1, and what is left without them.

Every sound has the length and the level of the waveform that was given, so that the parts can be
compared by ear; nothing is normalised behind the listener's back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from l2i.features.spectral import FrontEnd, log_magnitude, phase_of
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.relevance import select, soft_masked
from l2i.networks.classifier import MIN_FRAMES
from l2i.networks.interpreter import Interpretation


@dataclass(frozen=True)
class SynthesisedInterpretation:
    """The sounds that interpret one decision; waveforms (n_samples,) at the front end's rate."""

    target: int
    probabilities: Tensor  # (C,) of the predictor: the classifier or, by design, the interpreter
    estimate: Tensor  # (C,) of the interpreter
    relevance: Tensor  # (K,)
    activations: Tensor  # (K, n_frames) of the whole clip, as it is inverted
    components: dict[int, Tensor]  # number of each selected component, and its sound
    interpretation: Tensor
    remainder: Tensor


class Decision(NamedTuple):
    """What both networks make of a waveform."""

    H: Tensor  # (K, T), activations over all that is inverted
    logits: Tensor  # (1, C) of the predictor
    interpretation: Interpretation  # of what was decided on


def inverted(waveform: Tensor, front_end: FrontEnd) -> Tensor:
    """A waveform (n_samples,) with silence added at its end, up to where it can be inverted.

    That is a whole number of hops, see `FrontEnd.to_whole_hops`.
    """
    n_hops = n_inverted_frames(len(waveform), front_end) - 1
    return pad(waveform, (0, n_hops * front_end.hop_length - len(waveform)))


def n_inverted_frames(n_samples: int, front_end: FrontEnd) -> int:
    """Frames of what is inverted: as many as networks need, and whole hops."""
    return max(MIN_FRAMES, 1 + -(-n_samples // front_end.hop_length))


@torch.no_grad()
def decide(
    explained: ExplainedClassifier, waveform: Tensor, front_end: FrontEnd, n_decided: int | None
) -> Decision:
    """Have both networks hear a waveform (n_samples,); see :func:`synthesise`."""
    S = front_end.stft(inverted(waveform, front_end))
    logits, interpretation = explained.explain(front_end.log_mel(S)[None], S.shape[-1])
    H = interpretation.H[0]
    if n_decided is not None:
        decided = pad(waveform, (0, n_decided - len(waveform)))  # crops where negative
        M = front_end.log_mel(front_end.stft(decided))[None]
        logits, interpretation = explained.explain(M, M.shape[1])
    return Decision(H, logits, interpretation)


@torch.no_grad()
def synthesise(
    explained: ExplainedClassifier,
    waveform: Tensor,
    front_end: FrontEnd,
    *,
    threshold: float,
    n_decided: int | None = None,
    target: int | None = None,
) -> SynthesisedInterpretation:
    """Interpret the classifier's decision on a waveform of any length.

    Parameters
    ----------
    explained : ExplainedClassifier
        Classifier and interpreter.
    waveform : Tensor, shape (n_samples,)
        The clip, scaled as for training.
    front_end : FrontEnd
        The representation that both networks were trained on.
    threshold : float
        Relevance above which a component belongs to the interpretation.
    n_decided : int, optional
        Length in samples, reached by cropping or padding at the end, at which the networks decide;
        decision and relevances are then those of the scores, and masks cover the whole waveform.
        By default the networks decide on the whole waveform.
    target : int, optional
        Class to interpret; the most probable one by default.

    Notes
    -----
    The log-magnitude is what is masked, as in the paper, and exp is not additive: the component
    sounds add up to the interpretation in the log-magnitude domain, only roughly as waveforms. So
    do interpretation and remainder to the clip: of a bin of magnitude e^(a + b) - 1 they get
    e^a - 1 and e^b - 1, and (e^a - 1)(e^b - 1) is lost.
    """
    n_samples, W = len(waveform), explained.interpreter.W
    S = front_end.stft(inverted(waveform, front_end))
    X, phase = log_magnitude(S), phase_of(S)
    H, logits, interpretation = decide(explained, waveform, front_end, n_decided)
    target = int(logits.argmax()) if target is None else target
    r = explained.relevances(interpretation)[0, target]
    L = select(r, threshold)

    def sound(spectrogram: Tensor) -> Tensor:
        return front_end.inverse(spectrogram, phase, n_samples).cpu()

    numbers = torch.nonzero(L)[:, 0]
    numbers = numbers[r[numbers].argsort(descending=True)]  # most relevant first
    single = torch.nn.functional.one_hot(numbers, len(L)).bool()
    chosen = soft_masked(X, W, H, L)
    return SynthesisedInterpretation(
        target=target,
        probabilities=explained.classifier.probabilities(logits[0]).cpu(),
        estimate=explained.classifier.probabilities(interpretation.logits[0]).cpu(),
        relevance=r.cpu(),
        activations=H.cpu(),
        components={
            int(k): sound(soft_masked(X, W, H, one)) for k, one in zip(numbers, single, strict=True)
        },
        interpretation=sound(chosen),
        remainder=sound(X - chosen),
    )
