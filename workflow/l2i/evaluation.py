"""Scores of interpreters, one row per clip; medians and means are taken later (Sec. IV-C).

Everything here computes in float32, whatever precision training used.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import pad

from l2i import losses
from l2i.classifier import Classifier
from l2i.interpreter import TAPS, Interpretation, Interpreter
from l2i.metrics import rank_of
from l2i.relevance import (
    component_energies,
    draw_any,
    draw_energy,
    draw_unselected,
    part,
    relevance,
    select,
)
from l2i.spectral import FrontEnd, log_magnitude, phase_of


@dataclass(frozen=True)
class Pair:
    """A classifier and the interpreter trained on it, both in evaluation mode.

    `relevance_pooling` is 'model' for the interpreter's own pooling, or 'max' for the largest
    activation over time, which the authors' code uses on ESC-50 whatever the model pools with.
    `relevance_scale` is explained in :func:`l2i.relevance.relevance`.
    """

    classifier: Classifier
    interpreter: Interpreter
    relevance_pooling: str = "model"
    relevance_scale: str = "absolute"

    @torch.no_grad()
    def explain(self, M: Tensor, n_frames: int) -> tuple[Tensor, Interpretation]:
        """Classifier logits (B, C) and the interpretation of a batch of log-mels."""
        logits, hidden = self.classifier.hidden_maps(M, TAPS)
        return logits, self.interpreter(hidden, n_frames)

    def relevance_to(self, interpretation: Interpretation, classes: Tensor) -> Tensor:
        """Relevance of every component to one class per clip, (B, K)."""
        z = interpretation.z
        if self.relevance_pooling == "max":
            z = interpretation.H.amax(2)
        w = self.interpreter.linear.weight[classes]
        return relevance(z, w, scale=self.relevance_scale).detach()


@torch.no_grad()
def classification_rows(logits: Tensor, labels: Tensor) -> pd.DataFrame:
    """What the classifier says about each clip, next to the truth."""
    probabilities, predicted = logits.softmax(-1).max(-1)
    return pd.DataFrame(
        {
            "label": labels.numpy(),
            "predicted": predicted.numpy(),
            "probability": probabilities.numpy(),
            "correct": (predicted == labels).int().numpy(),
            "cross_entropy": torch.nn.functional.cross_entropy(
                logits, labels, reduction="none"
            ).numpy(),
        }
    )


@torch.no_grad()
def fidelity_rows(pair: Pair, M: Tensor, X: Tensor) -> pd.DataFrame:
    """How well the interpreter follows the classifier on each clip of a batch.

    Parameters
    ----------
    pair : Pair
        Classifier and interpreter.
    M, X : Tensor, shape (B, n_frames, n_mels) and (B, n_bins, n_frames)
        Log-mel and log-magnitude.
    """
    logits, (H, _, estimate) = pair.explain(M, X.shape[-1])
    probabilities, classes = logits.softmax(-1).max(-1)
    columns = {
        "classifier_class": classes,
        "interpreter_class": estimate.argmax(-1),
        "rank": rank_of(estimate, classes),
        "classifier_probability": probabilities,
        "interpreter_probability": estimate.softmax(-1).gather(1, classes[:, None])[:, 0],
        "fidelity_loss": losses.fidelity(logits.softmax(-1), estimate),
        "reconstruction_loss": losses.reconstruction(X, pair.interpreter.reconstruct(H)),
        "sparsity_loss": losses.sparsity(H),
    }
    return pd.DataFrame({name: values.cpu().numpy() for name, values in columns.items()})


@dataclass(frozen=True)
class Removals:
    """Which components are taken out of each clip (Table V).

    Relevant ones at each of `thresholds`; at `random_threshold` also `n_draws` draws of each of
    `baselines`. `n_removed` is 'mean', the rounded mean size of the relevant sets, or a number.
    """

    thresholds: Sequence[float]
    random_threshold: float
    n_draws: int
    baselines: Sequence[str]
    n_removed: str | int
    seed: int


@dataclass(frozen=True)
class Explained:
    """One clip: its predicted class, the activations and the relevance of every component."""

    clip: str
    target: int
    logits: Tensor  # (C,)
    H: Tensor  # (K, T)
    r: Tensor  # (K,)


def n_random(explained: Sequence[Explained], removals: Removals) -> int:
    """How many components the random baselines remove, at least 1."""
    if removals.n_removed != "mean":
        return int(removals.n_removed)
    sizes = [int(select(clip.r, removals.random_threshold).sum()) for clip in explained]
    return max(1, round(float(np.mean(sizes))))


@torch.no_grad()
def faithfulness_rows(
    pair: Pair,
    explained: Explained,
    waveform: Tensor,
    front_end: FrontEnd,
    removals: Removals,
    n_removed: int,
) -> pd.DataFrame:
    """Drop of the class probability when components are removed from one clip (Eq. 7).

    Removal goes through a waveform: the remaining log-magnitude with the input's phase is inverted,
    and the classifier hears the result through its own front end, without renormalisation.

    Parameters
    ----------
    waveform : Tensor, shape (n_samples,)
        The clip as its features were computed from.
    n_removed : int
        Size of the count-matched random sets, from :func:`n_random`.

    Returns
    -------
    DataFrame
        One row per removal: class, removal, threshold, draw, n_removed, energy_removed (share of
        ||X||^2), probability_before, probability_after, probability_drop, logit_drop.
    """
    S = front_end.stft(front_end.to_whole_hops(waveform))
    X, W = log_magnitude(S), pair.interpreter.W
    # A frame more than the features have, where the clip ends between two hops.
    H = pad(explained.H[None], (0, X.shape[1] - explained.H.shape[1]), mode="replicate")[0]
    energies = component_energies(X, W, H).cpu().numpy()
    plan = _plan(explained, energies, removals, n_removed)

    masks = {mask.tobytes(): mask for _, mask in plan}  # thresholds often select the same set
    L = torch.from_numpy(np.stack(list(masks.values()))).to(X.device)
    taken = part(X, W, H, L)
    x2 = front_end.inverse(X - taken, phase_of(S), len(waveform))
    after = pair.classifier(front_end.log_mel(front_end.stft(x2))).cpu()
    share = (taken.square().sum((1, 2)) / X.square().sum().clamp(min=1e-12)).cpu()
    position = {key: i for i, key in enumerate(masks)}

    before, target = explained.logits.cpu(), explained.target
    rows = []
    for facts, mask in plan:
        i = position[mask.tobytes()]
        p_before, p_after = (v.softmax(-1)[target].item() for v in (before, after[i]))
        rows.append(
            {
                "class": target,
                **facts,
                "n_removed": int(mask.sum()),
                "energy_removed": share[i].item(),
                "probability_before": p_before,
                "probability_after": p_after,
                "probability_drop": p_before - p_after,
                "logit_drop": (before[target] - after[i][target]).item(),
            }
        )
    return pd.DataFrame(rows)


def _plan(
    explained: Explained, energies: np.ndarray, removals: Removals, n_removed: int
) -> list[tuple[dict, np.ndarray]]:
    """Every removal of a clip: what it is called, and the mask of its components."""
    plan = []
    for threshold in removals.thresholds:
        L = select(explained.r, threshold).cpu().numpy()
        plan.append(({"removal": "relevant", "threshold": threshold, "draw": 0}, L))
    L = select(explained.r, removals.random_threshold).cpu().numpy()
    draws: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
        "unselected": lambda rng: draw_unselected(L, n_removed, rng),
        "all": lambda rng: draw_any(L, n_removed, rng),
        "energy": lambda rng: draw_energy(L, energies, rng),
    }
    for baseline in removals.baselines:
        for draw in range(removals.n_draws):
            # Keyed by the clip's name: a draw depends on neither order nor company of the clips.
            key = zlib.crc32(f"{baseline} {explained.clip}".encode())
            rng = np.random.default_rng([removals.seed, draw, key])
            facts = {"removal": f"random_{baseline}", "threshold": removals.random_threshold}
            plan.append(({**facts, "draw": draw}, draws[baseline](rng)))
    return plan
