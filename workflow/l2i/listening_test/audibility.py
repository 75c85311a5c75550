"""Whether a clip can be heard at all, by a rule of the clip alone.

The paper takes clips in which the predicted class is audible, by ear. The recording of a class by
itself is not known, and what a system takes for it must not decide: that would favour this system.
What is left is that the clip itself is loud enough for long enough; that somebody heard the class
in it is what its label says. A contrast to the background cannot be asked for: rain and engines
have none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FRAME_SECONDS = 0.05
SILENCE_DBFS = -120.0  # what digital silence counts as, and all that is fainter


@dataclass(frozen=True)
class ClipLevel:
    """How loud a clip is over time, at the level of its file."""

    frames_dbfs: np.ndarray  # (n_frames,), root mean square of each frame

    @property
    def dbfs(self) -> float:
        """Root mean square of the whole clip, in dB re full scale."""
        return _decibel(float(np.mean(10 ** (self.frames_dbfs / 10))))

    @property
    def contrast_db(self) -> float:
        """By how much the loud moments stand above the quiet ones: 95th over 10th percentile."""
        low, high = np.percentile(self.frames_dbfs, [10, 95])
        return float(high - low)

    def seconds_above(self, floor_dbfs: float) -> float:
        """How long the clip is at least that loud, in sum."""
        return FRAME_SECONDS * int((self.frames_dbfs >= floor_dbfs).sum())


@dataclass(frozen=True)
class Audible:
    """The rule: so long, in sum, a clip must be at least so loud."""

    floor_dbfs: float
    seconds: float

    def __call__(self, level: ClipLevel) -> bool:
        """Whether a clip of this level can be heard."""
        # Frames are counted, so that rounding of their length decides nothing.
        needed = max(1, round(self.seconds / FRAME_SECONDS))
        return int((level.frames_dbfs >= self.floor_dbfs).sum()) >= needed


def level_of(x: np.ndarray, rate: int) -> ClipLevel:
    """Level of a waveform (n_samples,) in units of full scale, at `rate` Hz.

    Frames lie side by side; samples at the end that fill none belong to the last one.
    """
    n = max(1, round(FRAME_SECONDS * rate))
    starts = np.arange(max(len(x) // n, 1)) * n
    power = np.square(x.astype(np.float64)) if len(x) else np.zeros(1)
    sums = np.add.reduceat(power, starts)
    counts = np.diff([*starts, len(power)])
    return ClipLevel(np.array([_decibel(each) for each in sums / counts]))


def _decibel(power: float) -> float:
    faintest = 10 ** (SILENCE_DBFS / 10)
    return 10 * float(np.log10(max(power, faintest)))
