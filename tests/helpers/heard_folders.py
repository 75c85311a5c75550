"""Folders of interpretations and of prototypes, written by hand as jobs and `l2i interpret` do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from l2i.features.audio import write_wav
from l2i.names import file_name
from l2i.pages.listening import Heard

RATE = 8000
FRONT_END = {"sample_rate": RATE, "n_fft": 256, "hop_length": 128, "n_mels": 32, "mel_power": 1}
SECONDS = 1.0
PROBABILITIES = {"dog": 0.6, "rain": 0.3, "cat": 0.05, "cow": 0.03, "bee": 0.015, "owl": 0.005}


def tone(hertz: float, level: float = 0.3, seconds: float = SECONDS) -> np.ndarray:
    """A sine of that amplitude."""
    t = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def dictionary() -> np.ndarray:
    """Four components, (129, 4): each a quarter of the bins."""
    W = np.zeros((129, 4), np.float32)
    for k in range(4):
        W[32 * k : 32 * (k + 1), k] = 1
    return W


def write_heard(folder: Path, clips: dict[str, dict[str, Any]], *, components: bool = True) -> None:
    """A folder of interpretations; `clips` has for each name what `write_clip` takes."""
    folder.mkdir(parents=True)
    if components:
        np.save(folder / "dictionary.npy", dictionary())
    for name, how in clips.items():
        write_clip(folder, name, components=components, **how)


def write_clip(
    folder: Path,
    name: str,
    *,
    x: np.ndarray | None = None,
    components: bool = True,
    **classes: dict[str, Any],
) -> None:
    """A clip of two tones, or `x`, and what is said of each class it is interpreted for."""
    clip = folder / file_name(name)
    clip.mkdir()
    x = tone(500) + tone(2500, 0.1) if x is None else x
    write_wav(clip / "input.wav", x, sample_rate=RATE)
    if components:
        n_frames = 1 + -(-len(x) // FRONT_END["hop_length"])
        H = np.ones((4, n_frames), np.float32)
        H[:, : n_frames // 2] = [[1], [0], [1], [1]]  # the second component begins halfway
        np.save(clip / "activations.npy", H)
    for target, how in (classes or {"dog": {}}).items():
        write_decision(clip, name, target, x, **how)


def write_decision(
    clip: Path,
    name: str,
    target: str,
    x: np.ndarray,
    *,
    sounds: dict[str, np.ndarray] | None = None,
    **changes: Any,
) -> None:
    """One interpretation, by components unless `sounds` say otherwise."""
    low, high = tone(500), tone(2500, 0.1)
    parts = {"component_000": low} if sounds is None else sounds
    taken = sum(parts.values(), np.zeros_like(x))
    rest = high if sounds is None else x - taken
    folder = clip / file_name(target)
    folder.mkdir()
    said = {}
    for part, sound in {"interpretation": taken, "remainder": rest, **parts}.items():
        write_wav(folder / f"{part}.wav", sound, sample_rate=RATE)
        kind = part.rpartition("_")[0] or part
        audible = np.abs(sound).max() > 0
        said[part] = {
            "file": f"{part}.wav",
            "kind": kind,
            "level_dbfs": None,
            "probabilities": {target: 0.5, "other": 0.5} if audible else None,
        }
        if kind == "component":
            said[part]["relevance"] = 1.0
    about = {
        "clip": name,
        "labels": ["rain"],
        "sample_rate_hz": RATE,
        "n_samples": len(x),
        "gain_to_original": 1.0,
        "interpreted_class": target,
        "right": target == "rain",
        "decided": True,
        "predictor": "classifier",
        "front_end": FRONT_END,
        "threshold": 0.1,
        "classifier_probabilities": PROBABILITIES | {target: PROBABILITIES.get(target, 0.5)},
        "interpreter_probabilities": PROBABILITIES,
        "relevances": [1.0, 0.05, 0.0, -0.2],
        "sounds": said,
    }
    text = json.dumps({name: value for name, value in (about | changes).items() if value != "-"})
    (folder / "interpretation.json").write_text(text)


def segments(*kept: int) -> dict[str, Any]:
    """What SLIME says of a clip cut into four, of which some are kept."""
    each = [
        {"start_seconds": i / 4, "end_seconds": (i + 1) / 4, "weight": 0.1, "kept": i in kept}
        for i in range(4)
    ]
    sounds = {}
    for i in kept:
        gate = np.zeros(RATE, np.float32)
        gate[i * RATE // 4 : (i + 1) * RATE // 4] = 1
        sounds[f"segment_{i:02d}"] = gate * (tone(500) + tone(2500, 0.1))
    return {"sounds": sounds, "segments": each, "r2": 0.43, "threshold": "-", "relevances": "-"}


def write_mixture(folder: Path, name: str, kind: str = "class", **planted: np.ndarray) -> None:
    """A folder with a clip that was mixed of a dog and another sound: two tones unless said."""
    sounds = {"source": tone(500), "other": tone(2500, 0.1)} | planted
    of_other = {"labels": ["rain"], "clip": "b"} if kind == "class" else {"labels": [], "clip": ""}
    said = {"source": {"labels": ["dog"], "clip": "a"}, "other": of_other}
    mixed = {
        "corruption": {"kind": kind, "snr_db": 9.5, "seed": 0},
        "planted": {name: {"file": f"{name}.wav", **said[name]} for name in sounds},
    }
    write_heard(folder, {name: {"x": sum(sounds.values()), "dog": mixed}})
    for each, x in sounds.items():
        write_wav(folder / file_name(name) / f"{each}.wav", x, sample_rate=RATE)


def write_prototypes(folder: Path, *classes: str) -> None:
    """Prototypes of classes."""
    folder.mkdir(parents=True)
    entries = []
    for i, name in enumerate(classes):
        write_wav(folder / f"{i}.wav", tone(700, 0.5), sample_rate=RATE)
        entries.append(
            {
                "class": name,
                "prototype": i,
                "file": f"{i}.wav",
                "kind": "prototype",
                "level_dbfs": -9.0,
                "sample_rate_hz": RATE,
                "nearest_training_clip": "near",
                "its_labels": ["rain"],
                "front_end": FRONT_END,
                "probabilities": {name: 0.75, "other": 0.25},
            }
        )
    (folder / "prototypes.json").write_text(json.dumps(entries))


def heard(folder: Path, system: str = "L2I", **changes: str) -> Heard:
    """A folder, with the words of a page."""
    said = {"dataset": "ESC", "fold": "1", "run": "0"} | changes
    return Heard(system=system, folder=folder, **said)


def data_of(page: Path) -> dict[str, Any]:
    """What a page is given, read as a browser reads it."""
    text = (page / "data.js").read_text(encoding="utf-8")
    assert text.startswith("window.listening = ") and text.endswith(";\n")
    return json.loads(text.removeprefix("window.listening = ").removesuffix(";\n"))
