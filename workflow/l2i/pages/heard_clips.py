"""Clips of a listening page: its data, and the files for what is heard and seen of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from l2i.checks import REMAKE, InputError
from l2i.features.audio import decode, to_mono
from l2i.hashing import file_sha256
from l2i.pages.interpreted import (
    Heard,
    Interpretation,
    grid_of,
    interpretations_of,
    is_component,
    most_probable,
    number_of,
    read_array,
    read_prototypes,
    remarks_on,
    remarks_on_prototype,
    samples_of,
    timeline_of,
    title_of,
    why_silent,
)
from l2i.pages.media import Media, safe_id
from l2i.pages.pictures import coloured, shade
from l2i.pages.playback import Levels, Volumes, levels_of, to_flac
from l2i.pages.spectrograms import (
    Axis,
    Grid,
    band_levels,
    bands_of,
    in_columns,
    in_percent,
    outline,
    shares,
    spectrogram,
)

N_ROWS, N_COLUMNS = 180, 480  # of a picture, at most
N_MASK_ROWS, N_MASK_COLUMNS = 90, 240  # of a mask, which is stretched over it
N_BANDS = 64  # of a spectrum

Json = dict[str, Any]


@dataclass(frozen=True)
class HeardClip:
    """A clip, and the folders in which it is interpreted."""

    dataset: str
    fold: str
    folder: str  # their name
    sha256: str  # of their input.wav
    heard: list[tuple[Heard, Path]] = field(default_factory=list)


def clips_of(heard: Iterable[Heard]) -> list[HeardClip]:
    """Clips of folders of interpretations, in the order of the folders and by name.

    What has another sound is another clip, whatever it is called.
    """
    found: dict[tuple[str, str, str, str], HeardClip] = {}
    for each in heard:
        for path in sorted(each.folder.glob("*/input.wav")):
            key = each.dataset, each.fold, path.parent.name, file_sha256(path)
            found.setdefault(key, HeardClip(*key)).heard.append((each, path.parent))
    return list(found.values())


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


class Composer:
    """Makes data of clips, one after the other; `spectra` and `n_sounds` grow with them.

    Parameters
    ----------
    media : Media
        Takes the files.
    prototypes : sequence of Heard
        Folders of prototypes, for clips of their data set and fold.
    """

    def __init__(self, media: Media, prototypes: Sequence[Heard]) -> None:
        self.media, self.prototypes = media, prototypes
        self.spectra: dict[str, list[int]] = {}
        self.n_sounds = 0
        self._dictionaries: dict[Path, np.ndarray | None] = {}
        self._prototypes: dict[tuple[Path, str], Prototype] = {}

    def compose(self, clip: HeardClip) -> Json:
        """The data of a clip, as its page takes it; its files are written."""
        found = [(heard, each) for heard, path in clip.heard for each in interpretations_of(path)]
        if not found:
            raise InputError(f"{clip.heard[0][1]} holds no interpretation of a clip; {REMAKE}")
        first, path = found[0][1], clip.heard[0][1]
        x, rate = decode(path / "input.wav")
        x, name = to_mono(x), first.about["clip"]
        levels = levels_of(x, rate)
        bands = band_levels(x, first.grid, first.grid.axis, N_BANDS)
        id = safe_id(name, clip.dataset, clip.fold, clip.sha256)
        scene = Scene(id, first.grid, len(x), levels, float(bands.max()))
        players = Players(self, scene)
        picture = spectrogram(x, scene.grid, scene.axis, n_rows=N_ROWS, n_columns=N_COLUMNS)
        data = {
            "id": id,
            "name": name,
            "dataset": clip.dataset,
            "fold": clip.fold,
            "truth": first.about["labels"],
            "seconds": scene.seconds,
            "rate_hz": rate,
            "axis": {"low_hz": scene.axis.low_hz, "high_hz": scene.axis.high_hz},
            "picture": self.media.put(f"{id}/input.png", coloured(picture)),
            "wave": outline(x),
            "input": players.input(x, first),
            "timeline": timeline_of(path),
            "interpretations": [self._interpretation(*each, players) for each in found]
            + [*self._prototypes_of(clip, found, players)],
        }
        players.set_volumes()
        return data

    def dictionary(self, folder: Path) -> np.ndarray | None:
        """The dictionary behind the masks of a folder, (n_bins, K), if there is one."""
        if folder not in self._dictionaries:
            path = folder / "dictionary.npy"
            self._dictionaries[folder] = read_array(path) if path.exists() else None
        return self._dictionaries[folder]

    def spectrum(self, key: str, bands: np.ndarray, loudest: float) -> str:
        """Keep a spectrum; its key."""
        self.spectra[key] = in_percent(bands, loudest)
        return key

    def spectrum_of_component(self, heard: Heard, W: np.ndarray, k: int, scene: Scene) -> str:
        """Keep a column of a dictionary, in percent of its largest band; its key."""
        key = f"{safe_id('W', str(heard.folder))}-{k}"
        if key not in self.spectra:
            bands = bands_of(scene.grid, scene.axis, N_BANDS) @ W[:, k]
            percent = 100 * bands / max(float(bands.max()), 1e-12)
            self.spectra[key] = [round(float(each)) for each in percent]
        return key

    def _interpretation(
        self, heard: Heard, interpretation: Interpretation, players: Players
    ) -> Json:
        about, target = interpretation.about, interpretation.target
        id = safe_id(f"{heard.system} {target}", heard.folder.as_posix())
        W = self.dictionary(heard.folder)
        masks = self._masks(interpretation, W, players.scene, id)
        sounds = []
        for name, said in interpretation.sounds.items():
            x = samples_of(interpretation.folder, said)
            sound = players.sound(name, said, x, interpretation, id)
            sound["mask"] = masks.get(name) if sound["file"] else None
            if W is not None and is_component(said):
                column = number_of(name)
                sound["spectrum"] = self.spectrum_of_component(heard, W, column, players.scene)
            sounds.append(sound)
        return {
            "id": id,
            "system": heard.system,
            "run": heard.run,
            "kind": "interpretation",
            "target": target,
            "decided": interpretation.decided,
            "right": about.get("right"),
            "predictor": interpretation.predictor,
            "threshold": about.get("threshold"),
            "before": most_probable(interpretation.probabilities, target),
            "notes": remarks_on(interpretation),
            "sounds": sounds,
        }

    def _masks(
        self, interpretation: Interpretation, W: np.ndarray | None, scene: Scene, id: str
    ) -> dict[str, str]:
        """Files of the masks of all sounds that have one, by their names."""
        if W is not None and interpretation.components:
            found = component_masks(interpretation, W, scene)
        elif interpretation.stretches:
            found = segment_masks(interpretation, scene)
        elif interpretation.mask is not None:
            found = cell_masks(interpretation, interpretation.mask, scene)
        else:
            return {}
        return {
            name: self.media.put(f"{scene.id}/{id}/{safe_id(name)}.png", shade(mask))
            for name, mask in found
        }

    def _prototypes_of(
        self,
        clip: HeardClip,
        found: Sequence[tuple[Heard, Interpretation]],
        players: Players,
    ) -> Iterator[Json]:
        """Prototypes of the classes that a clip is interpreted for."""
        targets = dict.fromkeys(interpretation.target for _, interpretation in found)
        for heard in self.prototypes:
            if (heard.dataset, heard.fold) != (clip.dataset, clip.fold):
                continue
            for target in targets:
                prototype = self._prototype(heard, target, players.scene.axis)
                if prototype is not None:
                    yield {
                        "id": safe_id(f"{heard.system} {target}", heard.folder.as_posix()),
                        "system": heard.system,
                        "run": heard.run,
                        "kind": "prototype",
                        "target": target,
                        "decided": False,
                        "right": None,
                        "predictor": "",
                        "threshold": None,
                        "before": [],
                        "notes": remarks_on_prototype(prototype.entry, heard.system),
                        "sounds": [players.prototype(prototype, target)],
                    }

    def _prototype(self, heard: Heard, target: str, axis: Axis) -> Prototype | None:
        """The prototype of a class, whose file is written once."""
        if (heard.folder, target) not in self._prototypes:
            entry = read_prototypes(heard.folder).get(target)
            if entry is None:
                return None
            x, rate = samples_of(heard.folder, entry), entry["sample_rate_hz"]
            levels = levels_of(x, rate)
            if levels is None:
                return None
            id = safe_id(target, str(heard.folder))
            bands = band_levels(x, grid_of(entry["front_end"]), axis, N_BANDS)
            self._prototypes[heard.folder, target] = Prototype(
                entry,
                self.media.put(f"prototypes/{id}.flac", to_flac(x, rate, levels)),
                levels,
                self.spectrum(f"prototype-{id}", bands, float(bands.max())),
            )
        return self._prototypes[heard.folder, target]


class Players:
    """Players of one clip, which are compared with each other by ear."""

    def __init__(self, composer: Composer, scene: Scene) -> None:
        self.composer, self.scene = composer, scene
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
        rate = scene.grid.sample_rate
        levels = None if probabilities is None else levels_of(x, rate)
        place = "/".join(part for part in (scene.id, id, safe_id(name)) if part)
        player = {
            "id": name,
            "kind": said["kind"],
            "title": title_of(name, said, interpretation.about),
            "file": None,
            "words": "",
            "volume_matched": 0.0,
            "volume_true": 0.0,
            "gain_db": None,
            "level_dbfs": None,
            "relevance": said.get("relevance"),
            "mask": None,
            "spectrum": None,
            "after": most_probable(probabilities, target),
            "target_probability": None if probabilities is None else probabilities[target],
        }
        if levels is None:
            silent_clip = scene.levels is None
            words = why_silent(said["kind"], interpretation.about, silent_clip=silent_clip)
            return player | {"words": words}
        bands = band_levels(x, scene.grid, scene.axis, N_BANDS)
        player["file"] = self.composer.media.put(f"{place}.flac", to_flac(x, rate, levels))
        player["spectrum"] = self.composer.spectrum(place, bands, scene.loudest)
        player["level_dbfs"] = round(levels.rms_dbfs, 2)
        if scene.levels is not None:
            player["gain_db"] = round(levels.loudness - scene.levels.loudness, 2)
        self._playing.append((player, levels))
        self.composer.n_sounds += 1
        return player

    def prototype(self, prototype: Prototype, target: str) -> Json:
        """The player of a prototype: its level means nothing, so it is matched always."""
        probabilities = prototype.entry["probabilities"]
        player = {
            "id": "prototype",
            "kind": "prototype",
            "title": f"Prototype {prototype.entry['prototype']}",
            "file": prototype.file,
            "words": "",
            "gain_db": None,
            "level_dbfs": None,
            "relevance": None,
            "mask": None,
            "spectrum": prototype.spectrum,
            "after": most_probable(probabilities, target),
            "target_probability": probabilities[target],
        }
        self._without_level.append((player, prototype.levels))
        self.composer.n_sounds += 1
        return player

    def set_volumes(self) -> None:
        """Once all are there."""
        volumes = Volumes.of(levels for _, levels in self._playing)
        for player, levels in self._playing:
            player["volume_matched"] = volumes.matched(levels)
            player["volume_true"] = volumes.true(levels)
        for player, levels in self._without_level:
            player["volume_matched"] = player["volume_true"] = volumes.matched(levels)


def component_masks(
    interpretation: Interpretation, W: np.ndarray, scene: Scene
) -> Iterator[tuple[str, np.ndarray]]:
    """Names of the sounds of components, and their masks."""
    H = read_array(interpretation.folder.parent / "activations.npy")
    n_frames = -(-scene.n_samples // scene.grid.hop_length) + 1  # without what silence was added
    components = interpretation.components
    if W.shape[1] != len(H) or W.shape[0] != scene.grid.n_fft // 2 + 1 or max(components) >= len(H):
        raise InputError(
            f"{interpretation.folder}: dictionary and activations do not fit what was selected of "
            f"them; {REMAKE}"
        )
    sets = [components, *([k] for k in components)]
    how = {"n_rows": N_MASK_ROWS, "n_columns": N_MASK_COLUMNS}
    masks = shares(W, H[:, :n_frames], sets, scene.grid, scene.axis, **how)
    singles = iter(masks[1:])
    for name, said in interpretation.sounds.items():
        if is_component(said):
            yield name, next(singles)
        else:
            yield name, masks[0] if said["kind"] == "interpretation" else 1 - masks[0]


def segment_masks(interpretation: Interpretation, scene: Scene) -> Iterator[tuple[str, np.ndarray]]:
    """Names of the sounds of segments, and their masks of one row."""
    t = (np.arange(N_COLUMNS) + 0.5) * scene.seconds / N_COLUMNS

    def within(stretches: Iterable[tuple[float, float]]) -> np.ndarray:
        inside = [(t >= start) & (t < end) for start, end in stretches]
        return np.any(inside, axis=0)[None].astype(float)

    kept = within(interpretation.stretches)
    segments = interpretation.about["segments"]
    for name, said in interpretation.sounds.items():
        if said["kind"] == "segment":
            one = segments[number_of(name)]
            yield name, within([(one["start_seconds"], one["end_seconds"])])
        else:
            yield name, kept if said["kind"] == "interpretation" else 1 - kept


def cell_masks(
    interpretation: Interpretation, path: Path, scene: Scene
) -> Iterator[tuple[str, np.ndarray]]:
    """Names of the sounds that a mask of single cells divides a clip into, and their masks.

    What is kept is drawn over its largest value: a few cells that stand out leave the others faint.
    """
    mask = read_array(path, "<f2")
    if len(mask) != scene.grid.n_fft // 2 + 1:
        raise InputError(f"{path} does not fit the STFT that it was taken from; {REMAKE}")
    B = bands_of(scene.grid, scene.axis, N_MASK_ROWS)
    kept = in_columns([B @ mask.astype(np.float32)], mask.shape[1], N_MASK_COLUMNS)
    for name, said in interpretation.sounds.items():
        if said["kind"] == "interpretation":
            yield name, kept / max(float(kept.max()), 1e-12)
        else:
            yield name, 1 - kept
