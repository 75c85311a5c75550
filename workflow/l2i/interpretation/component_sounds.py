"""One component as sound: alone in a clip that it is active in, and its column by itself.

Names and shapes
----------------
X : (F, T)  log-magnitude of the clip
W : (F, K)  dictionary
H : (K, T)  activations of the clip
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log1p

import torch
from torch import Tensor

from l2i.features.spectral import FrontEnd, log_magnitude, phase_of
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.relevance import EPS, soft_masked

STEADY_SECONDS = 1.5
STEADY_PEAK = 100.0  # a magnitude as those of loud clips: |STFT| of full scale is some hundreds


@dataclass(frozen=True)
class HeardClip:
    """A clip with the activations that an interpreter finds in it."""

    waveform: Tensor  # (n_samples,)
    X: Tensor
    phase: Tensor  # (F, T) unit phasors
    W: Tensor
    H: Tensor
    front_end: FrontEnd


@dataclass(frozen=True)
class ComponentSound:
    """What is heard and seen of a component in a stretch of a clip; sounds at the clip's level."""

    start_seconds: float
    component: Tensor  # (n_samples,) the component alone, by its soft mask
    clip: Tensor  # (n_samples,) the clip in the same stretch
    mask: Tensor  # (F, n_frames) share of each bin that belongs to the component
    activation: Tensor  # (n_frames,)


@torch.no_grad()
def hear(explained: ExplainedClassifier, waveform: Tensor, front_end: FrontEnd) -> HeardClip:
    """Pass a clip (n_samples,) through the networks."""
    S = front_end.stft(front_end.to_whole_hops(waveform))
    X = log_magnitude(S)
    _, interpretation = explained.explain(front_end.log_mel(S)[None], X.shape[-1])
    W = explained.interpreter.W
    return HeardClip(waveform, X, phase_of(S), W, interpretation.H[0], front_end)


def sound_of(heard: HeardClip, k: int, *, seconds: float) -> ComponentSound:
    """Component `k` alone, in the stretch of the clip in which it holds the most energy.

    The stretch is `seconds` long, or the whole clip where that is shorter.
    """
    alone = torch.zeros(heard.W.shape[1], dtype=torch.bool, device=heard.W.device)
    alone[k] = True
    masked = soft_masked(heard.X, heard.W, heard.H, alone)
    hop, rate = heard.front_end.hop_length, heard.front_end.sample_rate
    n_samples = min(len(heard.waveform), round(seconds * rate))
    n_frames = 1 + n_samples // hop
    first = _loudest(torch.expm1(masked).square().sum(0), n_frames)
    start = min(first * hop, len(heard.waveform) - n_samples)
    samples, frames = slice(start, start + n_samples), slice(first, first + n_frames)
    sound = heard.front_end.inverse(masked, heard.phase, len(heard.waveform))
    return ComponentSound(
        start_seconds=start / rate,
        component=sound[samples].cpu(),
        clip=heard.waveform[samples].cpu(),
        mask=(masked / heard.X.clamp(min=EPS))[:, frames].cpu(),
        activation=heard.H[k, frames].cpu(),
    )


def steady_sound(column: Tensor, front_end: FrontEnd, generator: torch.Generator) -> Tensor:
    """A column by itself: the spectrum that it stands for, for `STEADY_SECONDS`.

    The column says nothing of phases, so they are drawn at random; nothing of time, so the sound is
    as steady as they allow; and nothing of the level, so its largest magnitude is `STEADY_PEAK`.

    Parameters
    ----------
    column : Tensor, shape (F,)
    front_end : FrontEnd
    generator : torch.Generator
        Of the phases.

    Returns
    -------
    Tensor, shape (n_samples,)
    """
    n_samples = round(STEADY_SECONDS * front_end.sample_rate)
    column = column.cpu()
    activation = log1p(STEADY_PEAK) / column.max().clamp(min=EPS)
    # Phases of noise, not of each frame anew: frames overlap, and would cancel each other.
    phase = phase_of(front_end.stft(torch.randn(n_samples, generator=generator)))
    X = (activation * column)[:, None].expand(phase.shape)
    return front_end.inverse(X, phase, n_samples)


def _loudest(energy: Tensor, n_frames: int) -> int:
    """First of the `n_frames` frames in a row that hold the most energy (T,)."""
    if len(energy) <= n_frames:
        return 0
    held = energy.double().cpu().cumsum(0)  # a GPU adds up in any order
    held = torch.nn.functional.pad(held, (1, 0))
    return int((held[n_frames:] - held[:-n_frames]).argmax())
