"""Sounds of a street that code can make: one kind for each coarse class of SONYC-UST.

Each takes the time in seconds (n_samples,) and a source of uniform numbers, and gives a waveform
whose largest absolute value is about 1.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from l2i.synthetic.sounds import band_noise, harmonics, log_uniform, onset_times, unit


def engine(t: np.ndarray, rng: Generator) -> np.ndarray:
    """A low hum of 45 to 80 Hz with twelve harmonics that throbs, and some rumble."""
    pitch = log_uniform(rng, 45, 80)
    throb = 1 + 0.3 * np.sin(2 * np.pi * pitch / 4 * t)
    hum = harmonics(2 * np.pi * pitch * t, [1 / k**0.5 for k in range(1, 13)])
    return unit(throb * hum) + 0.3 * unit(band_noise(len(t), t[1], rng, 120, 1.0))


def machinery_impact(t: np.ndarray, rng: Generator) -> np.ndarray:
    """A jackhammer: 9 to 16 clanging strokes a second without a pause."""
    interval, ring = 1 / log_uniform(rng, 9, 16), log_uniform(rng, 1100, 1700)
    u = np.mod(t + rng.random() * interval, interval)
    clang = np.sin(2 * np.pi * ring * u) + 0.7 * np.sin(2 * np.pi * 2.4 * ring * u)
    return unit(clang * np.exp(-u / 0.012) + (rng.random(len(t)) - 0.5) * np.exp(-u / 0.004))


def non_machinery_impact(t: np.ndarray, rng: Generator) -> np.ndarray:
    """One to three heavy thuds, 90 to 180 Hz, each with a crack of noise."""
    x, pitch = np.zeros_like(t), log_uniform(rng, 90, 180)
    noise = rng.random(len(t)) - 0.5
    for onset in onset_times(rng, 1 + int(3 * rng.random()), t[-1], 0.3):
        u = (t - onset).clip(0)
        thud = np.sin(2 * np.pi * pitch * u) * np.exp(-u / 0.08) + noise * np.exp(-u / 0.02)
        x += np.where(t > onset, thud, 0)
    return unit(x)


def powered_saw(t: np.ndarray, rng: Generator) -> np.ndarray:
    """A whine of 2.2 to 3.2 kHz with overtones whose pitch sags, and hiss around 7 kHz."""
    pitch, begin = log_uniform(rng, 2200, 3200), rng.uniform(0.0, 0.3) * t[-1]
    phase = 2 * np.pi * pitch * (t + 0.01 * np.sin(2 * np.pi * rng.uniform(0.5, 1.2) * t))
    gate = ((t - begin) / 0.1).clip(0, 1)
    hiss = unit(band_noise(len(t), t[1], rng, 7000, 0.5))
    return gate * (unit(harmonics(phase, [1, 0.6, 0.4])) + 0.5 * hiss)


def alert_signal(t: np.ndarray, rng: Generator) -> np.ndarray:
    """A siren whose pitch rises and falls between 600 and 1400 Hz, once or twice a second."""
    rate, start = rng.uniform(0.8, 2.0), rng.random()
    octaves = 0.6 * np.sin(2 * np.pi * (rate * t + start))
    phase = 2 * np.pi * np.cumsum(917 * 2**octaves) * t[1]
    return unit(harmonics(phase, [1, 0, 0.3]))


def music(t: np.ndarray, rng: Generator) -> np.ndarray:
    """Six plucked notes of a pentatonic scale above 260 to 350 Hz."""
    x, root = np.zeros_like(t), log_uniform(rng, 260, 350)
    for onset in onset_times(rng, 6, t[-1], 0.35):
        u = (t - onset).clip(0)
        pitch = root * 2 ** ([0, 2, 4, 7, 9][int(5 * rng.random())] / 12)
        envelope = (u / 0.01).clip(0, 1) * np.exp(-u / 0.25)
        x += envelope * harmonics(2 * np.pi * pitch * u, [1, 0.5, 0.33, 0.25, 0.2])
    return unit(x)


def human_voice(t: np.ndarray, rng: Generator) -> np.ndarray:
    """A voice of 110 to 200 Hz with three formants, four to six syllables a second."""
    pitch = log_uniform(rng, 110, 200)
    vowel = np.array([rng.uniform(550, 800), rng.uniform(1050, 1500), 2600.0])
    hertz = pitch * np.arange(1, 25)
    strength = np.exp(-(((hertz[:, None] - vowel) / (0.12 * vowel)) ** 2)).sum(axis=1) + 0.02
    glide = 0.008 * np.sin(2 * np.pi * rng.uniform(0.8, 1.5) * t)
    syllables = np.sin(np.pi * rng.uniform(4, 6) * t + np.pi * rng.random()) ** 2
    return unit(syllables * harmonics(2 * np.pi * pitch * (t + glide), strength))


def dog(t: np.ndarray, rng: Generator) -> np.ndarray:
    """Three to five barks: bursts of 0.15 s that fall from 700 to 1000 Hz by half an octave."""
    x, pitch = np.zeros_like(t), log_uniform(rng, 700, 1000)
    noise = rng.random(len(t)) - 0.5
    for onset in onset_times(rng, 3 + int(3 * rng.random()), t[-1], 0.2):
        u = (t - onset).clip(0, 0.15)
        phase = 2 * np.pi * pitch * (u - 1.6 * u**2)
        bark = harmonics(phase, [1, 0.9, 0.7, 0.5]) + noise
        x += bark * np.sin(np.pi * (u / 0.15))
    return unit(x)


# in the order of the taxonomy
KINDS = {
    "engine": engine,
    "machinery-impact": machinery_impact,
    "non-machinery-impact": non_machinery_impact,
    "powered-saw": powered_saw,
    "alert-signal": alert_signal,
    "music": music,
    "human-voice": human_voice,
    "dog": dog,
}
