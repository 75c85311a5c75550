"""Packs of listening tests with made-up sounds, so short that tests can hear them all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from l2i.features.audio import write_wav
from l2i.listening_test.pack import write_pack
from l2i.names import file_name

RATE = 16_000  # Hz
SECONDS = 0.3
SYSTEMS = ["slime", "l2i_att"]
FRONT_END = {"sample_rate": RATE, "n_fft": 256, "hop_length": 128, "n_mels": 32, "mel_power": 1}
STIMULI = [
    ("bark", "dog"),
    ("howl", "dog"),
    ("shower", "rain & <b>wind</b>"),
    ("drops", "rain & <b>wind</b>"),
    ("=tick", "clock, tick"),
]


def tone(hertz: float, level: float, seconds: float = SECONDS) -> np.ndarray:
    """A sine of that amplitude."""
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def write_systems(folder: Path, silent: tuple[str, str] | None = None) -> dict[str, Path]:
    """What both systems make of all stimuli; of one clip the system of a pair finds nothing."""
    for place, system in enumerate(SYSTEMS):
        for i, (clip, target) in enumerate(STIMULI):
            of_clip = folder / system / file_name(clip)
            of_class = of_clip / file_name(target)
            of_class.mkdir(parents=True)
            x = tone(300 + 100 * i, 0.2) + tone(2000, 0.02)
            write_wav(of_clip / "input.wav", x, sample_rate=RATE)
            heard = tone(300 + 100 * i, 0.05) if place else x - 0.1 * tone(300 + 100 * i, 0.2)
            heard = 0 * x if silent == (system, clip) else heard
            write_wav(of_class / "interpretation.wav", heard, sample_rate=RATE)
            about = {
                "clip": clip,
                "labels": [target],
                "interpreted_class": target,
                "predictor": "classifier",
                "front_end": FRONT_END,
                "sounds": {"interpretation": {"file": "interpretation.wav", "kind": "x"}},
            }
            (of_class / "interpretation.json").write_text(json.dumps(about))
    return {system: folder / system for system in SYSTEMS}


def stimuli() -> pd.DataFrame:
    """The table of the stimuli, as chosen."""
    table = pd.DataFrame(STIMULI, columns=["clip", "class"])
    return table.assign(dataset="farm", fold="1", run=0, source=table["clip"], level_dbfs=-20.0)


def write_test(folder: Path, **changes: int) -> dict:
    """A pack in `folder`/pack of four participants who rate three stimuli each; its facts."""
    sounds = write_systems(folder / "sounds", silent=("slime", "drops"))
    how = {"n_participants": 4, "per_participant": 3, "seed": 0} | changes
    return write_pack(folder / "pack", stimuli(), sounds, **how)
