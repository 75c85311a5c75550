"""A synthetic corpus in the layout of OpenMIC-2018: instruments together, few labels known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.random import Generator

from l2i.datasets.openmic import CLASS_MAP, COLUMNS, LABELS, PARTITIONS
from l2i.synthetic.instruments import INSTRUMENTS, play
from l2i.synthetic.packing import csv_bytes, file_facts, ogg_bytes, write_tar_gz
from l2i.synthetic.planning import deal, n_sounds, scattered
from l2i.synthetic.sounds import generator, log_uniform, unit

TOP = "openmic-2018"
BACKGROUND = 0.002
N_PLAYING = (2, 1, 3)  # at a time, clip by clip, over and over
WITHOUT_POSITIVE, UNDECIDED, CORRECTED = 3, 2, 1  # clips of the split train, see below


def write_openmic_archive(
    path: str | Path,
    *,
    n_clips: Mapping[str, int],
    n_observed: int,
    clip_seconds: float,
    sample_rate: int,
    seed: int,
) -> dict:
    """Write a tgz in the layout of OpenMIC-2018's release; equal arguments give equal bytes.

    Of the clips of the split train, the second has a label that a later row corrects, the third a
    presence with a relevance of exactly 0.5, and the fourth labels of absence only. The first
    clip has a shadow file as macOS leaves them.

    Parameters
    ----------
    path : str or Path
    n_clips : mapping of str to int
        Of the splits train and test; about 30 or more of each, to have each class.
    n_observed : int
        Labels of each clip, those of what sounds among them; at least 3.
    clip_seconds : float
        At least 1.
    sample_rate : int
        In Hz; the sounds reach to 15 kHz.
    seed : int

    Returns
    -------
    dict
        The facts by which a configuration pins the download: files (name, size_bytes, md5, sha256
        of each), n_clips, n_clips_per_split, n_labels, partition_sha256.
    """
    n_samples = round(clip_seconds * sample_rate)
    keys = {
        clip: f"{46 + 89 * k:06d}_{3840 * (1 + 7 * k % 30)}"
        for k, clip in enumerate(scattered(n_clips))
    }
    members, rows, n_labels = {}, [], 0
    for k, (split, n) in enumerate(n_clips.items()):
        ensembles = deal(INSTRUMENTS, n_sounds(n, N_PLAYING), generator(seed, 0, k))
        labels = _labels(ensembles, n_observed, generator(seed, 1, k), special=split == "train")
        for i, playing in enumerate(ensembles):
            key = keys[split, i]
            x = _ensemble(playing, generator(seed, 2, k, i), n_samples, sample_rate)
            members[f"audio/{key[:3]}/{key}.ogg"] = ogg_bytes(x, sample_rate)
            rows += [{"sample_key": key, **label} for label in labels[i]]
            n_labels += len({label["instrument"] for label in labels[i]})
        listed = sorted(key for clip, key in keys.items() if clip[0] == split)
        members[PARTITIONS[split]] = "".join(f"{key}\n" for key in listed).encode()
    shadow = keys["train", 0]
    members[f"audio/{shadow[:3]}/._{shadow}.ogg"] = b"\0\5\x16\7\0\2\0\0Mac OS X        "
    members[LABELS] = csv_bytes(rows, [*COLUMNS, "num_responses"])
    numbers = {name: i for i, name in enumerate(INSTRUMENTS)}
    members[CLASS_MAP] = json.dumps(numbers).encode()
    write_tar_gz(Path(path), {f"{TOP}/{name}": content for name, content in members.items()})
    return {
        "files": [file_facts(path)],
        "n_clips": len(keys),
        "n_clips_per_split": dict(n_clips),
        "n_labels": n_labels,
        "partition_sha256": {
            s: hashlib.sha256(members[PARTITIONS[s]]).hexdigest() for s in n_clips
        },
    }


def _labels(
    ensembles: list[list[str]], n_observed: int, rng: Generator, *, special: bool
) -> list[list[dict]]:
    """Draw what is known of each clip: what plays, and some of what does not."""
    sizes = [n_observed] * len(ensembles)
    table = []
    for playing, asked in zip(ensembles, deal(INSTRUMENTS, sizes, rng), strict=True):
        absent = [name for name in asked if name not in playing][: n_observed - len(playing)]
        table.append([_label(name, 1, rng) for name in playing])
        table[-1] += [_label(name, -1, rng) for name in absent]
    if special:
        # An early row of the corrected pair says the contrary of the last one, which counts.
        right = table[CORRECTED].pop(0)
        table[CORRECTED].insert(0, {**right, "relevance": round(1 - right["relevance"], 5)})
        table[CORRECTED].append(right)
        table[UNDECIDED][0]["relevance"] = 0.5
        del table[WITHOUT_POSITIVE][: len(ensembles[WITHOUT_POSITIVE])]
    return table


def _label(name: str, sign: int, rng: Generator) -> dict:
    relevance = round(0.5 + sign * rng.uniform(0.05, 0.5), 5)  # half the confidence from the middle
    return {"instrument": name, "relevance": relevance, "num_responses": 3}


def _ensemble(playing: list[str], rng: Generator, n_samples: int, sample_rate: int) -> np.ndarray:
    """Mix instruments in stereo, each at a place of its own."""
    t = np.arange(n_samples) / sample_rate
    x = BACKGROUND * (2 * rng.random((n_samples, 2)) - 1)
    for name in playing:
        place, level = rng.uniform(0.2, 0.8), log_uniform(rng, 0.4, 1.0)
        x += level * play(name, t, rng)[:, None] * [1 - place, place]
    return unit(x) * log_uniform(rng, 0.2, 0.9)
