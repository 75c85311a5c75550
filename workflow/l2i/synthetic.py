"""A synthetic corpus in the genuine layout of ESC-50: five kinds of sound, easy to tell apart.

Clips of one kind differ in pitch, onset, number and level of their events. The archive is the
same to the last byte wherever it is made, so that its hash can be pinned like a genuine one.
"""

from __future__ import annotations

import csv
import hashlib
import io
import wave
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence

from l2i.data.esc50 import COLUMNS
from l2i.fingerprints import file_sha256

BACKGROUND = 0.01  # noise at -40 dB below the loudest event
QUIET_PEAK = 700 / 32_768  # the quietest genuine clips peak near -33 dB
README = "Synthetic sounds in the layout of ESC-50, made by code. None of them is a recording.\n"


def steady_tone(t: np.ndarray, rng: Generator) -> np.ndarray:
    """One tone of constant pitch, 500 to 1200 Hz, between soft ramps."""
    begin, end = rng.uniform(0.0, 0.2), rng.uniform(0.7, 1.0)
    gate = np.clip(np.minimum(t - begin * t[-1], end * t[-1] - t) / 0.02, 0, 1)
    return gate * np.sin(2 * np.pi * _log_uniform(rng, 500, 1200) * t)


def chirp(t: np.ndarray, rng: Generator) -> np.ndarray:
    """Two to four exponential sweeps over two octaves, all up or all down."""
    low, duration = _log_uniform(rng, 400, 1500), rng.uniform(0.2, 0.35)
    direction = 1 if rng.random() < 0.5 else -1
    x = np.zeros_like(t)
    for onset in _onsets(rng, 2 + int(3 * rng.random()), t[-1], duration):
        u = (t - onset) / duration
        rate = direction * 2 * np.log(2)
        start = low if direction == 1 else 4 * low
        phase = 2 * np.pi * start * duration * np.expm1(rate * u.clip(0, 1)) / rate
        x += np.where((u > 0) & (u < 1), np.sin(phase) * np.sin(np.pi * u.clip(0, 1)), 0)
    return x


def knock(t: np.ndarray, rng: Generator) -> np.ndarray:
    """Four to eight damped strokes of a low resonance, 120 to 350 Hz, in a steady rhythm."""
    pitch, damping = _log_uniform(rng, 120, 350), rng.uniform(0.015, 0.035)
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
    centre, duration = _log_uniform(rng, 3000, 6000), rng.uniform(0.15, 0.3)
    spectrum = np.fft.rfft(rng.random(len(t)) - 0.5)
    octaves = np.log2(np.fft.rfftfreq(len(t), t[1]).clip(1) / centre)
    noise = np.fft.irfft(spectrum * np.exp(-((octaves / 0.8) ** 2)), len(t))
    x = np.zeros_like(t)
    for onset in _onsets(rng, 2 + int(3 * rng.random()), t[-1], duration):
        x += noise * np.sin(np.pi * ((t - onset) / duration).clip(0, 1)) ** 2
    return x


def harmonic_note(t: np.ndarray, rng: Generator) -> np.ndarray:
    """Two to four plucked notes of eight harmonics, fundamentals of 110 to 440 Hz."""
    x = np.zeros_like(t)
    for onset in _onsets(rng, 2 + int(3 * rng.random()), t[-1], 0.4):
        pitch, decay = _log_uniform(rng, 110, 440), rng.uniform(0.3, 0.5)
        u = (t - onset).clip(0)
        envelope = np.exp(-u / decay) * (u / 0.005).clip(0, 1)
        x += envelope * sum(np.sin(2 * np.pi * k * pitch * u) / k for k in range(1, 9))
    return x


# kind: (target, whether the csv counts it to ESC-10, sound); targets leave gaps like ESC-10's
KINDS = {
    "steady_tone": (1, True, steady_tone),
    "chirp": (10, True, chirp),
    "knock": (12, True, knock),
    "noise_burst": (30, False, noise_burst),
    "harmonic_note": (46, False, harmonic_note),
}


