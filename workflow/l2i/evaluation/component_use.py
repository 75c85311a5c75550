"""What a system does with each component of its dictionary, over some clips.

Names and shapes
----------------
P : (F, T)  energy |S|^2 of a clip
W : (F, K)  dictionary
H : (K, T)  activations of the clip
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.relevance import EPS
from l2i.progress import progress
from l2i.training.task import Clips, Recordings

TOP = 0.1  # share of the clips among which a typical one is chosen


@dataclass(frozen=True)
class ComponentUse:
    """What components hold and mean, clip by clip and decision by decision."""

    energy: np.ndarray  # (n_clips, K) share of a clip's energy, see :func:`energy_shares`
    peak: np.ndarray  # (n_clips, K) largest activation
    correlation: np.ndarray  # (K, K) of activations over all frames; 0 with one that never changes
    clips: np.ndarray  # (n_decisions,) number of the clip that a decision is about
    classes: np.ndarray  # (n_decisions,) number of the class that is decided for
    relevances: np.ndarray  # (n_decisions, K)

    @property
    def dead(self) -> np.ndarray:
        """Components that are active in no frame of any clip, (K,) bool."""
        return self.peak.max(0) <= 0

    def n_decisions(self, n_classes: int) -> np.ndarray:
        """How often each class is decided for, (C,)."""
        return np.bincount(self.classes, minlength=n_classes)

    def mean_relevance(self, n_classes: int) -> np.ndarray:
        """Mean relevance over the decisions for each class, (C, K); NaN where there is none."""
        return self._mean_by_class(self.relevances, n_classes)

    def selection_rate(self, n_classes: int, threshold: float) -> np.ndarray:
        """Share of the decisions for each class in which a relevance exceeds it, (C, K)."""
        return self._mean_by_class(self.relevances > threshold, n_classes)

    def n_selected(self, threshold: float) -> np.ndarray:
        """In how many decisions the relevance of each component exceeds the threshold, (K,)."""
        return (self.relevances > threshold).sum(0)

    def uses(self, k: int, n_classes: int, threshold: float) -> list[tuple[int, float, float]]:
        """Classes to which a component is relevant on average, the most relevant first.

        Each with its mean relevance, which exceeds the threshold, and the share of its decisions in
        which the relevance does.
        """
        means = self.mean_relevance(n_classes)[:, k]
        rates = self.selection_rate(n_classes, threshold)[:, k]
        return [
            (int(c), float(means[c]), float(rates[c]))
            for c in np.argsort(-means, kind="stable")
            if means[c] > threshold  # which NaN does not
        ]

    def strongest(self, k: int, n: int) -> list[tuple[int, float]]:
        """The clips of whose energy a component holds most, at most `n`, each with its share."""
        held = self.energy[:, k]
        ranked = np.argsort(-held, kind="stable")[:n]
        return [(int(i), float(held[i])) for i in ranked if held[i] > 0]

    def _mean_by_class(self, values: np.ndarray, n_classes: int) -> np.ndarray:
        means = np.full((n_classes, values.shape[1]), np.nan)
        for c in np.unique(self.classes):
            means[c] = values[self.classes == c].mean(0)
        return means


def measure_use(
    explained: ExplainedClassifier, recordings: Recordings, rows: Sequence[int] | np.ndarray
) -> ComponentUse:
    """Pass some clips, at least one, through the networks and note what each component does."""
    moments = _Moments(explained.interpreter.W.shape[1])
    energy, peak, clips, classes, relevances = [], [], [], [], []
    for i, (logits, r, X, H) in enumerate(_heard(explained, recordings, rows)):
        energy.append(energy_shares(torch.expm1(X).square(), explained.interpreter.W, H).cpu())
        peak.append(H.amax(1).cpu())
        moments.add(H)
        decided = explained.classifier.decisions(logits[None])[0].nonzero()[:, 0].tolist()
        clips += [i] * len(decided)
        classes += decided
        relevances += [*r[decided].cpu()]
    n_components = explained.interpreter.W.shape[1]
    return ComponentUse(
        energy=torch.stack(energy).numpy(),
        peak=torch.stack(peak).numpy(),
        correlation=moments.correlation(),
        clips=np.array(clips, dtype=int),
        classes=np.array(classes, dtype=int),
        relevances=np.reshape([each.numpy() for each in relevances], (-1, n_components)),
    )


def energy_shares(P: Tensor, W: Tensor, H: Tensor) -> Tensor:
    """Share of a clip's energy that falls to each component, (K,); 0 of a silent clip.

    The energy of each bin is divided as soft masks divide the bin. The shares add up to at most 1:
    where the model has no energy, nobody owns the clip's.
    """
    divided = P / (W @ H).clamp(min=EPS)
    held = (H * (W.T @ divided)).sum(1)
    total = P.sum()
    return held / torch.where(total == 0, 1.0, total)


def typical_clip(energy: np.ndarray) -> int | None:
    """The clip that shows best what a component usually is; None where it is active in none.

    Of the tenth of the clips in which it holds the largest share of the energy, the median: neither
    the one clip that it may fill by chance, nor one in which it can hardly be heard.

    Parameters
    ----------
    energy : np.ndarray [shape=(n_clips,)]
        Share of each clip's energy that the component holds.
    """
    ranked = np.argsort(-energy, kind="stable")
    top = ranked[: max(1, round(TOP * len(energy)))]
    active = top[energy[top] > 0]
    return int(active[(len(active) - 1) // 2]) if len(active) else None


def _heard(
    explained: ExplainedClassifier, recordings: Recordings, rows: Sequence[int] | np.ndarray
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Of each clip: logits (C,), relevances (C, K), log-magnitude (F, T), activations (K, T)."""
    for row in progress(rows, description="Hear clips", unit="clip"):
        clip = Clips(recordings, [row])
        X = clip.log_magnitude
        logits, interpretation = explained.explain(clip.log_mel, X.shape[-1])
        yield logits[0], explained.relevances(interpretation)[0], X[0], interpretation.H[0]


class _Moments:
    """First and second moments of activations, frame by frame, in float64."""

    def __init__(self, n_components: int) -> None:
        self.n = 0
        self.sum = torch.zeros(n_components, dtype=torch.float64)
        self.products = torch.zeros(n_components, n_components, dtype=torch.float64)

    def add(self, H: Tensor) -> None:
        H = H.double()
        self.n += H.shape[1]
        self.sum += H.sum(1).cpu()
        self.products += (H @ H.T).cpu()

    def correlation(self) -> np.ndarray:
        mean = self.sum / self.n
        covariance = self.products / self.n - torch.outer(mean, mean)
        # What is left of a constant is rounding, in proportion to its square.
        constant = covariance.diagonal() <= 1e-12 * mean.square()
        spread = torch.where(constant, 1.0, covariance.diagonal().clamp(min=0).sqrt())
        found = (covariance / torch.outer(spread, spread)).clamp(-1, 1)
        found[constant] = 0
        found[:, constant] = 0
        found.fill_diagonal_(1)
        return found.numpy()
