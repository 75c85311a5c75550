"""How much of what was planted in a mixture is found again (Sec. V-B, as numbers).

A mixture holds a clip, its source, and another sound (l2i.datasets.corruption). What is found for
the class of the clip, the interpretation, is held against the source, and what is left, the
remainder, against the other: by their SI-SDR, and by how far that lies above the mixture's own.

The measure has no end, and no number for silence. So that means exist it is kept in a range, and
silence, which holds nothing of what was planted, has the lowest (l2i.metrics.bounded_si_sdr).

Names and shapes
----------------
Y : (F, T)  complex STFT of the mixture
W : (F, K)  dictionary
H : (K, T)  activations of the mixture
L : (K,)    bool, the selected components
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import torch
from torch import Tensor

from l2i.datasets.corruption import KINDS, Mixture, pair_of
from l2i.features.spectral import FrontEnd, log_magnitude, phase_of, up_to_frames
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.relevance import select, soft_masked
from l2i.metrics import bounded_si_sdr
from l2i.progress import progress
from l2i.training.task import Recordings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Planted:
    """A test clip in one kind of company, at several ratios."""

    row: int
    clip: str
    label: int  # number of the class of the clip, which is what is looked for
    class_name: str
    kind: str
    mixtures: dict[float, Mixture]  # by the ratio of source to other, in dB

    @property
    def waveforms(self) -> Tensor:
        """All mixtures, (n_ratios, n_samples)."""
        return torch.stack([mixture.waveform for mixture in self.mixtures.values()])


@dataclass(frozen=True)
class Separation:
    """What is taken out of a mixture for a class, and what is left; both (n_samples,)."""

    interpretation: Tensor
    remainder: Tensor
    n_selected: int | None = None  # components or segments, where there are any


def plant(recordings: Recordings, snr_db: Sequence[float], *, seed: int) -> Iterator[Planted]:
    """Each test clip in each kind of company; silent clips, which fit no ratio, are warned of."""
    fold, data, seconds = recordings.fold, recordings.data, recordings.clip_seconds
    for row in progress(fold.test_rows, description="Corrupt clips", unit="clip"):
        clip, label = fold.index["clip"].iloc[row], int(fold.labels([row])[0])
        for kind in KINDS:
            pair = pair_of(fold, row, data, kind=kind, seed=seed, clip_seconds=seconds)
            if pair.is_silent:
                log.warning("%s is silent, and in no ratio to another sound: left out", clip)
                break
            mixtures = {snr: pair.mixed(snr) for snr in snr_db}
            yield Planted(row, clip, label, fold.classes[label], kind, mixtures)


@torch.no_grad()
def found_by_interpreter(
    explained: ExplainedClassifier,
    waveforms: Tensor,
    front_end: FrontEnd,
    *,
    target: int,
    threshold: float,
) -> tuple[Tensor, list[Separation]]:
    """What an interpreter finds of a class in mixtures (B, n_samples), and what is decided, (B,).

    It is what :mod:`l2i.interpretation.synthesis` makes heard, from activations that are computed
    once. Where clips end between two hops these differ from those there, which hear the silence up
    to the next hop: on ESC-10 by less than 0.2 dB of SI-SDR against the source.
    """
    M = front_end.log_mel(front_end.stft(waveforms))
    logits, interpretation = explained.explain(M, M.shape[1])
    selected = select(explained.relevances(interpretation)[:, target], threshold)
    W, found = explained.interpreter.W, []
    for x, H, L in zip(waveforms, interpretation.H, selected, strict=True):
        Y = front_end.stft(front_end.to_whole_hops(x))
        # A frame more than was decided on, where the clip ends between two hops.
        H = up_to_frames(H, Y.shape[1])
        found.append(share_of_components(Y, W, H, L, front_end, len(x)))
    return logits.argmax(1), found


def share_of_components(
    Y: Tensor, W: Tensor, H: Tensor, L: Tensor, front_end: FrontEnd, n_samples: int
) -> Separation:
    """The soft masks of the selected components, and all else."""
    X = log_magnitude(Y)
    chosen = soft_masked(X, W, H, L)
    separation = as_sounds(chosen, X - chosen, Y, front_end, n_samples)
    return replace(separation, n_selected=int(L.sum()))


def as_sounds(
    taken: Tensor, left: Tensor, Y: Tensor, front_end: FrontEnd, n_samples: int
) -> Separation:
    """Two log-magnitudes (F, T) as sounds, with the phase of the mixture."""
    sounds = front_end.inverse(torch.stack([taken, left]), phase_of(Y), n_samples)
    return Separation(*sounds.cpu())


# ------------------------------------------------------------------ rows


def scored(
    planted: Planted, decided: Tensor, found: Sequence[Separation], *, decided_when_clean: int
) -> pd.DataFrame:
    """One row per ratio: what is decided on the mixture, and how near what is found comes.

    Parameters
    ----------
    planted : Planted
    decided : Tensor, shape (n_ratios,)
        Number of the class that is decided for in each mixture.
    found : sequence of Separation
        Of each mixture.
    decided_when_clean : int
        Number of the class that is decided for in the clip by itself.

    Returns
    -------
    DataFrame
        Columns clip, class (of the clip), kind, snr_db, partner, right_when_clean and survives
        (whether the class is decided for, without and with the other sound), n_selected, empty
        (whether the interpretation is silent) and, in dB, SI-SDR: mixture_si_sdr and
        interpretation_si_sdr against the source, interpretation_improvement between the two;
        mixture_other_si_sdr, remainder_si_sdr and remainder_improvement against the other.
    """
    rows = []
    for (snr_db, mixture), c, each in zip(planted.mixtures.items(), decided, found, strict=True):
        sources = _si_sdr([mixture.waveform, each.interpretation], mixture.source)
        others = _si_sdr([mixture.waveform, each.remainder], mixture.other)
        rows.append(
            {
                "clip": planted.clip,
                "class": planted.class_name,
                "kind": planted.kind,
                "snr_db": snr_db,
                "partner": mixture.partner,
                "right_when_clean": int(decided_when_clean == planted.label),
                "survives": int(c == planted.label),
                "n_selected": each.n_selected,
                "empty": int(not each.interpretation.any()),
                "mixture_si_sdr": sources[0],
                "interpretation_si_sdr": sources[1],
                "interpretation_improvement": sources[1] - sources[0],
                "mixture_other_si_sdr": others[0],
                "remainder_si_sdr": others[1],
                "remainder_improvement": others[1] - others[0],
            }
        )
    return pd.DataFrame(rows)


def _si_sdr(estimates: Sequence[Tensor], reference: Tensor) -> list[float]:
    return bounded_si_sdr(torch.stack([*estimates]).numpy(), reference.numpy()).tolist()
