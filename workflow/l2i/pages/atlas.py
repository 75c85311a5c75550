"""The atlas of a dictionary: a page that shows and plays each component, and those that are alike."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from l2i.dictionary.shapes import HIGH, LOW, NOISY, TONAL, Grouping, Shape
from l2i.disk import write_text
from l2i.names import OFFICIAL
from l2i.pages.media import TARGET, level_matched, log_spaced, write_flac, write_spectrogram
from l2i.pages.rendering import TEMPLATES, content_hash, rendered

N_BANDS = 128  # of a drawn spectrum, from the first bin above 0 Hz to the last
N_MOMENTS = 160  # of a drawn activation, at most


@dataclass(frozen=True)
class Excerpt:
    """What is heard and seen of a component in a clip; sounds (n_samples,) at the clip's level."""

    clip: str
    start_seconds: float
    component: np.ndarray  # the component alone
    clip_sound: np.ndarray  # the clip, as long
    steady: np.ndarray  # the column by itself, of any length
    X: np.ndarray  # (n_bins, n_frames) log-magnitude of the clip
    mask: np.ndarray  # (n_bins, n_frames) share of each bin that belongs to the component
    activation: np.ndarray  # (n_frames,)


@dataclass(frozen=True)
class Component:
    """One column of a dictionary, and what a system does with it."""

    number: int
    column: np.ndarray  # (n_bins,)
    shape: Shape
    energy: float  # mean over clips of the share of a clip's energy
    n_selected: int  # decisions that it is relevant to
    dead: bool  # active in no clip
    learned_from: str | None  # the class of its clips, where classes were learned apart
    uses: Sequence[tuple[int, float, float]]  # class, mean relevance, share of decisions selected
    clips: Sequence[tuple[str, float]]  # where it is strongest, and its share of the energy there
    alike: Sequence[tuple[int, float, float]]  # other column, cosine, correlation of activations


@dataclass(frozen=True)
class Atlas:
    """What holds for all components of a page."""

    dataset: str  # title in print
    fold: str
    system: str  # title in print
    run: str
    sample_rate: int  # Hz
    n_fft: int
    classes: Sequence[str]
    n_decisions: Sequence[int]  # for each class, among the clips
    n_clips: int  # that were heard
    n_test_clips: int  # that there are
    threshold: float  # of relevance, above which a component is selected
    similarity: np.ndarray  # (K, K) of columns, 0 to 1
    similar_from: float  # what a group is at least
    grouping: Grouping
    links: Mapping[str, str] = field(default_factory=dict)  # of clips to pages that play them


def write_atlas(
    folder: Path, atlas: Atlas, components: Iterable[tuple[Component, Excerpt | None]]
) -> dict[str, int]:
    """Write the page of a dictionary: index.html, data.js and media/.

    Parameters
    ----------
    folder : Path
        Made here.
    atlas : Atlas
    components : iterable
        All that `atlas` is about, in any order, each with what is heard of it, if anything. Asked
        for one at a time: their sounds need not fit into memory together.

    Returns
    -------
    dict
        n_components, n_sounds, n_bytes.
    """
    media = folder / "media"
    media.mkdir(parents=True)
    told = []
    for component, excerpt in components:
        sound = _sound(folder, component, excerpt, atlas) if excerpt else None
        told.append(_component(component, atlas) | {"sound": sound})
    told.sort(key=lambda each: each["number"])
    write_text(folder / "data.js", f"window.atlas = {as_script(_atlas(atlas, told))};\n")
    style, script = (
        (TEMPLATES / name).read_text(encoding="utf-8") for name in ("atlas.css", "atlas.js")
    )
    values = {
        "atlas": atlas,
        "title": title_of(atlas.dataset, atlas.fold),
        "n_components": len(told),
        "n_dead": sum(component["dead"] for component in told),
        "n_unused": sum(not (component["dead"] or component["selected"]) for component in told),
        "n_decisions": sum(atlas.n_decisions),
        "bounds": {"tonal": TONAL, "noisy": NOISY, "low": LOW, "high": HIGH},
        "target": TARGET,
        "style": style,
        "script": script,
        "style_hash": content_hash(style),
        "script_hash": content_hash(script),
    }
    write_text(folder / "index.html", rendered("atlas.html", values))
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        "n_components": len(told),
        "n_sounds": sum(path.suffix == ".flac" for path in files),
        "n_bytes": sum(path.stat().st_size for path in files),
    }


@dataclass(frozen=True)
class Entry:
    """An atlas, as the page of all of them names it."""

    dataset: str  # title in print
    fold: str
    system: str  # title in print
    path: str  # of its page, from the page of all
    n_components: int
    n_groups: int
    n_unused: int  # active, but relevant to no decision
    n_dead: int


