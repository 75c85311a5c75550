"""A synthetic corpus in the layout of ESC-50: five kinds of sound.

Clips of one kind differ in pitch, onset, number and level of their events.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.random import Generator

from l2i.datasets.esc50 import COLUMNS
from l2i.synthetic.packing import csv_bytes, file_facts, wav_bytes, write_zip
from l2i.synthetic.sounds import (
    chirp,
    generator,
    harmonic_note,
    knock,
    log_uniform,
    noise_burst,
    steady_tone,
    unit,
)

BACKGROUND = 0.01  # noise at -40 dB below the loudest event
QUIET_PEAK = 700 / 32_768  # the quietest genuine clips peak near -33 dB
README = "Synthetic sounds in the layout of ESC-50, made by code. None of them is a recording.\n"

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
        The facts by which a configuration pins the download: files (name, size_bytes, md5, sha256
        of each), csv_sha256, n_clips, n_clips_per_fold_and_class, n_samples.
    """
    n_samples = round(clip_seconds * sample_rate)
    rows, clips = [], {}
    for fold in range(1, n_folds + 1):
        for kind in classes:
            for i in range(n_clips_per_fold_and_class):
                row = _row(fold, kind, i)
                rng = generator(seed, fold, row["target"], i)
                x = _clip(kind, rng, n_samples, sample_rate)
                if (fold, kind, i) == (1, classes[0], 0):
                    x[int(0.6 * n_samples) :] = 0
                if (fold, kind, i) == (n_folds, classes[-1], 0):
                    x *= QUIET_PEAK / np.abs(x).max()
                rows.append(row)
                clips[f"audio/{row['filename']}"] = wav_bytes(x, sample_rate)
    table = csv_bytes(sorted(rows, key=lambda row: row["filename"]), COLUMNS)
    # The top folder is named like that of a GitHub archive.
    top = f"ESC-50-{hashlib.sha1(table, usedforsecurity=False).hexdigest()}"
    members = {**clips, "meta/esc50.csv": table, "README.md": README.encode()}
    write_zip(Path(path), {f"{top}/{name}": content for name, content in members.items()})
    return {
        "files": [file_facts(path)],
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
    x = KINDS[kind][2](np.arange(n_samples) / sample_rate, rng)
    x = unit(x) + BACKGROUND * (2 * rng.random(n_samples) - 1)
    return unit(x) * log_uniform(rng, 0.1, 0.9)
