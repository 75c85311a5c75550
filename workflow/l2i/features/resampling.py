"""Conversion of sample rates in memory that does not depend on the two rates.

torchaudio holds a filter for every phase between the two rates, of which there are as many as
the wanted rate has when they share no factor: gigabytes from 44056 to 44100 Hz. Such rates are
converted with the same filter here, computed for a few output samples at a time.
"""

from __future__ import annotations

from math import gcd

import numpy as np

_LARGEST_FILTER = 2**24  # coefficients that torchaudio may hold, 64 MiB
_ZEROS = 6  # of the sinc on each side, and the roll-off: torchaudio's defaults
_ROLLOFF = 0.99
_WINDOW = 2**20  # coefficients that are held at a time


def resample(x: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    """Convert a waveform (n_samples,), float32, from one rate to another, both in Hz.

    Returns
    -------
    np.ndarray [shape=(ceil(n_samples * sample_rate / rate),), dtype=float32]
    """
    shared = gcd(rate, sample_rate)
    old, new = rate // shared, sample_rate // shared
    if new * (old + 2 * _reach(old, new)) <= _LARGEST_FILTER:
        # Imported here because torch takes seconds to load, and most files need no conversion.
        import torch
        from torchaudio.functional import resample as resample_by_phases

        return resample_by_phases(torch.from_numpy(x), rate, sample_rate).numpy()
    return _resample_point_by_point(x, old, new)


def _reach(old: int, new: int) -> int:
    """Input samples on each side that the filter looks at."""
    return int(np.ceil(_ZEROS * old / (min(old, new) * _ROLLOFF)))


def _resample_point_by_point(x: np.ndarray, old: int, new: int) -> np.ndarray:
    cutoff, reach = min(old, new) * _ROLLOFF, _reach(old, new)
    taps = np.arange(-reach, reach + 2)
    y = np.empty(-(-len(x) * new // old), dtype=np.float32)
    n_points = max(1, _WINDOW // len(taps))
    for start in range(0, len(y), n_points):
        at = np.arange(start, min(start + n_points, len(y)), dtype=np.int64) * old
        near = (at // new)[:, None] + taps
        # Distances in units of the zeros of the sinc, as torchaudio computes them.
        t = np.clip((near * new - at[:, None]) / (old * new) * cutoff, -_ZEROS, _ZEROS)
        weights = np.cos(t * np.pi / _ZEROS / 2) ** 2 * np.sinc(t) * (cutoff / old)
        there = (near >= 0) & (near < len(x))
        heard = x[np.clip(near, 0, len(x) - 1)] * there
        y[start : start + n_points] = np.einsum("nt,nt->n", heard, weights)
    return y
