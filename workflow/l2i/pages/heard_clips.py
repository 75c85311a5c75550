"""Clips of a listening page: its data, and the files for what is heard and seen of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from l2i.checks import REMAKE, InputError
from l2i.features.audio import decode, to_mono
from l2i.hashing import file_sha256
from l2i.pages.interpreted import (
    Heard,
    Interpretation,
    company_of,
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
)
from l2i.pages.masks import component_masks, segment_masks
from l2i.pages.media import Media, safe_id
from l2i.pages.pictures import coloured, shade
from l2i.pages.playback import levels_of, to_flac
from l2i.pages.players import N_BANDS, Json, Players, Prototype, Scene, Shelf
from l2i.pages.spectrograms import Axis, band_levels, bands_of, outline, spectrogram

N_ROWS, N_COLUMNS = 180, 480  # of a picture, at most


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


class Composer:
    """Makes data of clips, one after the other; the shelf grows with them.

    Parameters
    ----------
    media : Media
        Takes the files.
    prototypes : sequence of Heard
        Folders of prototypes, for clips of their data set and fold.
    """

    def __init__(self, media: Media, prototypes: Sequence[Heard]) -> None:
        self.shelf, self.prototypes = Shelf(media), prototypes
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
        players = Players(self.shelf, scene)
        picture = spectrogram(x, scene.grid, scene.axis, n_rows=N_ROWS, n_columns=N_COLUMNS)
        data = {
            "id": id,
            "name": name,
            "dataset": clip.dataset,
            "fold": clip.fold,
            **company_of(first.about),
            "truth": first.about["labels"],
            "seconds": scene.seconds,
            "rate_hz": rate,
            "axis": {"low_hz": scene.axis.low_hz, "high_hz": scene.axis.high_hz},
            "picture": self.shelf.media.put(f"{id}/input.png", coloured(picture)),
            "wave": outline(x),
            "input": players.input(x, first),
            "planted": [
                players.planted(name, said, samples_of(path, said))
                for name, said in first.planted.items()
            ],
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

    def spectrum_of_component(self, heard: Heard, W: np.ndarray, k: int, scene: Scene) -> str:
        """Keep a column of a dictionary, in percent of its largest band; its key."""
        key = f"{safe_id('W', str(heard.folder))}-{k}"
        if key not in self.shelf.spectra:
            bands = bands_of(scene.grid, scene.axis, N_BANDS) @ W[:, k]
            percent = 100 * bands / max(float(bands.max()), 1e-12)
            self.shelf.spectra[key] = [round(float(each)) for each in percent]
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
        else:
            return {}
        return {
            name: self.shelf.media.put(f"{scene.id}/{id}/{safe_id(name)}.png", shade(mask))
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
                self.shelf.media.put(f"prototypes/{id}.flac", to_flac(x, rate, levels)),
                levels,
                self.shelf.spectrum(f"prototype-{id}", bands, float(bands.max())),
            )
        return self._prototypes[heard.folder, target]
