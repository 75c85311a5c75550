"""What is played of a stimulus: the clip, and of each system what it takes for the class in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l2i.checks import REMAKE, InputError
from l2i.features.audio import decode, to_mono
from l2i.names import file_name
from l2i.pages.interpreted import Interpretation, samples_of
from l2i.pages.playback import TARGET_LUFS, Volumes, decibel, from_decibel, levels_of

INPUT = "input"
LEVEL_SECONDS = 4.0  # of the sound by which the volume is set


@dataclass(frozen=True)
class StimulusSounds:
    """The sounds of one stimulus as they are played: of one length and rate, equally loud.

    Loudness is matched since the louder of two sounds would else be liked better, whatever it is
    of. What cannot be brought there below full scale is as near as it can be: `mismatch_db`.
    """

    clip: str
    target: str  # its class
    rate: int  # Hz
    played: Mapping[str, np.ndarray]  # input and each system -> (n_samples,), at most 1
    mismatch_db: float  # by how much the loudest is louder than the softest that is not silent

    @property
    def silent(self) -> list[str]:
        """Systems of which there is nothing to hear."""
        return [name for name, x in self.played.items() if name != INPUT and not x.any()]

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.played[INPUT]) / self.rate

    @property
    def sha256(self) -> str:
        """Of all that is played, as 16 bits."""
        digest = hashlib.sha256()
        for name in sorted(self.played):
            digest.update(f"{name} {self.rate} {len(self.played[name])}\n".encode())
            digest.update(np.round(32767 * self.played[name]).astype("<i2").tobytes())
        return digest.hexdigest()


def open_sounds(folders: Mapping[str, Path], clip: str, target: str) -> StimulusSounds:
    """The sounds of a clip that was interpreted for a class.

    Parameters
    ----------
    folders : mapping
        System -> its folder of interpretations, as in l2i.interpretation.listening.
    clip, target : str

    Raises
    ------
    InputError
        If a folder does not hold it, or holds another clip of that name.
    """
    sounds: dict[str, np.ndarray] = {}
    rates = set()
    for system, folder in folders.items():
        of_clip = folder / file_name(clip)
        interpretation = Interpretation(of_clip / file_name(target))
        x, rate = decode(of_clip / "input.wav")
        heard = samples_of(interpretation.folder, interpretation.sounds["interpretation"])
        rates.add(rate)
        x = to_mono(x)
        if len(rates) > 1 or len(x) != len(heard) or not _same(sounds.setdefault(INPUT, x), x):
            raise InputError(
                f"{of_clip} does not hold the clip and its interpretation at one rate and of one "
                f"length, as other systems have them; {REMAKE}"
            )
        sounds[system] = heard
    played, mismatch = equally_loud(sounds, rates.pop())
    return StimulusSounds(clip, target, rate, played, mismatch)


def _same(x: np.ndarray, y: np.ndarray) -> bool:
    return np.array_equal(x, y)


def equally_loud(
    sounds: Mapping[str, np.ndarray], rate: int
) -> tuple[dict[str, np.ndarray], float]:
    """The sounds at one loudness, as the listening page plays them; and what is missing to that.

    That is -23 LUFS, or what the softest of them reaches below full scale, but no sound is played
    more than 12 dB softer for it. Digital silence stays what it is.
    """
    levels = {name: found for name, x in sounds.items() if (found := levels_of(x, rate))}
    volumes = Volumes.of(levels.values())
    gains = {
        name: each.stored_gain + decibel(volumes.matched(each)) for name, each in levels.items()
    }
    loudness = [levels[name].loudness + gain for name, gain in gains.items()]
    played = {
        name: x.astype(np.float64) * from_decibel(gains.get(name, 0.0))
        for name, x in sounds.items()
    }
    return played, round(max(loudness) - min(loudness), 2) if loudness else 0.0


def level_sound(rate: int) -> np.ndarray:
    """Pink noise by which participants set their volume: no sound of the test is louder.

    Always the same, (n_samples,).
    """
    n = round(LEVEL_SECONDS * rate)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(n))
    hertz = np.fft.rfftfreq(n, 1 / rate)
    spectrum *= np.where(hertz >= 50, 1 / np.sqrt(np.maximum(hertz, 50)), 0)
    x = np.fft.irfft(spectrum, n)
    x /= np.abs(x).max()
    levels = levels_of(x, rate)
    assert levels is not None  # noise is not silent
    fade = np.minimum(1, np.arange(n) / (0.05 * rate))
    return x * fade * fade[::-1] * from_decibel(TARGET_LUFS - levels.loudness)
