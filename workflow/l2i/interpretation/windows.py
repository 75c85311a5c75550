"""Sounds of any length, heard in windows as long as the clips that networks decide on.

Neighbours overlap by half, and each window is scaled as a clip of its own. A sound that is hardly
longer than a clip, or shorter, is one window.

What is pooled over windows: where classes exclude each other, their mean probabilities; else the
largest, since a class is in a sound if it is anywhere in it. A window counts for the relevances to
a class as much as the class is probable in it, so that they tell of the places that speak for it.
Windows of digital silence count for neither. Activations of overlapping windows are faded into each
other, with weights that add up to 1 in every frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.hearing import Hearing
from l2i.interpretation.synthesis import decide, n_inverted_frames
from l2i.networks.interpreter import Interpretation
from l2i.progress import progress

LITTLE = 20  # a clip may be longer by one of so many parts, and is still heard as one
EPS = 1e-12  # keeps shares of what is nowhere probable equal, in place of 0 / 0


@dataclass(frozen=True)
class Heard:
    """What both networks make of the N windows of a sound."""

    starts: list[int]  # first sample of each window
    sounding: Tensor  # (N,) bool: what is no digital silence
    logits: Tensor  # (N, C) of the predictor
    interpretation: Interpretation  # z and logits (N, ...); its H is (1, K, n_frames), of the whole


class Pooled(NamedTuple):
    """What windows say together."""

    probabilities: Tensor  # (C,) of the predictor
    estimates: Tensor  # (C,) of the interpreter
    decided: Tensor  # (C,) bool
    relevances: Tensor  # (C, K)


@torch.no_grad()
def hear(explained: ExplainedClassifier, waveform: np.ndarray, hearing: Hearing) -> Heard:
    """Have both networks hear a waveform (n_samples,), as read, window by window."""
    front_end, W = hearing.front_end, explained.interpreter.W
    starts, windows = cut(waveform, hearing)
    firsts = [start // front_end.hop_length for start in starts]
    lengths = [n_inverted_frames(len(window), front_end) for window in windows]
    H = torch.zeros(W.shape[1], firsts[-1] + lengths[-1], device=W.device)
    decisions = []
    each = zip(windows, firsts, fade_weights(firsts, lengths), strict=True)
    for window, first, weights in progress(
        each, description="hearing", unit="window", total=len(windows)
    ):
        x = torch.from_numpy(scaled(window, hearing)).to(W.device)
        part, logits, (_, z, estimates) = decide(explained, x, front_end, hearing.n_samples)
        H[:, first : first + len(weights)] += part * weights.to(W.device)
        decisions.append((logits, z, estimates))
    logits, z, estimates = map(torch.cat, zip(*decisions, strict=True))
    sounding = torch.tensor([bool(window.any()) for window in windows], device=W.device)
    return Heard(starts, sounding, logits, Interpretation(H[None], z, estimates))


@torch.no_grad()
def pool(explained: ExplainedClassifier, heard: Heard) -> Pooled:
    """What the windows of a sound say together: see the head of this module."""
    H, z, estimates = heard.interpretation
    said = explained.classifier.probabilities(heard.logits)
    probabilities = pool_probabilities(said, heard.sounding, multi_label=explained.multi_label)
    if explained.multi_label:
        decided = explained.classifier.decisions(heard.logits)[heard.sounding].any(0)
    else:
        decided = one_hot(probabilities.argmax(), len(probabilities)).bool()
    weights = (said + EPS) * heard.sounding[:, None]  # (N, C)
    weights = weights / weights.sum(0)
    each = z if z.ndim == 3 else z[:, None]  # (N, C or 1, K)
    together = (weights[:, :, None] * each).sum(0, keepdim=True)
    relevances = explained.relevances(Interpretation(H, together, estimates[:1]))[0]
    estimates = pool_probabilities(
        explained.classifier.probabilities(estimates),
        heard.sounding,
        multi_label=explained.multi_label,
    )
    return Pooled(probabilities, estimates, decided, relevances)


def pool_probabilities(said: Tensor, sounding: Tensor, *, multi_label: bool) -> Tensor:
    """Probabilities (C,) of a sound, from those (N, C) of its windows."""
    return said[sounding].amax(0) if multi_label else said[sounding].mean(0)


@torch.no_grad()
def probabilities_of(
    explained: ExplainedClassifier, waveform: np.ndarray, hearing: Hearing
) -> Tensor:
    """Probabilities (C,) that the predictor gives a waveform (n_samples,) with sound in it."""
    _, windows = cut(waveform, hearing)
    logits = []
    for window in progress(windows, description="hearing", unit="window"):
        if window.any():
            x = torch.from_numpy(scaled(window, hearing)).to(explained.interpreter.W.device)
            logits.append(explained.predict(hearing.log_mel(x)[None]))
    said = explained.classifier.probabilities(torch.cat(logits))
    sounding = torch.ones(len(said), dtype=torch.bool, device=said.device)
    return pool_probabilities(said, sounding, multi_label=explained.multi_label).cpu()


def cut(waveform: np.ndarray, hearing: Hearing) -> tuple[list[int], list[np.ndarray]]:
    """First sample of each window of a waveform, and the windows; a single one is all of it."""
    starts = window_starts(len(waveform), hearing.n_samples, hearing.front_end.hop_length)
    if len(starts) == 1:
        return starts, [waveform]
    return starts, [waveform[start : start + hearing.n_samples] for start in starts]


def scaled(window: np.ndarray, hearing: Hearing) -> np.ndarray:
    """A window as loud as if it were a clip; silence has no scale and stays."""
    return hearing.scaled(window) if window.any() else window


def window_starts(n_samples: int, n_window: int, hop_length: int) -> list[int]:
    """First sample of each window, all at whole hops, so that frames of neighbours coincide.

    One window where the waveform is no longer than that, or by so little that the workflow's scores
    too would leave it out. Else the last one ends with the waveform, or less than a hop behind it.
    """
    if n_samples <= n_window + n_window // LITTLE:
        return [0]
    stride = max(1, n_window // 2 // hop_length) * hop_length
    last = -(-(n_samples - n_window) // hop_length) * hop_length
    return [*range(0, last, stride), last]


def fade_weights(firsts: Sequence[int], lengths: Sequence[int]) -> Iterator[Tensor]:
    """Weight of each window's frames in the frames of the whole, (length,) each.

    They rise and fall in straight lines, and add up to 1 in each frame that any window covers.

    Parameters
    ----------
    firsts, lengths : sequence of int
        First frame of each window, and how many it has.
    """
    total = torch.zeros(max(map(sum, zip(firsts, lengths, strict=True))), dtype=torch.float64)
    for first, length in zip(firsts, lengths, strict=True):
        total[first : first + length] += _triangle(length)
    for first, length in zip(firsts, lengths, strict=True):
        yield (_triangle(length) / total[first : first + length]).float()


def _triangle(n: int) -> Tensor:
    place = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return 1 - (2 * place - 1).abs()
