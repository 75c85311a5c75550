"""Test clips in company that is known: with white noise, or with a clip of another class.

Because the mixture is made here, what was planted in it is known, and an interpretation of the
class of a clip can be held against the clip itself (paper, Sec. V-B).

The ratio of source to other, in dB, is that of their energies over the whole clip. What is drawn
depends on the seed, the clip and the kind alone: it is the same at every ratio, for whatever else
is drawn, and in whatever order. A partner is the clip of another class whose draw is lowest, so
that a corpus that grows by a clip changes no pair but those that the new clip enters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from l2i.checks import InputError, naming
from l2i.features.audio import fit_length, scale_waveform
from l2i.streams import random_stream, stream_seed

if TYPE_CHECKING:  # it takes pandas, for which who mixes two sounds should not wait
    from l2i.datasets.fold import Fold

NOISE, OTHER = "noise", "class"
KINDS = (NOISE, OTHER)


@dataclass(frozen=True)
class Mixture:
    """A clip with another sound; all waveforms (n_samples,), float32.

    They have the level at which networks hear the mixture, and source and other add up to it.
    """

    waveform: Tensor
    source: Tensor
    other: Tensor
    partner: str  # name of the other clip; "" for noise


@dataclass(frozen=True)
class Pair:
    """A clip and what it is mixed with, before either has its level; both (n_samples,), float64."""

    source: np.ndarray
    other: np.ndarray
    partner: str
    waveform_scale: str  # of the mixture, see l2i.features.audio.scale_waveform

    @property
    def is_silent(self) -> bool:
        """Whether the clip is silent, so that it is in no ratio to anything."""
        return not self.source.any()

    def mixed(self, snr_db: float) -> Mixture:
        """The two together, the source `snr_db` above the other.

        Raises
        ------
        InputError
            If the clip is silent, or cancels the other.
        """
        if self.is_silent:
            raise InputError("it is silent, and in no ratio to another sound: leave the clip out")
        ratio = np.square(self.source).sum() / np.square(self.other).sum()
        beside = self.other * np.sqrt(ratio / 10 ** (snr_db / 10))
        both = self.source + beside
        peak = np.abs(both).argmax()
        if both[peak] == 0:
            raise InputError(f"{self.partner} cancels it: leave the clip out")
        scale = scale_waveform(both, self.waveform_scale)[peak] / both[peak]
        source, other = (
            torch.from_numpy((scale * x).astype(np.float32)) for x in (self.source, beside)
        )
        return Mixture(source + other, source, other, self.partner)


def corrupted(fold: Fold, row: int, data: str, *, kind: str, snr_db: float, seed: int) -> Mixture:
    """A test clip of a fold, as long as it is, with another sound.

    Parameters
    ----------
    fold : Fold
        Of a corpus with one class a clip.
    row : int
        The clip.
    data : str
        Folder of corpora.
    kind : {'noise', 'class'}
        White noise, or a test clip of another class, cropped or padded to the length of the clip.
    snr_db : float
        Energy of the clip over that of the other, in dB.
    seed : int

    Raises
    ------
    InputError
        If clips may have several classes, the kind is none of these, no clip of another class
        sounds, or the clip is silent.
    """
    with naming(f"{fold.index['clip'].iloc[row]} of {fold.dataset}, corrupted by {kind}"):
        return pair_of(fold, row, data, kind=kind, seed=seed).mixed(snr_db)


def pair_of(
    fold: Fold,
    row: int,
    data: str,
    *,
    kind: str,
    seed: int,
    clip_seconds: float | None = None,
) -> Pair:
    """A test clip of a fold and what it is corrupted by, for any ratio; see :func:`corrupted`.

    Both are cropped or padded to `clip_seconds`, as for scores, or are as long as the clip is.
    """
    if fold.multi_label:
        raise InputError(
            f"clips of {fold.dataset} have any number of classes, so that none is of another: "
            "corrupt those of a data set with one class a clip"
        )
    source = fold.waveform(data, row, clip_seconds).double().numpy()
    if kind == NOISE:
        noise = random_stream(seed, "corruption", fold.index["clip"].iloc[row], kind)
        return Pair(source, noise.standard_normal(len(source)), "", fold.waveform_scale)
    if kind != OTHER:
        raise InputError(f"{kind} is no kind of corruption: name one of {', '.join(KINDS)}")
    for partner in partners_of(fold, row, seed):
        other = fit_length(fold.waveform(data, partner).double().numpy(), len(source))
        if other.any():
            return Pair(source, other, fold.index["clip"].iloc[partner], fold.waveform_scale)
    raise InputError(
        f"fold {fold.name} of {fold.dataset} tests no clip of another class that sounds: add one, "
        "or set corruption.snr_db to []"
    )


def partners_of(fold: Fold, row: int, seed: int) -> list[int]:
    """Rows of the test clips of other classes, the one that is drawn first."""
    names, labels = fold.index["clip"], fold.index["label"]
    others = [each for each in fold.test_rows if labels.iloc[each] != labels.iloc[row]]
    pair = "corruption", names.iloc[row], OTHER
    return sorted(others, key=lambda each: stream_seed(seed, *pair, names.iloc[each]))
