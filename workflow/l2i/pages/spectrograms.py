"""What is seen of sounds: spectrograms on a log-frequency axis, shares of them, spectra, outlines.

Names and shapes
----------------
x : (n_samples,)         waveform
B : (n_bands, n_bins)    what each band takes of the bins of an STFT; rows add up to 1
W : (n_bins, K), H : (K, n_frames)  dictionary and activations, which masks follow from
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import rfft
from scipy.signal.windows import hann

LOW_HZ = 40.0  # where an axis begins, if the STFT is as fine
RANGE_DB = 80.0  # shown below the loudest
N_PEAKS = 400  # pairs of an outline
FRAMES_AT_ONCE = 2048  # so that long recordings fit into memory
EPS = 1e-12  # as in l2i.interpretation.relevance: the model has no energy below


@dataclass(frozen=True)
class Axis:
    """Frequencies from the bottom to the top of a picture, evenly in octaves."""

    low_hz: float
    high_hz: float


@dataclass(frozen=True)
class Grid:
    """The STFT that sounds are masked in: Hann windows, centred."""

    sample_rate: int
    n_fft: int
    hop_length: int

    @property
    def axis(self) -> Axis:
        """What it shows of the frequencies."""
        return Axis(max(LOW_HZ, self.sample_rate / self.n_fft), self.sample_rate / 2)

    def n_frames(self, n_samples: int) -> int:
        """Number of frames of a waveform."""
        return 1 + n_samples // self.hop_length

    def power(self, x: np.ndarray) -> Iterator[np.ndarray]:
        """Power |S|^2 of a waveform, (n_bins, some frames) at a time."""
        padded = np.pad(x.astype(np.float32, copy=False), self.n_fft // 2)
        frames = sliding_window_view(padded, self.n_fft)[:: self.hop_length]
        window = hann(self.n_fft, sym=False).astype(np.float32)
        for start in range(0, len(frames), FRAMES_AT_ONCE):
            S = rfft(frames[start : start + FRAMES_AT_ONCE] * window, axis=1)
            yield (S.real**2 + S.imag**2).T


@lru_cache(maxsize=16)
def bands_of(grid: Grid, axis: Axis, n_bands: int) -> np.ndarray:
    """Bands of an axis as means of bins, B; between two bins where none lies in the band.

    Bands beyond half the sample rate take nothing.
    """
    hertz = np.arange(grid.n_fft // 2 + 1) * grid.sample_rate / grid.n_fft
    edges = np.geomspace(axis.low_hz, axis.high_hz, n_bands + 1)
    B = np.zeros((n_bands, len(hertz)), np.float32)
    for row, low, high in zip(B, edges, edges[1:], strict=False):
        inside = (hertz >= low) & (hertz < high)
        if inside.any():
            row[inside] = 1 / inside.sum()
        elif (middle := np.sqrt(low * high)) <= hertz[-1]:
            i = int(np.searchsorted(hertz, middle)) - 1
            upper = (middle - hertz[i]) / (hertz[i + 1] - hertz[i])
            row[i : i + 2] = 1 - upper, upper
    return B


def in_columns(blocks: Iterable[np.ndarray], n_frames: int, n_columns: int) -> np.ndarray:
    """Means over time of what comes in blocks (n_bands, some frames): (n_bands, n_columns).

    Frames beyond `n_frames` are left out; where there are fewer frames than columns, each is one.
    """
    n_columns = min(n_columns, n_frames)
    column = np.arange(n_frames) * n_columns // n_frames
    sums, start = np.zeros(0), 0
    for block in blocks:
        here = column[start : start + block.shape[1]]
        if not len(here):
            break
        sums = sums if sums.size else np.zeros((len(block), n_columns))
        firsts = np.flatnonzero(np.diff(here, prepend=-1))
        sums[:, here[firsts]] += np.add.reduceat(block[:, : len(here)], firsts, axis=1)
        start += block.shape[1]
    return sums / np.bincount(column, minlength=n_columns)


def spectrogram(
    x: np.ndarray, grid: Grid, axis: Axis, *, n_rows: int, n_columns: int
) -> np.ndarray:
    """Level of a waveform between 0, `RANGE_DB` below the loudest, and 1: (n_rows, n_columns).

    The first row is the lowest band.
    """
    B = bands_of(grid, axis, n_rows)
    blocks = (B @ power for power in grid.power(x))
    return _below_loudest(in_columns(blocks, grid.n_frames(len(x)), n_columns))


def shares(
    W: np.ndarray,
    H: np.ndarray,
    chosen: Sequence[Sequence[int]],
    grid: Grid,
    axis: Axis,
    *,
    n_rows: int,
    n_columns: int,
) -> np.ndarray:
    """Soft masks W[:, L] H[L] / W H of sets of components, (n_sets, n_rows, n_columns).

    0 where the model has no energy, as nothing is taken from the input there.
    """
    B, n_frames = bands_of(grid, axis, n_rows), H.shape[1]

    def blocks() -> Iterator[np.ndarray]:
        for start in range(0, n_frames, FRAMES_AT_ONCE):
            some = H[:, start : start + FRAMES_AT_ONCE]
            model = np.maximum(W @ some, EPS)
            masks = [B @ (W[:, [*L]] @ some[[*L]] / model) for L in chosen]
            yield np.concatenate(masks)

    found = in_columns(blocks(), n_frames, n_columns)
    return found.reshape(len(chosen), n_rows, -1)


def band_levels(x: np.ndarray, grid: Grid, axis: Axis, n_bands: int) -> np.ndarray:
    """Mean power of a waveform in each band, (n_bands,)."""
    B = bands_of(grid, axis, n_bands)
    sums = sum((power.sum(1, dtype=np.float64) for power in grid.power(x)), np.zeros(B.shape[1]))
    return B @ sums / grid.n_frames(len(x))


def in_percent(power: np.ndarray, loudest: float) -> list[int]:
    """Levels between 0, `RANGE_DB` below the loudest, and 100."""
    return [round(100 * float(level)) for level in _below_loudest(power, loudest)]


def outline(x: np.ndarray) -> list[int]:
    """Least and largest sample, in turns, of at most `N_PEAKS` stretches; percent of the peak."""
    n = min(N_PEAKS, len(x))
    starts = np.arange(n) * len(x) // n
    scale = 100 / max(float(np.abs(x).max()), EPS)
    pairs = zip(np.minimum.reduceat(x, starts), np.maximum.reduceat(x, starts), strict=True)
    return [round(scale * float(value)) for pair in pairs for value in pair]


def _below_loudest(power: np.ndarray, loudest: float | None = None) -> np.ndarray:
    top = float(power.max()) if loudest is None else loudest
    decibel = 10 * np.log10(np.maximum(power, EPS * top) / top) if top else power - RANGE_DB
    return np.clip(1 + decibel / RANGE_DB, 0, 1)
