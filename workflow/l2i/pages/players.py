"""Players of a listening page: what is played, how loud, and in which words it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from l2i.pages.interpreted import Interpretation, most_probable, title_of, why_silent
from l2i.pages.media import Media, safe_id
from l2i.pages.playback import Levels, Volumes, levels_of, to_flac
from l2i.pages.spectrograms import Axis, Grid, band_levels, in_percent

N_BANDS = 64  # of a spectrum

Json = dict[str, Any]

# What a page asks of every sound, where nothing is known of it.
PLAYER: Json = {
    "file": None,  # nothing plays
    "words": "",  # in the place of a file
    "volume_matched": 0.0,
    "volume_true": 0.0,
    "gain_db": None,  # how much louder than the input
    "level_dbfs": None,
    "relevance": None,
    "mask": None,
    "spectrum": None,
    "truth": None,  # how near it is to what was planted
    "after": [],
    "target_probability": None,
}


@dataclass
class Shelf:
    """What all clips of a page share: where files go, spectra by their keys, and a count."""

    media: Media
    spectra: dict[str, list[int]] = field(default_factory=dict)
    n_sounds: int = 0  # that can be played

    def spectrum(self, key: str, bands: np.ndarray, loudest: float) -> str:
        """Keep a spectrum; its key."""
        self.spectra[key] = in_percent(bands, loudest)
        return key


@dataclass(frozen=True)
class Scene:
    """What all that is heard of one clip shares."""

    id: str
    grid: Grid
    n_samples: int
    levels: Levels | None  # of the input
    loudest: float  # of the bands of the input's spectrum

    @property
    def axis(self) -> Axis:
        """Frequencies of all its pictures."""
        return self.grid.axis

    @property
    def seconds(self) -> float:
        """Length."""
        return self.n_samples / self.grid.sample_rate


@dataclass(frozen=True)
class Prototype:
    """A prototype of a class: what is said of it, where its file is, how loud it is."""

    entry: Json
    file: str
    levels: Levels
    spectrum: str


class Players:
    """Players of one clip, which are compared with each other by ear."""

    def __init__(self, shelf: Shelf, scene: Scene) -> None:
        self.shelf, self.scene = shelf, scene
        self._playing: list[tuple[Json, Levels]] = []
        self._without_level: list[tuple[Json, Levels]] = []

    def input(self, x: np.ndarray, interpretation: Interpretation) -> Json:
        """The player of the clip itself."""
        said = {"kind": "input", "probabilities": interpretation.probabilities}
        return self.sound("input", said, x, interpretation, "")

    def sound(
        self,
        name: str,
        said: Mapping[str, Any],
        x: np.ndarray,
        interpretation: Interpretation,
        id: str,
    ) -> Json:
        """The player of one sound; `id` is that of its interpretation."""
        scene, target, probabilities = self.scene, interpretation.target, said["probabilities"]
        place = "/".join(part for part in (scene.id, id, safe_id(name)) if part)
        player = PLAYER | {
            "id": name,
            "kind": said["kind"],
            "title": title_of(name, said, interpretation.about),
            "relevance": said.get("relevance"),
            "truth": said.get("truth"),
            "after": most_probable(probabilities, target),
            "target_probability": None if probabilities is None else probabilities[target],
        }
        levels = None if probabilities is None else levels_of(x, scene.grid.sample_rate)
        if levels is None:
            silent_clip = scene.levels is None
            words = why_silent(said["kind"], interpretation.about, silent_clip=silent_clip)
            return player | {"words": words}
        bands = band_levels(x, scene.grid, scene.axis, N_BANDS)
        player["spectrum"] = self.shelf.spectrum(place, bands, scene.loudest)
        return self._playing_at(place, player, x, levels)

    def planted(self, name: str, said: Mapping[str, Any], x: np.ndarray) -> Json:
        """The player of a sound of which the clip was mixed."""
        title = ", ".join(said["labels"]) or "white noise"
        player = PLAYER | {"id": name, "kind": name, "title": title}
        levels = levels_of(x, self.scene.grid.sample_rate)
        if levels is None:
            return player | {"words": "Silence."}
        return self._playing_at(f"{self.scene.id}/{name}", player, x, levels)

    def _playing_at(self, place: str, player: Json, x: np.ndarray, levels: Levels) -> Json:
        """A player with the file of its sound, which plays at the level of the others."""
        scene = self.scene
        flac = to_flac(x, scene.grid.sample_rate, levels)
        player["file"] = self.shelf.media.put(f"{place}.flac", flac)
        player["level_dbfs"] = round(levels.rms_dbfs, 2)
        if scene.levels is not None:
            player["gain_db"] = round(levels.loudness - scene.levels.loudness, 2)
        self._playing.append((player, levels))
        self.shelf.n_sounds += 1
        return player

    def prototype(self, prototype: Prototype, target: str) -> Json:
        """The player of a prototype: its level means nothing, so it is matched always."""
        probabilities = prototype.entry["probabilities"]
        player = PLAYER | {
            "id": "prototype",
            "kind": "prototype",
            "title": f"Prototype {prototype.entry['prototype']}",
            "file": prototype.file,
            "spectrum": prototype.spectrum,
            "after": most_probable(probabilities, target),
            "target_probability": probabilities[target],
        }
        self._without_level.append((player, prototype.levels))
        self.shelf.n_sounds += 1
        return player

    def set_volumes(self) -> None:
        """Once all are there."""
        volumes = Volumes.of(levels for _, levels in self._playing)
        for player, levels in self._playing:
            player["volume_matched"] = volumes.matched(levels)
            player["volume_true"] = volumes.true(levels)
        for player, levels in self._without_level:
            player["volume_matched"] = player["volume_true"] = volumes.matched(levels)
