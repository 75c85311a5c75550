"""What a decision loses without components: the relevant ones, and random others (Sec. IV-C).

A clip of a multi-class corpus is interpreted for the class that the classifier predicts, a clip of
a multi-label corpus for every class that the classifier decides for.

Networks hear and decide in float32, whatever precision training used. Between the two waveforms,
with and without components, everything is float64. In float32 the way through the STFT and back
leaves noise at about -135 dB of the clip's maximum. The floor of a power mel in dB lies far above
that, at -80 dB. That of a magnitude mel lies below: it counts 10 log10 |S|, in which 80 dB are 160
dB of level. Its cells from 65 dB below the maximum on, those of bands that a low-pass has emptied,
are noise of rounding already where features are computed, and came back up to 3.5 dB louder or
softer; with nothing removed at all, a probability moved by up to 0.013 in the demo. In float64 the
way gives back the very samples; the removal `nothing` tells what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from l2i.evaluation.random_removals import (
    draw_any,
    draw_energy,
    draw_unselected,
    energy_of,
    matches,
)
from l2i.features.spectral import FrontEnd, log_magnitude, phase_of, up_to_frames
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.relevance import component_products, select, soft_masked
from l2i.names import RANDOM
from l2i.streams import random_stream

FAITHFULNESS = (  # columns of what :func:`faithfulness_rows` returns
    *("class", "removal", "threshold", "draw", "matched", "n_removed", "energy_removed"),
    *("probability_before", "probability_after", "probability_drop", "logit_drop"),
)
MASKS = 8  # selections that are inverted and heard together


@dataclass(frozen=True)
class Removals:
    """Which components are taken out of each clip (Table V, Fig. 2 and 3).

    None; relevant ones at each of `thresholds`; at `random_threshold` also `n_draws` draws of each
    of `baselines`. `n_removed` is 'mean', the rounded mean size of the relevant sets (of each
    class, where a clip may have several), or a number.
    """

    thresholds: Sequence[float]
    random_threshold: float
    n_draws: int
    baselines: Sequence[str]
    n_removed: str | int
    seed: int


@dataclass(frozen=True)
class ExplainedClip:
    """One clip: the classifier's logits, and what every component means to the decided classes."""

    name: str
    logits: Tensor  # (C,)
    relevances: dict[int, Tensor]  # class: (K,)


@torch.no_grad()
def explain_clip(
    explained: ExplainedClassifier, name: str, M: Tensor
) -> tuple[ExplainedClip, Tensor]:
    """Decisions of one clip and their relevances, and its activations H, (K, n_frames).

    Parameters
    ----------
    M : Tensor, shape (1, n_frames, n_mels)
        Its log-mel.
    """
    logits, interpretation = explained.explain(M, M.shape[1])
    r = explained.relevances(interpretation)[0]
    decided = explained.classifier.decisions(logits)[0].nonzero()[:, 0].tolist()
    return ExplainedClip(name, logits[0], {c: r[c] for c in decided}), interpretation.H[0]


def n_random(
    clips: Sequence[ExplainedClip], removals: Removals, *, per_class: bool
) -> dict[int, int]:
    """How many components the random baselines remove for each decided class, at least 1.

    The rounded mean of the sizes of the relevant sets: those of the class (Fig. 2 and 3), or all
    together (Table V).
    """
    sizes: dict[int, list[int]] = {}
    for clip in clips:
        for c, r in clip.relevances.items():
            sizes.setdefault(c, []).append(int(select(r, removals.random_threshold).sum()))
    if removals.n_removed != "mean":
        return dict.fromkeys(sizes, int(removals.n_removed))
    if per_class:
        return {c: _rounded_mean(of_class) for c, of_class in sizes.items()}
    return dict.fromkeys(sizes, _rounded_mean([n for of_class in sizes.values() for n in of_class]))


def _rounded_mean(sizes: Sequence[int]) -> int:
    return max(1, round(float(np.mean(sizes))))