def write_esc50_archive(
    path: str | Path,
    *,
    n_folds: int,
    classes: Sequence[str],
    n_clips_per_fold_and_class: int,
    clip_seconds: float,
    sample_rate: int,
    seed: int,
) -> dict:
    """Write a zip in the layout of ESC-50's release; equal arguments give equal bytes.

    The first clip of the last class and fold is very quiet, the first clip of the first class
    and fold ends with exact zeros over 40 % of its length: both are common in ESC-50.

    Parameters
    ----------
    path : str or Path
    n_folds : int
        1 to 5.
    classes : sequence of str
        Names out of `KINDS`.
    n_clips_per_fold_and_class : int
    clip_seconds : float
        At least 1.
    sample_rate : int
        In Hz; the sounds reach to 15 kHz.
    seed : int

    Returns
    -------
    dict
        The facts by which a configuration pins the archive: size_bytes, sha256, csv_sha256,
        n_clips, n_clips_per_fold_and_class, n_samples.
    """
    n_samples = round(clip_seconds * sample_rate)
    rows, clips = [], {}
    for fold in range(1, n_folds + 1):
        for kind in classes:
            for i in range(n_clips_per_fold_and_class):
                row = _row(fold, kind, i)
                rng = Generator(PCG64(SeedSequence([seed, fold, row["target"], i])))
                x = _clip(kind, rng, n_samples, sample_rate)
                if (fold, kind, i) == (1, classes[0], 0):
                    x[int(0.6 * n_samples) :] = 0
                if (fold, kind, i) == (n_folds, classes[-1], 0):
                    x *= QUIET_PEAK / np.abs(x).max()
                rows.append(row)
                clips[f"audio/{row['filename']}"] = _wav(x, sample_rate)
    table = _csv(sorted(rows, key=lambda row: row["filename"]))
    _write_zip(Path(path), {**clips, "meta/esc50.csv": table, "README.md": README.encode()})
    return {
        "size_bytes": Path(path).stat().st_size,
        "sha256": file_sha256(path),
        "csv_sha256": hashlib.sha256(table).hexdigest(),
        "n_clips": len(rows),
        "n_clips_per_fold_and_class": n_clips_per_fold_and_class,
        "n_samples": n_samples,
    }


def _row(fold: int, kind: str, i: int) -> dict:
    target, esc10, _ = KINDS[kind]
    # Two takes of one source, like the genuine corpus; no source lies in two folds.
    source, take = 100_000 + 10_000 * fold + 100 * target + i // 2, "AB"[i % 2]
    name = f"{fold}-{source}-{take}-{target}.wav"
    return dict(zip(COLUMNS, (name, fold, target, kind, esc10, source, take), strict=True))


def _clip(kind: str, rng: Generator, n_samples: int, sample_rate: int) -> np.ndarray:
    """Return a clip in [-1, 1]; all kinds draw uniform numbers only, the most stable stream."""
    x = KINDS[kind][2](np.arange(n_samples) / sample_rate, rng)
    x = x / np.abs(x).max() + BACKGROUND * (2 * rng.random(n_samples) - 1)
    return x / np.abs(x).max() * _log_uniform(rng, 0.1, 0.9)


def _log_uniform(rng: Generator, low: float, high: float) -> float:
    return low * (high / low) ** rng.random()


def _onsets(rng: Generator, n: int, total: float, duration: float) -> np.ndarray:
    """Return `n` onsets, one in each of `n` equal stretches, that leave room for the event."""
    stretch = total / n
    return (np.arange(n) + rng.random(n) * max(0.0, 1 - duration / stretch)) * stretch


def _wav(x: np.ndarray, sample_rate: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, sample_rate, len(x), "NONE", ""))
        file.writeframes(np.round(x * 32_767).astype("<i2").tobytes())
    return buffer.getvalue()


def _csv(rows: list[dict]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _write_zip(path: Path, members: dict[str, bytes]) -> None:
    """Write members below one top folder that is named like that of a GitHub archive."""
    content = hashlib.sha1(members["meta/esc50.csv"], usedforsecurity=False).hexdigest()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Stored, not deflated: what deflate makes depends on the version of zlib.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for name in sorted(members):
            info = zipfile.ZipInfo(f"ESC-50-{content}/{name}")  # dated 1980-01-01
            info.create_system, info.external_attr = 3, 0o100644 << 16
            file.writestr(info, members[name])
