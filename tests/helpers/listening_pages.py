"""Listening pages with made-up content, of the form that `window.listening` has.

Sounds of a few seconds, pictures and masks are made once; pages name them as often as they like.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image

from l2i.pages.listening import in_script, page_of

SECONDS = 4.0
RATE = 16_000  # Hz
AXIS = {"low_hz": 50.0, "high_hz": 8000.0}
VILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}\u2028"
SOUNDS = {"input": None, "interpretation": 440, "remainder": 220, "component": 880, "segment": 330}
SOUNDS |= {"source": 550, "other": 660}
NOTHING = "No component was relevant: none reached the threshold."


def write_media(folder: Path) -> None:
    """Sounds as FLAC, a spectrogram and masks as PNG, in folder/media."""
    media = folder / "media"
    media.mkdir(parents=True)
    n = int(SECONDS * RATE)
    t = np.arange(n) / RATE
    noise = np.random.default_rng(0).normal(0, 0.05, n)
    for name, hertz in SOUNDS.items():
        sound = noise if hertz is None else 0.3 * np.sin(2 * np.pi * hertz * t)
        soundfile.write(media / f"{name}.flac", sound, RATE)
    rows, columns = np.mgrid[0:64, 0:200]
    level = 127 + 120 * np.sin(columns / 9) * np.cos(rows / 7)
    Image.fromarray(level.astype(np.uint8)).save(media / "picture.png")
    for name, kept in (("upper", rows < 32), ("lower", rows >= 32)):
        alpha = np.where(kept, 0, 255).astype(np.uint8)
        Image.merge("LA", [Image.new("L", (200, 64)), Image.fromarray(alpha)]).save(
            media / f"{name}.png"
        )


def sound(kind: str, title: str = "", **changes: Any) -> dict:
    """An entry for a sound, louder in truth than when matched only where it is the input."""
    given = {
        "id": kind,
        "kind": kind,
        "title": title or kind.capitalize(),
        "file": f"media/{kind}.flac",
        "words": "",
        "volume_matched": 0.5,
        "volume_true": 0.5,
        "gain_db": 0.0,
        "level_dbfs": -26.0,
        "relevance": None,
        "mask": None,
        "spectrum": None,
        "truth": None,
        "after": [],
        "target_probability": None,
    }
    return given | changes


def interpretation(system: str, target: str, right: bool | None, **changes: Any) -> dict:
    """One that keeps the upper half: interpretation, remainder and eight components."""
    components = [
        sound(
            "component",
            f"Component {7 * k}",
            id=f"component_{7 * k:03d}",
            relevance=1 - 0.11 * k,
            gain_db=-8.0 - k,
            volume_matched=0.9,
            volume_true=0.2,
            mask="media/upper.png",
            spectrum="dictionary/7",
            target_probability=0.4,
            after=[[target, 0.4], ["sea waves", 0.3]],
        )
        for k in range(8)
    ]
    kept = sound(
        "interpretation",
        gain_db=-22.4,
        volume_matched=0.9,
        volume_true=0.1,
        mask="media/upper.png",
        after=[[target, 0.91], ["rain", 0.04]],
        target_probability=0.91,
    )
    left = sound(
        "remainder",
        gain_db=1.5,
        volume_matched=0.4,
        volume_true=0.6,
        mask="media/lower.png",
        after=[["sea waves", 0.8], [target, 0.03]],
        target_probability=0.03,
    )
    given = {
        "id": f"{system}/{target}",
        "system": system,
        "run": "0",
        "kind": "interpretation",
        "target": target,
        "decided": True,
        "right": right,
        "predictor": "classifier",
        "threshold": 0.1,
        "before": [[target, 0.98], ["rain", 0.01], ["sea waves", 0.005], ["clock tick", 0.001]],
        "notes": [],
        "sounds": [kept, left, *components],
    }
    return given | changes


def silent(system: str, target: str, right: bool) -> dict:
    """One that found nothing relevant: an interpretation without a sound, and all remains."""
    kept = sound(
        "interpretation", file=None, words=NOTHING, volume_matched=0, volume_true=0, gain_db=None
    )
    return interpretation(
        system, target, right, notes=[NOTHING], sounds=[kept, sound("remainder", after=[])]
    )


def by_segments(target: str, right: bool) -> dict:
    """One that weighs stretches of time, as SLIME does."""
    segments = [
        sound("segment", f"{k} s to {k + 1} s", id=f"segment_{k:02d}", relevance=0.3 - 0.2 * k)
        for k in range(4)
    ]
    sounds = [sound("interpretation", gain_db=-3.0), sound("remainder", gain_db=-1.0), *segments]
    return interpretation("SLIME", target, right, threshold=None, sounds=sounds)


def prototype(target: str) -> dict:
    """A sound of training that stands for a class."""
    likeness = sound("prototype", f"Prototype of {target}", file="media/segment.flac")
    return interpretation(
        "APNet", target, None, kind="prototype", predictor="", threshold=None, sounds=[likeness]
    )


def corrupted(other: list[str], snr_db: float = 0.0) -> dict:
    """A mixture of a dog with other classes, or with noise, of which two systems hear one each.

    The first finds the dog and loses the rest; the second loses both, and has no more of the dog.
    """
    near, far, as_it_was = (
        {"planted": name, "si_sdr_db": value, "input_si_sdr_db": before}
        for name, value, before in (
            ("source", 5.26, 0.0),
            ("other", -3.5, -0.04),
            ("source", -0.01, 0.0),
        )
    )
    first = interpretation("L2I w/ ATT", "dog", True)
    first["sounds"][0]["truth"], first["sounds"][1]["truth"] = near, far
    second = interpretation("L2I w/ MAX", "dog", True, decided=False)
    second["sounds"][0]["truth"] = as_it_was
    second["sounds"][1] = sound("remainder", file=None, words="Nothing is left.", gain_db=None)
    second["sounds"][1]["truth"] = far | {"si_sdr_db": None}
    planted = [
        sound("source", "dog", gain_db=-3.0, volume_matched=0.7, volume_true=0.3),
        sound("other", ", ".join(other) or "white noise", gain_db=-2.9),
    ]
    kind = "mixture" if other else "noise"
    return clip(
        f"dog with {kind}",
        ["dog", *other],
        first,
        second,
        kind=kind,
        snr_db=snr_db,
        planted=planted,
    )


def clip(name: str, truth: list[str], *interpretations: dict, **changes: Any) -> dict:
    """A clip of ESC-50, fold 1."""
    wave = [round(50 * np.sin(i / 9)) * (1 if i % 2 else -1) for i in range(800)]
    given = {
        "id": name,
        "name": name,
        "dataset": "ESC-50",
        "fold": "1",
        "kind": "clean",
        "snr_db": None,
        "truth": truth,
        "seconds": SECONDS,
        "rate_hz": RATE,
        "axis": AXIS,
        "picture": "media/picture.png",
        "wave": wave,
        "input": sound("input"),
        "planted": [],
        "timeline": None,
        "interpretations": list(interpretations),
    }
    return given | changes


def page_data(clips: list[dict], **changes: Any) -> dict:
    """What `window.listening` is."""
    levels = [int(v) for v in 50 + 50 * np.sin(np.arange(64) / 5)]
    given = {
        "title": "What they listen to",
        "notes": ["Test clips, drawn at random."],
        "clips": clips,
        "spectra": {"dictionary/7": levels},
    }
    return given | changes


def handful() -> dict:
    """A few clips of all kinds: see the names of clips."""
    timeline = {
        "edges_seconds": [0.0, 1.0, 2.0, 3.0, 4.0],
        "rows": [
            {"class": "dog", "probabilities": [0.1, 0.2, 0.93, 0.4]},
            {"class": "rain", "probabilities": [0.9, 0.7, 0.05, 0.5]},
        ],
    }
    systems = [interpretation(f"L2I w/ {name}", "dog", True) for name in ("ATT", "MAX")]
    vile = interpretation(VILE, VILE, False, id="vile", notes=[VILE], run=VILE)
    vile["sounds"][2] |= {"title": VILE, "words": VILE}
    return page_data(
        [
            clip("barking", ["dog"], *systems, by_segments("dog", True), prototype("dog")),
            clip("drizzle", ["rain"], silent("L2I w/ ATT", "rain", True), fold="2"),
            clip("breakers", ["sea waves"], interpretation("L2I w/ MAX", "rain", False)),
            clip(
                "band",
                ["guitar", "voice"],
                interpretation("L2I w/ ATT", "guitar", True),
                interpretation("L2I w/ ATT", "drums", False),
                dataset="OpenMIC-2018",
                fold="official",
            ),
            clip(
                "my own", [], interpretation("L2I w/ ATT", "dog", None), timeline=timeline, fold=""
            ),
            clip("lecture", ["voice"], seconds=150.0),
            clip(VILE, [VILE], vile, id="vile"),
        ]
    )


def crowd(n: int) -> dict:
    """Many clips, each with three systems."""
    classes = ["dog", "rain", "sea waves", "clock tick", "rooster"]
    return page_data(
        [
            clip(
                f"clip {i}",
                [classes[i % 5]],
                *(
                    interpretation(f"system {k}", classes[i % 5 - k % 2], k % 2 == 0)
                    for k in range(3)
                ),
                fold=str(i % 4 + 1),
            )
            for i in range(n)
        ]
    )


def write_page(folder: Path, data: dict, *, single_file: bool = False) -> str:
    """Write index.html, and data.js unless all is in a single file; the address to open."""
    text = in_script(data)
    page = folder / ("single.html" if single_file else "index.html")
    inside = inlined(text, folder) if single_file else None
    page.write_text(page_of(data["title"], inside), encoding="utf-8")
    if not single_file:
        (folder / "data.js").write_text(f"window.listening = {text};\n", encoding="utf-8")
    return page.as_uri()


def inlined(text: str, folder: Path) -> str:
    """Data with files in place of their paths."""
    kinds = {".flac": "audio/flac", ".png": "image/png"}
    for path in (folder / "media").iterdir():
        content = base64.b64encode(path.read_bytes()).decode()
        text = text.replace(f'"media/{path.name}"', f'"data:{kinds[path.suffix]};base64,{content}"')
    return text
