"""Sounds that code can make, easy to tell apart, and what they are made of.

Only uniform numbers are drawn, the most stable stream of NumPy's generators.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence


def generator(*key: int) -> Generator:
    """Return the source of random numbers that belongs to `key` and to nothing else."""
    return Generator(PCG64(SeedSequence(key)))


def log_uniform(rng: Generator, low: float, high: float) -> float:
    """Draw a number between `low` and `high`, uniform on a logarithmic scale."""
    return low * (high / low) ** rng.random()


def onset_times(rng: Generator, n: int, total: float, duration: float) -> np.ndarray:
    """Return `n` onsets, one in each of `n` equal stretches, that leave room for the event."""
    stretch = total / n
    return (np.arange(n) + rng.random(n) * max(0.0, 1 - duration / stretch)) * stretch


def steady_tone(t: np.ndarray, rng: Generator) -> np.ndarray:
    """One tone of constant pitch, 500 to 1200 Hz, between soft ramps."""
    begin, end = rng.uniform(0.0, 0.2), rng.uniform(0.7, 1.0)
    gate = np.clip(np.minimum(t - begin * t[-1], end * t[-1] - t) / 0.02, 0, 1)
    return gate * np.sin(2 * np.pi * log_uniform(rng, 500, 1200) * t)


def chirp(t: np.ndarray, rng: Generator) -> np.ndarray:
    """Two to four exponential sweeps over two octaves, all up or all down."""
    low, duration = log_uniform(rng, 400, 1500), rng.uniform(0.2, 0.35)
    direction = 1 if rng.random() < 0.5 else -1
    x = np.zeros_like(t)
    for onset in onset_times(rng, 2 + int(3 * rng.random()), t[-1], duration):
        u = (t - onset) / duration
        rate = direction * 2 * np.log(2)
        start = low if direction == 1 else 4 * low
        phase = 2 * np.pi * start * duration * np.expm1(rate * u.clip(0, 1)) / rate
        x += np.where((u > 0) & (u < 1), np.sin(phase) * np.sin(np.pi * u.clip(0, 1)), 0)
    return x


def knock(t: np.ndarray, rng: Generator) -> np.ndarray:
    """Four to eight damped strokes of a low resonance, 120 to 350 Hz, in a steady rhythm."""
    pitch, damping = log_uniform(rng, 120, 350), rng.uniform(0.015, 0.035)
    n_strokes = 4 + int(5 * rng.random())
    onsets = rng.uniform(0.02, 0.08) * t[-1] + np.arange(n_strokes) * 0.9 * t[-1] / n_strokes
    noise = rng.random(len(t)) - 0.5
    x = np.zeros_like(t)
    for onset in onsets:
        u = (t - onset).clip(0)
        stroke = np.sin(2 * np.pi * pitch * u) * np.exp(-u / damping)
        x += np.where(t > onset, stroke + noise * np.exp(-u / 0.003), 0)
    return x


def noise_burst(t: np.ndarray, rng: Generator) -> np.ndarray:
    """Two to four bursts of noise, a band of two octaves around 3 to 6 kHz."""
    centre, duration = log_uniform(rng, 3000, 6000), rng.uniform(0.15, 0.3)
    noise = band_noise(len(t), t[1], rng, centre, 0.8)
    x = np.zeros_like(t)
    for onset in onset_times(rng, 2 + int(3 * rng.random()), t[-1], duration):
        x += noise * np.sin(np.pi * ((t - onset) / duration).clip(0, 1)) ** 2
    return x


def harmonic_note(t: np.ndarray, rng: Generator) -> np.ndarray:
    """Two to four plucked notes of eight harmonics, fundamentals of 110 to 440 Hz."""
    x = np.zeros_like(t)
    for onset in onset_times(rng, 2 + int(3 * rng.random()), t[-1], 0.4):
        pitch, decay = log_uniform(rng, 110, 440), rng.uniform(0.3, 0.5)
        u = (t - onset).clip(0)
        envelope = np.exp(-u / decay) * (u / 0.005).clip(0, 1)
        x += envelope * sum(np.sin(2 * np.pi * k * pitch * u) / k for k in range(1, 9))
    return x


def harmonics(phase: np.ndarray, strengths: Sequence[float]) -> np.ndarray:
    """Return a tone of the given phase in radians (n_samples,) with overtones.

    strengths[k - 1] is the amplitude of sin(k phase).
    """
    # sin((k + 1) p) = 2 cos(p) sin(k p) - sin((k - 1) p): two sines do for all overtones.
    twice_cosine, before, now = 2 * np.cos(phase), np.zeros_like(phase), np.sin(phase)
    total = strengths[0] * now
    for strength in strengths[1:]:
        before, now = now, twice_cosine * now - before
        if strength:
            total += strength * now
    return total


def band_noise(
    n_samples: int, step: float, rng: Generator, centre: float, octaves: float
) -> np.ndarray:
    """Return noise around `centre` (Hz) whose spectrum falls to 1/e `octaves` to either side."""
    spectrum = np.fft.rfft(rng.random(n_samples) - 0.5)
    distance = np.log2(np.fft.rfftfreq(n_samples, step).clip(1) / centre)
    return np.fft.irfft(spectrum * np.exp(-((distance / octaves) ** 2)), n_samples)


def unit(x: np.ndarray) -> np.ndarray:
    """Scale a waveform of any shape so that its largest absolute value is 1."""
    return x / np.abs(x).max()
