"""Features against librosa: time a clip, and how far apart the numbers are."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

import librosa
import numpy as np
import torch
from parts import Given
from rows import Row, at_most, faster

from l2i.features.cache import BATCH, compute_features, load_waveform
from l2i.features.spectral import FrontEnd, log_magnitude

N_SAMPLES = 220_500  # 5 s at 44.1 kHz
N_CLIPS = 64
N_TIMES = 9  # best of, taken in turns


def measure(given: Given) -> list[Row]:
    """Log-magnitude and log-mel of decoded clips: ours in batches, librosa's clip by clip.

    Each recording is cropped or padded to 5 s.
    """
    paths, n_times = given.clips(N_CLIPS), 1 if given.tiny else N_TIMES
    clips = np.stack(
        [
            load_waveform(path, sample_rate=44_100, scale="absolute", n_samples=N_SAMPLES)
            for path in paths
        ]
    )
    rows = []
    for mel_power, depth in ((1, 40.0), (2, 70.0)):
        front_end = FrontEnd(44_100, 1024, 512, 128, mel_power)
        batches = torch.from_numpy(clips).split(BATCH)
        ours, theirs = _fastest(
            partial(_apply, partial(compute_features, front_end), batches),
            partial(_apply, partial(librosa_features, mel_power=mel_power), clips),
            n_times=n_times,
        )
        name = f"features, mel power {mel_power}: time a clip"
        per_clip = 1e3 / len(clips)
        rows.append(faster(name, "ms", ours * per_clip, theirs * per_clip, bar=2))
        rows.extend(_deviations(front_end, clips, depth))
    return rows


def librosa_features(clip: np.ndarray, mel_power: int) -> tuple[np.ndarray, np.ndarray]:
    """The same two features as librosa computes them."""
    S = np.abs(librosa.stft(clip, n_fft=1024, hop_length=512, pad_mode="reflect"))
    mel = librosa.feature.melspectrogram(S=S**mel_power, sr=44_100, n_fft=1024, n_mels=128)
    return np.log1p(S), librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=80.0).T


def _deviations(front_end: FrontEnd, clips: np.ndarray, depth: float) -> list[Row]:
    """Largest differences to librosa: of log(1+|S|), and in dB within `depth` of the maximum."""
    worst_log, worst_decibel = 0.0, 0.0
    for clip in clips:
        S = front_end.stft(torch.from_numpy(clip))
        X, M = log_magnitude(S).numpy(), front_end.log_mel(S).numpy()
        X_theirs, M_theirs = librosa_features(clip, front_end.mel_power)
        audible = M_theirs > M_theirs.max() - depth
        worst_log = max(worst_log, float(np.abs(X - X_theirs).max()))
        worst_decibel = max(worst_decibel, float(np.abs(M - M_theirs)[audible].max()))
    name = f"features, mel power {front_end.mel_power}: largest difference"
    return [
        at_most(f"{name} of log(1+S)", "", worst_log, 1e-4),
        at_most(f"{name} within {depth:g} dB", "dB", worst_decibel, 2e-3),
    ]


def _apply(function: Callable[..., object], items: Iterable[object]) -> None:
    """Compute and let go, one after another: in use, features are written and forgotten."""
    deque(map(function, items), maxlen=0)


def _fastest(*functions: Callable[[], object], n_times: int) -> list[float]:
    """Shortest time of each function in seconds, taken in turns.

    Each timed pass follows an untimed one of the same function: what the other has left in caches
    and in the allocator would be measured otherwise.
    """
    best = [float("inf")] * len(functions)
    for _ in range(n_times):
        for i, function in enumerate(functions):
            function()
            start = time.perf_counter()
            function()
            best[i] = min(best[i], time.perf_counter() - start)
    return best
