"""Interpretations as sound: Algorithm 1, and what is left without them.

Every sound has the length and the level of the waveform that was given, so that the parts can be
compared by ear; nothing is normalised behind the listener's back.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from l2i.features.spectral import FrontEnd, log_magnitude, phase_of
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.relevance import select, soft_masked
from l2i.networks.classifier import MIN_FRAMES


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
    n_samples = len(waveform)
    x = pad(waveform, (0, max(0, (MIN_FRAMES - 1) * front_end.hop_length - n_samples)))
    S = front_end.stft(front_end.to_whole_hops(x))
    X, phase = log_magnitude(S), phase_of(S)
    logits, interpretation = explained.explain(front_end.log_mel(S)[None], X.shape[-1])
    H, W = interpretation.H[0], explained.interpreter.W
    if n_decided is not None:
        decided = pad(waveform, (0, n_decided - n_samples))  # crops where negative
        M = front_end.log_mel(front_end.stft(decided))[None]
        logits, interpretation = explained.explain(M, M.shape[1])
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
