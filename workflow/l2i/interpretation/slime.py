"""SLIME: which stretches of a clip a classifier's decision rests on (baseline of Sec. V-A.3).

The log-mel is cut along time into n segments. Copies of it, in which random segments are filled
with the clip's mean, are put before the classifier, and a linear model is fitted to what it says
of a class: a segment that the class needs gets a large weight. Copies that keep more count for
more. The classifier is asked and never looked into.

Names and shapes
----------------
M : (n_frames, n_mels)       log-mel in dB of one clip
borders : (n + 1,) int       first frame of each segment, and the number of frames
vectors : (N, n) bool        which segments each perturbed copy keeps; the first row keeps all

References
----------
S. Mishra, B. L. Sturm, S. Dixon, "Local interpretable model-agnostic explanations for music
content analysis", ISMIR 2017.
S. Mishra, E. Benetos, B. L. Sturm, S. Dixon, "Reliable local explanations for machine listening",
IJCNN 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from l2i.checks import InputError
from l2i.features.spectral import FrontEnd
from l2i.networks.classifier import Classifier
from l2i.streams import random_stream

EDGE_SECONDS = 0.01  # a fade this long turns a cut into no click
QUERIES = 8  # copies that the classifier hears together; more are slower, by what memory costs


@dataclass(frozen=True)
class Slime:
    """Settings: segments of `segment_seconds`, of which at most `max_segments` are kept.

    `n_samples` copies are drawn, `kernel_width` says how fast their weight falls with distance,
    `ridge` is the penalty on the squared coefficients.
    """

    segment_seconds: float
    max_segments: int
    n_samples: int
    kernel_width: float
    ridge: float


@dataclass(frozen=True)
class Explanation:
    """How much each segment speaks for one class."""

    borders: np.ndarray
    weights: np.ndarray  # (n,), in units of probability
    kept: list[int]  # segments of the explanation, largest weight first
    r2: float  # share of the weighted variance of the answers that the linear model accounts for


def explain(
    classifier: Classifier,
    M: Tensor,
    targets: Sequence[int],
    settings: Slime,
    rng: np.random.Generator,
    *,
    clip_seconds: float,
) -> dict[int, Explanation]:
    """Segments that speak for each of some classes.

    Parameters
    ----------
    classifier : Classifier
        In evaluation mode, on the device of `M`.
    M : Tensor, shape (n_frames, n_mels)
        Log-mel of one clip of `clip_seconds`.
    targets : sequence of int
        Classes to explain; all are read from the same answers.
    settings : Slime
    rng : np.random.Generator
        Source of the copies, see :func:`generator`.
    clip_seconds : float

    Raises
    ------
    InputError
        If the clip is cut into one segment, or into more than it has frames.
    """
    n_segments = round(clip_seconds / settings.segment_seconds)
    borders = segment_borders(len(M), n_segments)
    vectors = draw_vectors(settings.n_samples, n_segments, rng)
    answers = query(classifier, M, borders, vectors)[:, list(targets)]
    sample_weights = kernel_weights(vectors, settings.kernel_width)
    found = {}
    for target, answer in zip(targets, answers.T, strict=True):
        weights, r2 = fit(vectors, answer, sample_weights, settings.ridge)
        kept = positive_segments(weights, settings.max_segments)
        found[target] = Explanation(borders, weights, kept, r2)
    return found


def generator(seed: int, run: int, clip: str) -> np.random.Generator:
    """Source of a clip's copies.

    Keyed by the clip's name: a draw depends on neither order nor company of the clips.
    """
    return random_stream(seed, "slime", run, clip)


def segment_borders(n_frames: int, n_segments: int) -> np.ndarray:
    """Borders of segments of floor(n_frames / n_segments) frames; the last takes the rest."""
    if not 2 <= n_segments <= n_frames:
        raise InputError(
            f"slime.segment_seconds cuts a clip of {n_frames} frames into {n_segments} segments, "
            "but it takes at least 2, and a frame for each: set it to at most half of clip_seconds"
        )
    borders = np.arange(n_segments + 1) * (n_frames // n_segments)
    borders[-1] = n_frames
    return borders


def draw_vectors(n_samples: int, n_segments: int, rng: np.random.Generator) -> np.ndarray:
    """What each copy keeps, (n_samples, n_segments): all in the first, a fair coin elsewhere."""
    vectors = rng.random((n_samples, n_segments)) < 0.5
    vectors[0] = True
    return vectors


def kernel_weights(vectors: np.ndarray, width: float) -> np.ndarray:
    """Weight of each copy in the regression, (N,): exp(-d^2 / (2 width^2)).

    d is the cosine distance from the clip as it is. A vector of k ones among n has the cosine
    sqrt(k / n) with the vector of ones; an empty one is at distance 1.
    """
    d = 1 - np.sqrt(vectors.mean(axis=1))
    return np.exp(-np.square(d / width) / 2)


@torch.no_grad()
def query(
    classifier: Classifier, M: Tensor, borders: np.ndarray, vectors: np.ndarray
) -> np.ndarray:
    """Class probabilities of the perturbed copies, (N, C), in float64."""
    # Short clips have few segments, and their copies repeat: each is heard once.
    distinct, position = np.unique(vectors, axis=0, return_inverse=True)
    kept = torch.from_numpy(np.repeat(distinct, np.diff(borders), axis=1)).to(M.device)
    fill = M.mean()
    probabilities = torch.cat(
        [
            classifier.probabilities(classifier(torch.where(batch[:, :, None], M, fill)))
            for batch in kept.split(QUERIES)
        ]
    )
    return probabilities.double().cpu().numpy()[position.reshape(-1)]


def fit(
    vectors: np.ndarray, answers: np.ndarray, sample_weights: np.ndarray, ridge: float
) -> tuple[np.ndarray, float]:
    """Coefficients (n,) of a weighted ridge regression with intercept, and its R^2.

    R^2 of answers that do not vary is 1: the intercept is right about all of them.
    """
    X, share = vectors.astype(np.float64), sample_weights / sample_weights.sum()
    centred, y = X - share @ X, answers - share @ answers  # the intercept is not shrunk
    weighted = centred.T * sample_weights
    # Least squares: without a penalty, few copies may leave weights open.
    normal = weighted @ centred + ridge * np.eye(X.shape[1])
    weights = np.linalg.lstsq(normal, weighted @ y)[0]
    missed, spread = share @ np.square(y - centred @ weights), share @ np.square(y)
    return weights, float(1 - missed / spread) if np.ptp(answers) else 1.0


def positive_segments(weights: np.ndarray, n: int) -> list[int]:
    """At most `n` segments that speak for the class, largest weight first."""
    order = np.argsort(-weights, kind="stable")[:n]
    return [int(i) for i in order if weights[i] > 0]


# ---------------------------------------------------------------- sound


def border_samples(borders: np.ndarray, front_end: FrontEnd, n_decided: int) -> np.ndarray:
    """Where segments meet in the waveform that was decided on, (n + 1,), in samples.

    Frames are centred on multiples of the hop, so that two of them meet half a hop before the
    second.
    """
    inner = (borders[1:-1] - 0.5) * front_end.hop_length
    return np.array([0, *inner, n_decided])


def gate(
    segments: Sequence[int], borders: np.ndarray, n_samples: int, sample_rate: int
) -> np.ndarray:
    """Factor between 0 and 1 that lets some segments through, (n_samples,), float64.

    `borders` are in samples. Two neighbours fade into each other over `EDGE_SECONDS`, raised
    cosines around their border, so that the gates of all segments add up to 1. The ends of the
    waveform are left alone; what lies behind the last border belongs to no segment.
    """
    t, width = np.arange(n_samples), EDGE_SECONDS * sample_rate

    def step(i: int) -> np.ndarray:
        """From 0 to 1 around border number i."""
        if i == 0 or borders[i] >= n_samples:
            return np.full(n_samples, float(i == 0))
        phase = np.clip((t - borders[i]) / width + 0.5, 0, 1)
        return (1 - np.cos(np.pi * phase)) / 2

    return sum((step(i) - step(i + 1) for i in segments), np.zeros(n_samples))


def divide(x: np.ndarray, gate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a gate lets through and what it holds back, in float32.

    They add up to `x` exactly. Whichever part is the larger is within a factor of 2 of x, where
    differences are exact: the first line makes the remainder exact if the gated part is the larger,
    the second makes the gated part exact if the remainder is.
    """
    remainder = x - (x * gate).astype(np.float32)
    return x - remainder, remainder
