"""Instruments that code can play: one timbre for each class of OpenMIC-2018.

They are told apart by register, strengths of overtones and envelope, as the real ones are; beyond
that they do not sound like them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from l2i.synthetic.sounds import band_noise, harmonics, log_uniform, onset_times, unit

SUSTAINED = 30.0  # decays so slowly that a note stays as loud as it was
SAW = tuple(1 / k for k in range(1, 13))


@dataclass(frozen=True)
class Timbre:
    """What a pitched instrument sounds like.

    Attributes
    ----------
    low, high : float
        Range of fundamentals in Hz.
    strengths : tuple of float
        Amplitudes of the harmonics.
    attack, decay : float
        Time constants of a note in seconds.
    vibrato : float
        Rate in Hz of a swing of the pitch; 0 for none.
    tremolo : float
        Rate in Hz of a swing of the level; 0 for none.
    breath : float
        Level of noise around the third harmonic.
    """

    low: float
    high: float
    strengths: tuple[float, ...]
    attack: float
    decay: float = SUSTAINED
    vibrato: float = 0.0
    tremolo: float = 0.0
    breath: float = 0.0


TIMBRES = {
    "accordion": Timbre(300, 420, (1, 0.8, 0.6, 0.6, 0.5, 0.4, 0.3, 0.3), 0.08, tremolo=7),
    "banjo": Timbre(330, 500, (1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.4, 0.4), 0.002, 0.08),
    "bass": Timbre(42, 75, (1, 0.6, 0.3, 0.1), 0.01, 0.6),
    "cello": Timbre(90, 140, SAW, 0.12, vibrato=5),
    "clarinet": Timbre(160, 280, (1, 0, 0.7, 0, 0.5, 0, 0.3, 0, 0.2), 0.05),
    "flute": Timbre(800, 1200, (1, 0.15, 0.05), 0.06, vibrato=5, breath=0.15),
    "guitar": Timbre(110, 200, SAW[:10], 0.004, 0.4),
    "mallet_percussion": Timbre(1000, 1600, (1, 0, 0, 0.4, 0, 0, 0, 0, 0.15), 0.002, 0.15),
    "mandolin": Timbre(550, 800, (1, 0.8, 0.5, 0.6, 0.4, 0.3), 0.003, tremolo=13),
    "organ": Timbre(200, 330, (1, 1, 0, 1, 0, 0, 0, 1), 0.03),
    "piano": Timbre(260, 520, (1, 0.5, 0.3, 0.15, 0.08), 0.005, 0.5),
    "saxophone": Timbre(180, 330, (0.5, 1, 0.9, 0.5, 0.8, 0.5), 0.05, vibrato=5, breath=0.1),
    "synthesizer": Timbre(100, 160, (0.5,) * 24, 0.01),
    "trombone": Timbre(80, 130, (0.7, 1, 1, 0.8, 0.6, 0.4, 0.2), 0.1),
    "trumpet": Timbre(350, 600, (0.5, 0.8, 1, 1, 0.9, 0.7, 0.5, 0.4, 0.3), 0.03),
    "ukulele": Timbre(400, 600, (1, 0.3, 0.1), 0.004, 0.15),
    "violin": Timbre(500, 900, SAW, 0.1, vibrato=6),
    "voice": Timbre(
        *(150, 260, (0.5, 0.9, 1, 0.7, 0.3, 0.3, 0.6, 0.5, 0.2, 0.1, 0.1, 0.3, 0.3), 0.05),
        vibrato=5,
        tremolo=4,
    ),
}
INSTRUMENTS = tuple(sorted([*TIMBRES, "cymbals", "drums"]))


def play(instrument: str, t: np.ndarray, rng: Generator) -> np.ndarray:
    """Play for the length of `t` (seconds); the largest absolute value of the waveform is 1.

    Pitched instruments play two to four notes without a pause, drums and cymbals a few strokes.
    """
    if instrument == "drums":
        return unit(_drums(t, rng))
    if instrument == "cymbals":
        return unit(_cymbals(t, rng))
    timbre, n_notes = TIMBRES[instrument], 2 + int(3 * rng.random())
    notes = [_note(timbre, part - part[0], rng) for part in np.array_split(t, n_notes)]
    return unit(np.concatenate(notes))


def _note(timbre: Timbre, t: np.ndarray, rng: Generator) -> np.ndarray:
    pitch = log_uniform(rng, timbre.low, timbre.high)
    swing: float | np.ndarray = 0.0
    if timbre.vibrato:  # a swing of 1.5 % to either side
        swing = 0.015 / (2 * np.pi * timbre.vibrato) * np.sin(2 * np.pi * timbre.vibrato * t)
    x = unit(harmonics(2 * np.pi * pitch * (t + swing), timbre.strengths))
    if timbre.breath:
        x += timbre.breath * unit(band_noise(len(t), t[1], rng, 3 * pitch, 1.0))
    if timbre.tremolo:
        x *= 0.55 + 0.45 * np.cos(2 * np.pi * timbre.tremolo * t)
    edges = np.minimum(t / timbre.attack, (t[-1] - t) / 0.01).clip(0, 1)
    return x * edges * np.exp(-t / timbre.decay)


def _drums(t: np.ndarray, rng: Generator) -> np.ndarray:
    """Four to six strokes, low and noisy by turns."""
    x, pitch = np.zeros_like(t), log_uniform(rng, 55, 85)
    snare = unit(band_noise(len(t), t[1], rng, 2500, 0.7))
    for k, onset in enumerate(onset_times(rng, 4 + int(3 * rng.random()), t[-1], 0.25)):
        u = (t - onset).clip(0)
        low = np.sin(2 * np.pi * pitch * (u + 0.02 * (1 - np.exp(-u / 0.02))))
        x += (t > onset) * np.exp(-u / 0.08) * (snare if k % 2 else low)
    return x


def _cymbals(t: np.ndarray, rng: Generator) -> np.ndarray:
    """Two to four strokes of bright noise, 6 to 14 kHz, that fade within a second."""
    noise = band_noise(len(t), t[1], rng, log_uniform(rng, 8000, 11_000), 0.4)
    x = np.zeros_like(t)
    for onset in onset_times(rng, 2 + int(3 * rng.random()), t[-1], 0.3):
        x += (t > onset) * np.exp(-(t - onset).clip(0) / 0.3)
    return x * noise
