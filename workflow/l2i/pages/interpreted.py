"""Folders of interpretations and of prototypes, read back; and what is said of them in words.

What lies in such folders is told in l2i.interpretation.listening.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from l2i.checks import REMAKE, InputError, reason
from l2i.features.audio import decode, to_mono
from l2i.pages.spectrograms import Grid
from l2i.stored import read_json

N_PROBABLE = 5  # classes that are told of a decision
# What is asked of interpretation.json; more is told where it is there.
NEEDED = {"clip", "labels", "interpreted_class", "predictor", "front_end", "sounds"}


@dataclass(frozen=True)
class Heard:
    """One folder of interpretations, or of prototypes, and what its page calls it."""

    system: str  # its title in print
    folder: Path
    dataset: str  # title in print
    fold: str  # "" where there is none
    run: str  # "" where there is none


@dataclass(frozen=True)
class Interpretation:
    """One interpreted decision on disk: interpretation.json and its sounds."""

    folder: Path

    @cached_property
    def about(self) -> dict[str, Any]:
        """All that interpretation.json says."""
        path = self.folder / "interpretation.json"
        about = read_json(path, dict)
        if missing := NEEDED - about.keys():
            raise InputError(f"{path} says nothing of {', '.join(sorted(missing))}; {REMAKE}")
        return about

    @property
    def target(self) -> str:
        """The class that is interpreted."""
        return self.about["interpreted_class"]

    @property
    def predictor(self) -> str:
        """Whose decision it was: classifier, or interpreter."""
        return self.about["predictor"]

    @property
    def decided(self) -> bool:
        """Whether the predictor decides for the class; else it is explained all the same."""
        return self.about.get("decided", True)

    @property
    def grid(self) -> Grid:
        """The STFT in which sounds were masked."""
        return grid_of(self.about["front_end"])

    @property
    def probabilities(self) -> dict[str, float]:
        """What the predictor says of the clip, by class."""
        return self.about[f"{self.predictor}_probabilities"]

    @property
    def sounds(self) -> dict[str, dict[str, Any]]:
        """What is said of each sound, by its name."""
        return self.about["sounds"]

    @property
    def planted(self) -> dict[str, dict[str, Any]]:
        """What is said of each sound of which the clip was mixed, by its name; mostly nothing."""
        return self.about.get("planted", {})

    @property
    def components(self) -> list[int]:
        """Numbers of the components that were selected, the most relevant first."""
        return [number_of(name) for name, said in self.sounds.items() if is_component(said)]

    @property
    def stretches(self) -> list[tuple[float, float]]:
        """Begin and end in seconds of the segments that were kept."""
        kept = [each for each in self.about.get("segments", []) if each["kept"]]
        return [(each["start_seconds"], each["end_seconds"]) for each in kept]


def interpretations_of(clip: Path) -> list[Interpretation]:
    """What is interpreted of a clip, the most probable class first."""
    found = [Interpretation(path.parent) for path in clip.glob("*/interpretation.json")]
    return sorted(found, key=lambda each: (-each.probabilities[each.target], each.target))


def is_component(said: Mapping[str, Any]) -> bool:
    """Whether a sound is that of one component."""
    return said["kind"] == "component"


def number_of(name: str) -> int:
    """Number of a component or a segment, by the name of its sound."""
    return int(name.rpartition("_")[2])


def grid_of(front_end: Mapping[str, int]) -> Grid:
    """The STFT of a front end's settings."""
    return Grid(**{name: front_end[name] for name in ("sample_rate", "n_fft", "hop_length")})


def samples_of(folder: Path, said: Mapping[str, Any]) -> np.ndarray:
    """The waveform that an entry names, which must be a file of its folder."""
    name = said["file"]
    if Path(name).name != name:
        raise InputError(f"{folder}: {name!r} is no name of a file in it; {REMAKE}")
    return to_mono(decode(folder / name)[0])


def read_array(path: Path) -> np.ndarray:
    """A dictionary or activations: two axes of numbers."""
    try:
        array = np.load(path)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path} holds no whole array ({reason(error)}); {REMAKE}") from error
    if array.ndim != 2 or array.dtype != "<f4":
        raise InputError(f"{path} holds something else than a matrix of float32; {REMAKE}")
    return array


def read_prototypes(folder: Path) -> dict[str, dict[str, Any]]:
    """What prototypes.json says of the prototype of each class."""
    path = folder / "prototypes.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {entry["class"]: entry for entry in entries}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} tells of no prototypes ({reason(error)}); {REMAKE}") from error