def atlases_page(entries: Sequence[Entry]) -> str:
    """The page that leads to all atlases of a run."""
    return rendered("atlases.html", {"entries": entries, "title_of": title_of})


def title_of(dataset: str, fold: str) -> str:
    """What a dictionary is called."""
    return dataset if fold == OFFICIAL else f"{dataset}, fold {fold}"


def as_script(value: Any) -> str:
    """Plain values as an expression of JavaScript, in which no text can end the script."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))  # ASCII alone
    return text.replace("<", "\\u003c")


def _atlas(atlas: Atlas, components: list[dict[str, Any]]) -> dict[str, Any]:
    """What the page's script is told."""
    upper = np.round(255 * atlas.similarity[np.triu_indices(len(atlas.similarity), 1)])
    return {
        "axis": {"low_hz": atlas.sample_rate / atlas.n_fft, "high_hz": atlas.sample_rate / 2},
        "classes": [*atlas.classes],
        "n_decisions": [int(n) for n in atlas.n_decisions],
        "groups": atlas.grouping.groups,
        "order": atlas.grouping.order,
        # Row by row, of each pair once, a byte each.
        "similarity": base64.b64encode(upper.astype(np.uint8).tobytes()).decode(),
        "components": components,
    }


def _component(component: Component, atlas: Atlas) -> dict[str, Any]:
    shape, largest = component.shape, float(component.column.max()) or 1.0
    groups = atlas.grouping.groups
    own = [i for i, group in enumerate(groups) if component.number in group]
    return {
        "number": component.number,
        "spectrum": _percent(log_spaced(component.column, N_BANDS) / largest),
        "words": [*shape.words],
        "centroid_hz": _rounded(shape.centroid_hz, 1),
        "bandwidth_hz": _rounded(shape.bandwidth_hz, 1),
        "flatness": _rounded(shape.flatness, 3),
        "peaks_hz": [round(peak, 1) for peak in shape.peaks_hz],
        "energy": float(f"{component.energy:.4g}"),
        "selected": component.n_selected,
        "dead": component.dead,
        "learned_from": component.learned_from,
        "uses": [[c, round(mean, 4), round(rate, 4)] for c, mean, rate in component.uses],
        "clips": [
            [name, round(share, 4), atlas.links.get(name)] for name, share in component.clips
        ],
        "alike": [[k, round(cosine, 3), round(r, 3)] for k, cosine, r in component.alike],
        "group": own[0] if own else None,
    }


def _sound(folder: Path, component: Component, excerpt: Excerpt, atlas: Atlas) -> dict[str, Any]:
    """Write what is heard and seen of a component, and say what lies where."""
    rate, name = atlas.sample_rate, f"media/{component.number:03d}"
    sounds = {
        "component": excerpt.component,
        "clip": excerpt.clip_sound,
        "steady": excerpt.steady,
    }
    files: dict[str, str | None] = {}
    before: dict[str, float | None] = {}
    for kind, sound in sounds.items():
        matched, before[kind] = level_matched(sound, rate)
        silent = before[kind] is None
        files[kind] = None if silent else f"{name}-{kind}.flac"
        if not silent:
            write_flac(folder / f"{name}-{kind}.flac", matched, sample_rate=rate)
    loudest = float(excerpt.X.max())
    pictures = {"clip": excerpt.X, "component": excerpt.mask * excerpt.X}
    for kind, X in pictures.items():
        write_spectrogram(folder / f"{name}-{kind}.png", X, loudest)
    alone, clip = before["component"], before["clip"]
    return {
        "clip": excerpt.clip,
        "link": atlas.links.get(excerpt.clip),
        "start_seconds": round(excerpt.start_seconds, 2),
        "seconds": round(len(excerpt.clip_sound) / rate, 2),
        "files": files,
        "pictures": {kind: f"{name}-{kind}.png" for kind in pictures},
        "gain_db": None if alone is None or clip is None else round(alone - clip, 1),
        "activation": _activation(excerpt.activation),
    }


def _activation(activation: np.ndarray) -> list[int]:
    """Its course in at most `N_MOMENTS` values, each the largest of its time, 100 the largest."""
    parts = np.array_split(activation, min(len(activation), N_MOMENTS))
    course = np.array([part.max() for part in parts])
    return _percent(course / (float(course.max()) or 1.0))


def _percent(shares: np.ndarray) -> list[int]:
    return [int(share) for share in np.round(100 * shares)]


def _rounded(value: float | None, n_digits: int) -> float | None:
    return None if value is None else round(value, n_digits)
