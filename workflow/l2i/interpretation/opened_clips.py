"""Clips of an occasion, opened for whatever interprets them: sound, classes, what was planted."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor

from l2i.checks import REMAKE, InputError
from l2i.datasets.corruption import NOISE, corrupted
from l2i.datasets.fold import Fold
from l2i.features.audio import read_audio
from l2i.interpretation.listening import Clip, Planted
from l2i.interpretation.occasions import Corruption, Entry
from l2i.networks.explainable import Explainable


@dataclass(frozen=True)
class Opened:
    """A clip of an occasion, ready to be interpreted."""

    clip: Clip
    targets: tuple[int, ...]  # classes that it is interpreted for; none: those that are decided on

    def targets_of(self, classifier: Explainable, logits: Tensor) -> dict[int, bool]:
        """Classes to interpret, and whether logits (1, C) decide for them.

        Where the occasion names none, those that they decide for; the most probable one where there
        is none.
        """
        decided = classifier.decisions(logits)[0].nonzero()[:, 0].tolist()
        if self.targets:
            return {target: target in decided for target in self.targets}
        return dict.fromkeys(decided, True) or {int(logits.argmax()): False}


def open_entry(fold: Fold, entry: Entry, data: str) -> Opened:
    """A clip of an occasion, from the audio files below the data folder.

    Raises
    ------
    InputError
        If it is no test clip of the fold, one of its classes is none of the fold, or it cannot be
        mixed.
    """
    row, targets = row_of(fold, entry.clip), targets_in(fold, entry)
    clip = open_clip(fold, row, data)
    if entry.corruption is not None:
        clip = in_company(fold, row, data, clip, entry.corruption)
    return Opened(clip, targets)


def row_of(fold: Fold, name: str) -> int:
    """The row of a test clip."""
    rows = [row for row in fold.test_rows if fold.index["clip"].iloc[row] == name]
    if not rows:
        raise InputError(
            f"{name} is no test clip of {fold.dataset}, fold {fold.name}, but its list of clips to "
            f"interpret has it: to have that list made anew, {REMAKE}"
        )
    return int(rows[0])


def targets_in(fold: Fold, entry: Entry) -> tuple[int, ...]:
    """The numbers of the classes of an entry."""
    unknown = [name for name in entry.classes if name not in fold.classes]
    if unknown:
        raise InputError(
            f"{entry.clip} is to be interpreted for {', '.join(unknown)}, which {fold.dataset} has "
            f"not among its classes: to have the list of clips made anew, {REMAKE}"
        )
    return tuple(fold.classes.index(name) for name in entry.classes)


def open_clip(fold: Fold, row: int, data: str) -> Clip:
    """A clip of a fold, as long as its file below the data folder, or as its piece of that."""
    rate, span = fold.front_end.sample_rate, fold.span(row)
    path = Path(data) / fold.dataset / fold.index["path"].iloc[row]
    waveform = fold.waveform(data, row)
    peak = float(waveform.abs().max())
    labels, absent = labels_of(fold, row)
    return Clip(
        name=fold.index["clip"].iloc[row],
        labels=labels,
        absent=absent,
        waveform=waveform,
        gain=float(np.abs(read_audio(path, sample_rate=rate, span=span)).max()) / peak
        if peak
        else 1.0,
        sample_rate=rate,
    )


def labels_of(fold: Fold, row: int) -> tuple[list[str], list[str]]:
    """Classes that are known to be in a clip, and those that are known not to be."""
    known = dict(zip(fold.classes, fold.targets([row])[0].tolist(), strict=True))
    there, absent = ([name for name in known if known[name] == value] for value in (1, 0))
    return there, absent


def in_company(fold: Fold, row: int, data: str, clip: Clip, corruption: Corruption) -> Clip:
    """A clip with another sound; what it was planted for keeps the level of its file."""
    mixture = corrupted(fold, row, data, **asdict(corruption))
    gain = clip.gain * float(clip.waveform.abs().max()) / float(mixture.source.abs().max())
    partner = mixture.partner
    of_partner = labels_of(fold, row_of(fold, partner))[0] if partner else []
    labels = list(dict.fromkeys([*clip.labels, *of_partner]))
    return replace(
        clip,
        name=called(clip.name, corruption, partner),
        labels=labels,
        absent=[name for name in clip.absent if name not in labels],
        waveform=mixture.waveform,
        gain=gain,
        corruption=asdict(corruption),
        planted=(
            Planted("source", gain * mixture.source.numpy(), clip.labels, clip.name),
            Planted("other", gain * mixture.other.numpy(), of_partner, partner),
        ),
    )


def called(clip: str, corruption: Corruption, partner: str) -> str:
    """What a mixture is called: "1-100032-A-0 with white noise at 0 dB"."""
    other = "white noise" if corruption.kind == NOISE else partner
    return f"{clip} with {other} at {corruption.snr_db:g} dB"