def most_probable(probabilities: Mapping[str, float] | None, target: str) -> list[list[Any]]:
    """Some classes and their probabilities, the most probable and the target, falling."""
    falling = sorted((probabilities or {}).items(), key=lambda item: (-item[1], item[0]))
    return [[c, p] for i, (c, p) in enumerate(falling) if i < N_PROBABLE or c == target]


def timeline_of(clip: Path) -> dict[str, Any] | None:
    """What the predictor says of the windows of a long clip; None where it was heard at once.

    Windows may overlap: each ends where half of what it shares with the next is over. Told are the
    classes that are most probable anywhere.
    """
    path = clip / "timeline.json"
    if not path.exists():
        return None
    said = read_json(path, dict)
    starts, ends = said["start_seconds"], said["end_seconds"]
    inner = [(end + start) / 2 for end, start in zip(ends, starts[1:], strict=False)]
    rows = sorted(said["probabilities"].items(), key=lambda item: (-max(item[1]), item[0]))
    return {
        "edges_seconds": [round(each, 3) for each in (starts[0], *inner, ends[-1])],
        "rows": [{"class": c, "probabilities": p} for c, p in rows[:N_PROBABLE]],
    }


# ------------------------------------------------------------------ in words


KINDS = {"noise": "noise", "class": "mixture"}  # of corruption, and what its clips are called


def company_of(about: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a clip is as it was recorded, or how it was mixed and at which ratio in dB."""
    corruption = about.get("corruption")
    if corruption is None:
        return {"kind": "clean", "snr_db": None}
    return {"kind": KINDS[corruption["kind"]], "snr_db": corruption["snr_db"]}


def title_of(name: str, said: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """What a sound is called."""
    if is_component(said):
        return f"Component {number_of(name)}"
    if said["kind"] == "segment":
        segment = about["segments"][number_of(name)]
        return f"{segment['start_seconds']:.2f} to {segment['end_seconds']:.2f} s"
    return said["kind"].capitalize()


def why_silent(kind: str, about: Mapping[str, Any], *, silent_clip: bool) -> str:
    """Why there is nothing to hear."""
    if kind == "interpretation" and (nothing := _nothing_found(about)):
        return f"{nothing}, so there is nothing to hear."
    if silent_clip:
        return "Silence, as all of the clip is."
    if kind == "remainder":
        return "Nothing is left without the interpretation."
    if kind == "segment":
        return "Silence: the clip has nothing to hear here."
    return "Silence: the mask leaves nothing of the clip."


def remarks_on(interpretation: Interpretation) -> list[str]:
    """What a listener should know of a decision and of how it is explained."""
    about, target = interpretation.about, interpretation.target
    remarks = [*about.get("notes", [])]  # such as what was done to a sound of one's own
    if not interpretation.decided:
        though = " though no class is more probable," if _is_most_probable(interpretation) else ""
        remarks.append(
            f"The {interpretation.predictor} does not decide for {target},{though} and what speaks "
            "for it is explained all the same."
        )
    if nothing := _nothing_found(about):
        remarks.append(f"{nothing}: all of the clip is in the remainder.")
    if "segments" in about:
        remarks.append(
            "Explained by segments of the clip along time, not by components. The linear model "
            f"behind them accounts for {_percent(about['r2'])} of the variance of what the "
            f"{interpretation.predictor} answers."
        )
    if interpretation.predictor == "interpreter":
        remarks.append("By design: the interpreter itself decides.")
    return remarks


def remarks_on_prototype(entry: Mapping[str, Any], system: str) -> list[str]:
    """What a listener should know of a prototype."""
    labels = ", ".join(entry["its_labels"]) or "no label"
    return [
        f"The prototype that speaks most for {entry['class']} among those that {system} has "
        "learned, decoded to sound. It belongs to no clip; the training clip nearest to it is "
        f"{entry['nearest_training_clip']} ({labels}).",
        f"The probabilities are what {system} itself says of this sound.",
    ]


def _is_most_probable(interpretation: Interpretation) -> bool:
    probabilities = interpretation.probabilities
    return probabilities[interpretation.target] == max(probabilities.values())


def _nothing_found(about: Mapping[str, Any]) -> str | None:
    """That nothing explains the decision; None where something does."""
    if any(said["kind"] in {"component", "segment"} for said in about["sounds"].values()):
        return None
    if "segments" in about:
        return f"No segment speaks for {about['interpreted_class']}"
    largest = max(about["relevances"])
    return (
        f"No component's relevance exceeds {about['threshold']:g} (the largest is {largest:.2g})"
        if math.isfinite(largest)
        else None
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