@torch.no_grad()
def faithfulness_rows(
    explained: ExplainedClassifier,
    clip: ExplainedClip,
    H: Tensor,
    waveform: Tensor,
    front_end: FrontEnd,
    removals: Removals,
    n_removed: dict[int, int],
    classes: Sequence[str],
) -> pd.DataFrame:
    """Drop of class probabilities when components are removed from one clip (Eq. 7).

    Removal goes through a waveform: the remaining log-magnitude with the input's phase is inverted,
    and the classifier hears the result through its own front end, without renormalisation.

    Parameters
    ----------
    clip : ExplainedClip
        Decisions and relevances; H, shape (K, n_frames), are its activations.
    waveform : Tensor, shape (n_samples,)
        The clip as its features were computed from.
    n_removed : dict
        Size of the count-matched random sets of each class, from :func:`n_random`.
    classes : sequence of str
        Names of all classes.

    Returns
    -------
    DataFrame
        One row per decided class and removal, columns `FAITHFULNESS`. The first of a class removes
        `nothing`: what the waveform's way there and back does by itself. energy_removed is the
        share of ||X||^2 that the removed components take away together, ||sum of X_k||^2; matched,
        whether it is that of the components that are relevant at the random threshold, within
        :data:`l2i.evaluation.random_removals.TOLERANCE`.
    """
    S = front_end.stft(front_end.to_whole_hops(waveform.double()))
    X, W = log_magnitude(S), explained.interpreter.W
    H = up_to_frames(H, X.shape[1])
    G = component_products(X.to(W.dtype), W, H).cpu().numpy()
    plan = [
        (c, facts, mask)
        for c, r in clip.relevances.items()
        for facts, mask in _plan(clip.name, r, G, removals, n_removed[c])
    ]

    masks = {mask.tobytes(): mask for _, _, mask in plan}  # thresholds often select the same set
    phase, total = phase_of(S), X.square().sum().clamp(min=1e-12)
    logits, shares = [], []
    for start in range(0, len(masks), MASKS):  # each has the size of the spectrogram
        L = torch.from_numpy(np.stack(list(masks.values())[start : start + MASKS])).to(X.device)
        taken = soft_masked(X, W.double(), H.double(), L)
        x2 = front_end.inverse(X - taken, phase, len(waveform)).to(waveform.dtype)
        logits.append(explained.predict(front_end.log_mel(front_end.stft(x2))).cpu())
        shares.append((taken.square().sum((1, 2)) / total).cpu())
    after, share = torch.cat(logits), torch.cat(shares)
    p_after = explained.classifier.probabilities(after)
    position = {key: i for i, key in enumerate(masks)}

    before = clip.logits.cpu()
    p_before = explained.classifier.probabilities(before)
    rows = []
    for c, facts, mask in plan:
        i = position[mask.tobytes()]
        rows.append(
            {
                "class": classes[c],
                **facts,
                "n_removed": int(mask.sum()),
                "energy_removed": share[i].item(),
                "probability_before": p_before[c].item(),
                "probability_after": p_after[i, c].item(),
                "probability_drop": (p_before[c] - p_after[i, c]).item(),
                "logit_drop": (before[c] - after[i, c]).item(),
            }
        )
    return pd.DataFrame(rows)


def _plan(
    clip: str, r: Tensor, G: np.ndarray, removals: Removals, n_removed: int
) -> list[tuple[dict, np.ndarray]]:
    """Every removal for one class: what it is called, and the mask of its components."""
    nothing = {"removal": "nothing", "threshold": np.nan, "draw": 0}
    plan = [(nothing, np.zeros(len(r), dtype=bool))]
    for threshold in removals.thresholds:
        facts = {"removal": "relevant", "threshold": threshold, "draw": 0}
        plan.append((facts, _selected(r, threshold)))
    L = _selected(r, removals.random_threshold)
    draws: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
        "unselected": lambda rng: draw_unselected(L, n_removed, rng),
        "all": lambda rng: draw_any(L, n_removed, rng),
        "energy": lambda rng: draw_energy(L, G, rng),
    }
    for baseline in removals.baselines:
        for draw in range(removals.n_draws):
            # Keyed by the clip's name: a draw depends on neither order nor company of the clips.
            rng = random_stream(removals.seed, RANDOM + baseline, clip, draw)
            facts = {"removal": RANDOM + baseline, "threshold": removals.random_threshold}
            plan.append(({**facts, "draw": draw}, draws[baseline](rng)))
    goal = energy_of(L, G)
    return [
        (facts | {"matched": int(matches(energy_of(mask, G), goal))}, mask) for facts, mask in plan
    ]


def _selected(r: Tensor, threshold: float) -> np.ndarray:
    return select(r, threshold).cpu().numpy()
