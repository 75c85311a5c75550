"""The atlas of a dictionary: a page that shows and plays its components, those alike together."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from l2i.dictionary.shapes import HIGH, LOW, NOISY, TONAL, Grouping, Shape
from l2i.disk import write_text
from l2i.pages.atlases import title_of
from l2i.pages.media import Beside, Media
from l2i.pages.pictures import coloured, shade
from l2i.pages.playback import Levels, Volumes, levels_of, to_flac
from l2i.pages.rendering import in_script, rendered, style_and_script
from l2i.pages.spectrograms import Grid, bands_of, in_columns, spectrogram

N_BANDS = 160  # of a drawn spectrum
N_ROWS, N_COLUMNS = 120, 240  # of a picture, at most
N_MOMENTS = 160  # of a drawn activation, at most


@dataclass(frozen=True)
class Excerpt:
    """What is heard and seen of a component in a clip; sounds (n_samples,) at the clip's level."""

    clip: str
    start_seconds: float
    component: np.ndarray  # the component alone
    clip_sound: np.ndarray  # the clip, as long
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
    grid: Grid  # the STFT that columns are spectra of
    classes: Sequence[str]
    n_decisions: Sequence[int]  # for each class, among the clips
    n_clips: int  # that were heard
    n_test_clips: int  # that there are
    threshold: float  # of relevance, above which a component is selected
    similarity: np.ndarray  # (K, K) of columns, 0 to 1
    correlation: np.ndarray  # (K, K) of activations, -1 to 1
    similar_from: float  # what a group is at least
    grouping: Grouping
    home: str = ""  # address of the page that lists all atlases
    links: Mapping[str, str] = field(default_factory=dict)  # of clips to pages that play them


def write_atlas(
    folder: Path,
    atlas: Atlas,
    components: Iterable[tuple[Component, np.ndarray, Excerpt | None]],
) -> dict[str, int]:
    """Write the page of a dictionary: index.html, data.js and media/.

    Parameters
    ----------
    folder : Path
        Made here.
    atlas : Atlas
    components : iterable
        All that `atlas` is about, in any order, each with the sound of its column by itself,
        (n_samples,), and with what is heard of it in a clip, if anything. Asked for one at a time:
        their sounds need not fit into memory together.

    Returns
    -------
    dict
        n_components, n_sounds, n_bytes.
    """
    folder.mkdir(parents=True)
    media = Beside(folder / "media")
    told = []
    for component, steady, excerpt in components:
        sounds = _sounds(media, component, steady, excerpt, atlas)
        told.append(_component(component, atlas) | sounds)
    told.sort(key=lambda each: each["number"])
    write_text(folder / "data.js", f"window.atlas = {in_script(_atlas(atlas, told))};\n")
    values = {
        "atlas": atlas,
        "title": title_of(atlas.dataset, atlas.fold),
        "n_components": len(told),
        "n_dead": sum(component["dead"] for component in told),
        "n_unused": sum(not (component["dead"] or component["selected"]) for component in told),
        "n_decisions": sum(atlas.n_decisions),
        "bounds": {"tonal": TONAL, "noisy": NOISY, "low": LOW, "high": HIGH},
        **style_and_script("atlas.css", "elements.js", "atlas.js"),
    }
    write_text(folder / "index.html", rendered("atlas.html", values))
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        "n_components": len(told),
        "n_sounds": sum(path.suffix == ".flac" for path in files),
        "n_bytes": sum(path.stat().st_size for path in files),
    }


def _atlas(atlas: Atlas, components: list[dict[str, Any]]) -> dict[str, Any]:
    """What the page's script is told."""
    upper = np.round(255 * atlas.similarity[np.triu_indices(len(atlas.similarity), 1)])
    return {
        "axis": {"low_hz": atlas.grid.axis.low_hz, "high_hz": atlas.grid.axis.high_hz},
        "classes": [*atlas.classes],
        "n_decisions": [int(n) for n in atlas.n_decisions],
        "groups": [_group(group, atlas) for group in atlas.grouping.groups],
        "order": atlas.grouping.order,
        # Row by row, of each pair once, a byte each.
        "similarity": base64.b64encode(upper.astype(np.uint8).tobytes()).decode(),
        "components": components,
    }


def _group(group: list[int], atlas: Atlas) -> dict[str, Any]:
    """Columns that are alike, and what holds for any two of them."""
    pairs = np.ix_(group, group)
    cosine, correlation = atlas.similarity[pairs].min(), atlas.correlation[pairs].min()
    least = {"cosine": round(float(cosine), 3), "correlation": round(float(correlation), 3)}
    return {"members": group, **least}


def _component(component: Component, atlas: Atlas) -> dict[str, Any]:
    shape = component.shape
    spectrum = bands_of(atlas.grid, atlas.grid.axis, N_BANDS) @ component.column
    groups = atlas.grouping.groups
    own = [i for i, group in enumerate(groups) if component.number in group]
    return {
        "number": component.number,
        "spectrum": _percent(spectrum),
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


def _sounds(
    media: Media, component: Component, steady: np.ndarray, excerpt: Excerpt | None, atlas: Atlas
) -> dict[str, Any]:
    """Write what is heard and seen of a component, and say what lies where."""
    grid, name = atlas.grid, f"{component.number:03d}"
    sounds = {"steady": steady}
    if excerpt:
        sounds |= {"alone": excerpt.component, "clip": excerpt.clip_sound}
    levels = {kind: levels_of(x, grid.sample_rate) for kind, x in sounds.items()}
    volumes = Volumes.of(found for found in levels.values() if found)
    players: dict[str, dict[str, Any]] = {}
    for kind, found in levels.items():
        if found:
            content = to_flac(sounds[kind], grid.sample_rate, found)
            file = media.put(f"{name}-{kind}.flac", content)
            players[kind] = {"file": file, "volume": volumes.matched(found)}
    if not excerpt:
        return {"players": players, "excerpt": None}
    size = {"n_rows": N_ROWS, "n_columns": N_COLUMNS}
    picture = spectrogram(excerpt.clip_sound, grid, grid.axis, **size)
    bands = bands_of(grid, grid.axis, N_ROWS) @ excerpt.mask
    mask = in_columns([bands], bands.shape[1], N_COLUMNS)
    about = {
        "clip": excerpt.clip,
        "link": atlas.links.get(excerpt.clip),
        "start_seconds": round(excerpt.start_seconds, 2),
        "seconds": round(len(excerpt.clip_sound) / grid.sample_rate, 2),
        "picture": media.put(f"{name}-clip.png", coloured(picture)),
        "mask": media.put(f"{name}-mask.png", shade(mask)),
        "gain_db": _gain(levels["alone"], levels["clip"]),
        "activation": _activation(excerpt.activation),
    }
    return {"players": players, "excerpt": about}


def _gain(alone: Levels | None, clip: Levels | None) -> float | None:
    """How much louder a component is than its clip, in dB; None where one of them is silent."""
    return round(alone.loudness - clip.loudness, 1) if alone and clip else None


def _activation(activation: np.ndarray) -> list[int]:
    """Its course in at most `N_MOMENTS` values, each the largest of its time, 100 the largest."""
    parts = np.array_split(activation, min(len(activation), N_MOMENTS))
    course = np.array([part.max() for part in parts])
    return _percent(course)


def _percent(values: np.ndarray) -> list[int]:
    """Percent of the largest."""
    return [round(100 * float(value)) for value in values / (float(values.max()) or 1.0)]


def _rounded(value: float | None, n_digits: int) -> float | None:
    return None if value is None else round(value, n_digits)
