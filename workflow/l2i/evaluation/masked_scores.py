"""What a network says of a clip's cells that an explanation claims, and of those that it leaves.

As in :mod:`l2i.evaluation.removals`, networks hear and decide in float32, and everything between
the two waveforms is float64: with nothing removed, the very samples come back. What is left of the
STFT is inverted, and the network hears the result through its own front end, without
renormalisation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from l2i.evaluation.mask_measures import area, complexity, relative_drop, relative_gain, sparseness
from l2i.evaluation.masked_explanations import MaskedExplanation, energy_share
from l2i.evaluation.removal_operators import Operator, operators_of
from l2i.features.spectral import FrontEnd, log_magnitude
from l2i.networks.explainable import Explainable
from l2i.streams import torch_stream

MASKS = (  # columns of what :func:`mask_rows` returns
    *("class", "operator", "probability_before", "probability_in", "probability_out"),
    *("increase", "relative_drop", "relative_gain", "probability_drop", "decided_in"),
    *("insertion", "deletion", "sparseness", "complexity", "energy_kept", "empty"),
)
TOGETHER = 4  # masks that are inverted and heard together


@dataclass(frozen=True)
class HeardClip:
    """One clip as a network hears it, what it says, and the STFT that masks act on."""

    name: str
    M: Tensor  # (n_frames, n_mels) log-mel
    logits: Tensor  # (C,) of the clip as it is
    waveform: Tensor  # (n_samples,) that the log-mel is of
    S: Tensor  # (F, T) complex128, of the waveform up to a whole number of hops; T >= n_frames

    @property
    def X(self) -> Tensor:
        """Log-magnitude, (F, T)."""
        return log_magnitude(self.S)


@dataclass(frozen=True)
class Scorer:
    """Whose decisions are explained, and how cells are removed from what it hears.

    `predict` gives logits (B, C) of log-mels (B, n_frames, n_mels); `classifier` says what they
    mean and decide. `operators` are names of :data:`l2i.evaluation.removal_operators.OPERATORS`;
    `seed` is that of their noise.
    """

    predict: Callable[[Tensor], Tensor]
    classifier: Explainable
    front_end: FrontEnd
    operators: Sequence[str]
    seed: int

    @torch.no_grad()
    def hear(self, name: str, M: Tensor, waveform: Tensor) -> HeardClip:
        """One clip, by its log-mel (n_frames, n_mels) and its waveform."""
        S = self.front_end.stft(self.front_end.to_whole_hops(waveform.double()))
        return HeardClip(name, M, self.predict(M[None])[0], waveform, S)

    def decided(self, clip: HeardClip) -> list[int]:
        """Classes that are decided for in the clip."""
        return self.classifier.decisions(clip.logits[None])[0].nonzero()[:, 0].tolist()

    def operators_for(self, clip: HeardClip) -> dict[str, Operator]:
        """The operators by name; their noise is keyed by the clip, and the same for all masks."""
        generator = torch_stream(self.seed, "noise_fill", clip.name)
        return operators_of(self.operators, clip.S, self.front_end, generator)

    @torch.no_grad()
    def logits_without(self, clip: HeardClip, operator: Operator, shares: Tensor) -> Tensor:
        """Logits (M, C) of the clip when shares (M, F, T) of its cells are removed."""
        said = []
        for some in shares.split(TOGETHER):
            x = self.front_end.istft(operator(clip.S, some), len(clip.waveform))
            x = x.to(clip.waveform.dtype)
            said.append(self.predict(self.front_end.log_mel(self.front_end.stft(x))))
        return torch.cat(said)


def mask_rows(
    scorer: Scorer,
    clip: HeardClip,
    explanations: Mapping[int, MaskedExplanation],
    classes: Sequence[str],
) -> pd.DataFrame:
    """Every measure of one clip's explanations, see :mod:`l2i.evaluation.mask_measures`.

    Parameters
    ----------
    scorer : Scorer
    clip : HeardClip
        From :meth:`Scorer.hear`.
    explanations : mapping of int to MaskedExplanation
        By the class that is explained.
    classes : sequence of str
        Names of all classes.

    Returns
    -------
    DataFrame
        One row per class and operator, columns `MASKS`. `increase`, `decided_in` and `empty` are 0
        or 1. `energy_kept` is the share of ||X||^2 that the mask takes, ||m X||^2. Insertion is
        over that share, deletion over the share that is gone from what is left, so that at one
        place of a curve all explanations leave sounds of the same energy. Of masks of 0 and 1 both
        are the same; half of every cell holds a quarter, and without it three quarters are gone.
        The mask of an empty explanation keeps nothing, and counts.
    """
    operators, X = scorer.operators_for(clip), clip.X
    rows = []
    for c, explanation in explanations.items():
        of_mask = {
            "sparseness": sparseness(explanation.mask),
            "complexity": complexity(explanation.mask),
            "energy_kept": energy_share(X, explanation.mask[None]).item(),
            "empty": int(not explanation.mask.any()),
        }
        kept = energy_share(X, explanation.growing)
        gone = 1 - energy_share(X, 1 - explanation.growing)
        kept[-1], gone[0] = 1.0, 0.0  # of a silent clip too
        shares = {"insertion": kept, "deletion": gone}
        for name, operator in operators.items():
            said = _said(scorer, clip, operator, explanation)
            rows.append(
                {
                    "class": classes[c],
                    "operator": name,
                    **_of_probabilities(scorer.classifier, clip.logits, said, c, shares),
                    **of_mask,
                }
            )
    return pd.DataFrame(rows, columns=[*MASKS])


def _said(
    scorer: Scorer, clip: HeardClip, operator: Operator, explanation: MaskedExplanation
) -> dict[str, Tensor]:
    """Logits of what is kept and what is left, alone and step by step; each sound heard once."""
    mask, growing = explanation.mask, explanation.growing
    wanted = [1 - mask, mask, *(1 - growing), *growing]
    places: dict[bytes, int] = {}
    place = [places.setdefault(each.cpu().numpy().tobytes(), len(places)) for each in wanted]
    distinct = [wanted[place.index(i)] for i in range(len(places))]
    logits = scorer.logits_without(clip, operator, torch.stack(distinct))[place]
    n = len(growing)
    parts = logits.split([1, 1, n, n])
    return dict(zip(("in", "out", "insertion", "deletion"), parts, strict=True))


def _of_probabilities(
    classifier: Explainable,
    before: Tensor,
    said: Mapping[str, Tensor],
    c: int,
    shares: Mapping[str, Tensor],
) -> dict[str, float]:
    p = {name: classifier.probabilities(logits)[:, c].double() for name, logits in said.items()}
    p_before = classifier.probabilities(before)[c].double()
    p_in, p_out = p["in"][0], p["out"][0]
    return {
        "probability_before": p_before.item(),
        "probability_in": p_in.item(),
        "probability_out": p_out.item(),
        "increase": int(p_in > p_before),
        "relative_drop": relative_drop(p_before, p_in).item(),
        "relative_gain": relative_gain(p_before, p_in).item(),
        "probability_drop": (p_before - p_out).item(),
        "decided_in": int(classifier.decisions(said["in"])[0, c]),
        **{name: area(shares[name], p[name]) for name in ("insertion", "deletion")},
    }
