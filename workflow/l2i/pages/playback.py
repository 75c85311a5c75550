"""Sounds for a browser: their levels, and FLAC that is equally loud wherever it is played.

A sound is stored at `TARGET_LUFS`, or as near as its peak allows, so that any player plays the
sounds of a clip alike. What it lost or gained on the way is known, and the page can give it back.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import soundfile
import torch
from torchaudio.functional import loudness

TARGET_LUFS = -23.0  # EBU R 128
PEAK_DBFS = -1.0  # of what is stored, at most
# Level of compression of FLAC, with blocks of 1152 samples in the place of 4096: Chromium often
# cannot seek within the last blocks of a file. A page takes some 6 % more room by it.
SHORT_BLOCKS = 0.0
LARGEST_CUT = 12.0  # dB: no sound is played softer than this so that another is as loud
BLOCK_SECONDS = 0.4  # of which BS.1770 takes the level
# Far enough below full scale for the filters of BS.1770, which torchaudio clips at it, and far
# enough above the gate at -70 LUFS, which would take a faint sound for none.
MEASURED_PEAK = 0.2


@dataclass(frozen=True)
class Levels:
    """How loud a sound is that is not silent; in dB."""

    peak_dbfs: float
    rms_dbfs: float
    loudness: float  # LUFS; of less than a block, the level in dBFS

    @property
    def stored_gain(self) -> float:
        """What the sound is made louder by where it is stored."""
        return min(TARGET_LUFS - self.loudness, PEAK_DBFS - self.peak_dbfs)

    @property
    def stored_loudness(self) -> float:
        """How loud it is there."""
        return self.loudness + self.stored_gain


def levels_of(x: np.ndarray, rate: int) -> Levels | None:
    """Levels of a waveform (n_samples,) in units of full scale; None for digital silence.

    Loudness is that of ITU-R BS.1770 with its gates, but of the sound at a fixed peak, so that it
    does not depend on the level whether a faint sound counts.
    """
    peak = float(np.abs(x).max(initial=0.0))
    if not peak:
        return None
    scaled = x.astype(np.float64) / peak
    rms = decibel(math.sqrt(float(np.mean(np.square(scaled)))))
    loud = rms
    if len(x) >= BLOCK_SECONDS * rate:
        wave = torch.from_numpy((MEASURED_PEAK * scaled).astype(np.float32))
        gated = float(loudness(wave[None], rate)) - decibel(MEASURED_PEAK)
        loud = gated if math.isfinite(gated) else rms
    level = decibel(peak)
    return Levels(level, level + rms, level + loud)


def to_flac(x: np.ndarray, rate: int, levels: Levels) -> bytes:
    """A waveform as FLAC of 16 bits, at its stored gain.

    That is enough: at the level at which it is stored, rounding lies 69 to 80 dB below the sound,
    and 24 bits would take half as much room again.
    """
    return flac_of(x.astype(np.float64) * from_decibel(levels.stored_gain), rate)


def flac_of(x: np.ndarray, rate: int) -> bytes:
    """A waveform as FLAC of 16 bits, at the level that it has."""
    file = io.BytesIO()
    soundfile.write(file, x, rate, format="FLAC", subtype="PCM_16", compression_level=SHORT_BLOCKS)
    return file.getvalue()


@dataclass(frozen=True)
class Volumes:
    """Volumes of players, 0 to 1, at which the sounds of one clip are compared."""

    loudness: float  # at which all are played that can be
    gain: float  # of all, where each keeps its level

    @classmethod
    def of(cls, sounds: Iterable[Levels]) -> Volumes:
        """For sounds that are compared with each other."""
        sounds = list(sounds)
        softest = min((each.stored_loudness for each in sounds), default=TARGET_LUFS)
        return cls(
            max(softest, TARGET_LUFS - LARGEST_CUT),
            min((each.stored_gain for each in sounds), default=0.0),
        )

    def matched(self, levels: Levels) -> float:
        """For a sound that is to be as loud as the others."""
        return round(min(1.0, from_decibel(self.loudness - levels.stored_loudness)), 5)

    def true(self, levels: Levels) -> float:
        """For a sound that is to be as loud beside the others as it is."""
        return round(min(1.0, from_decibel(self.gain - levels.stored_gain)), 5)


def decibel(ratio: float) -> float:
    """A ratio of amplitudes in dB."""
    return 20 * math.log10(ratio)


def from_decibel(level: float) -> float:
    """The ratio of amplitudes of a level in dB."""
    return float(10 ** (level / 20))
