"""What is written to be listened to: the files of a clip, and those of one interpreted decision.

Every sound has the length and the level of the clip as read, so that it compares by ear with the
clip and with what other methods write of it. Beside it stands what the predictor says of it, see
:mod:`l2i.interpretation.hearing`.

A folder of interpretations holds `{clip}/input.wav` and, for each class that is interpreted,
`{clip}/{class}/interpretation.json` with its sounds. Where components of a dictionary explain, all
masks follow from `dictionary.npy`, (n_bins, K), and `{clip}/activations.npy`, (K, n_frames), both
float32: they are the soft masks of l2i.interpretation.relevance. Where it is known of what a clip
was mixed, `{clip}/source.wav` and `{clip}/other.wav` add up to it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from l2i.disk import write_text, writing
from l2i.features.audio import write_wav
from l2i.interpretation.hearing import Hearing, as_heard
from l2i.metrics import si_sdr

if TYPE_CHECKING:  # it takes pandas, for which who explains one sound should not wait
    from l2i.datasets.fold import Fold


@dataclass(frozen=True)
class Planted:
    """A sound of which a clip was mixed."""

    name: str  # source: what is looked for; other: its company
    waveform: np.ndarray  # (n_samples,), at the level that it has in the clip as read
    labels: Sequence[str]  # its classes; none of noise
    clip: str  # its clip of the corpus; "" of noise


@dataclass(frozen=True)
class Clip:
    """A clip as the networks hear it, and what brings it back to the level of its file."""

    name: str
    labels: list[str]
    waveform: Tensor  # (n_samples,), scaled as for its features
    gain: float  # level as read over level of `waveform`
    sample_rate: int
    absent: Sequence[str] = ()  # classes that are known not to be there
    corruption: Mapping[str, object] | None = None  # how it was mixed: kind, snr_db, seed
    planted: Sequence[Planted] = ()  # of what it was mixed: source, then other

    @property
    def as_read(self) -> np.ndarray:
        """The clip at the level of its file, (n_samples,)."""
        return self.gain * self.waveform.numpy()

    def has(self, label: str) -> bool | None:
        """Whether a class is there; None where nobody knows."""
        return True if label in self.labels else False if label in self.absent else None


@dataclass(frozen=True)
class Sound:
    """One of the sounds that interpret a decision."""

    kind: str  # interpretation, remainder, component or segment
    waveform: np.ndarray  # (n_samples,), at the level of the clip as read
    more: Mapping[str, object] = field(default_factory=dict)  # plain values, such as a relevance


@dataclass(frozen=True)
class Predictor:
    """Whose decision is interpreted."""

    name: str  # classifier, or, by design, interpreter
    classes: Sequence[str]
    probabilities: Callable[[Tensor], Tensor]  # (B, C) of log-mels (B, n_frames, n_mels)
    hearing: Hearing
    device: str


def hearing_of(fold: Fold, clip_seconds: float) -> Hearing:
    """How the networks of a fold come to hear clips."""
    return Hearing(fold.front_end, fold.waveform_scale, clip_seconds)


def write_input(folder: Path, clip: Clip) -> None:
    """The folder of a clip, made here, with the clip as read and what was planted in it."""
    folder.mkdir()
    write_wav(folder / "input.wav", clip.as_read, sample_rate=clip.sample_rate)
    for each in clip.planted:
        write_wav(folder / f"{each.name}.wav", each.waveform, sample_rate=clip.sample_rate)


def write_array(path: Path, values: Tensor) -> None:
    """A dictionary or activations, as float32 in NumPy's format."""
    array = np.ascontiguousarray(values.numpy(force=True), dtype="<f4")
    with writing(path, n_bytes=array.nbytes):
        np.save(path, array)


def write_interpretation(
    folder: Path,
    clip: Clip,
    sounds: Mapping[str, Sound],
    about: Mapping[str, object],
    predictor: Predictor,
    *,
    target: str,
) -> None:
    """One interpreted decision: its sounds, what they are, and what the predictor hears in each.

    Parameters
    ----------
    folder : Path
        Made here, named after the class.
    clip : Clip
        What was interpreted.
    sounds : mapping of str to Sound
        By name of their file: interpretation, remainder, then the parts.
    about : mapping
        Plain values on the decision, for interpretation.json.
    predictor : Predictor
        Whose decision it was.
    target : str
        The class that is interpreted.
    """
    said = as_heard(
        predictor.probabilities,
        {name: sound.waveform for name, sound in sounds.items()},
        predictor.hearing,
        peak=float(np.abs(clip.as_read).max(initial=0.0)),
        device=predictor.device,
    )
    heard = ((name, sound, said[name]) for name, sound in sounds.items())
    write_heard(folder, clip, heard, about, predictor, target=target)


def write_heard(
    folder: Path,
    clip: Clip,
    heard: Iterable[tuple[str, Sound, Tensor | None]],
    about: Mapping[str, object],
    predictor: Predictor,
    *,
    target: str,
) -> dict[str, Any]:
    """The same of sounds that come one by one, with what the predictor says of each.

    Returns
    -------
    dict
        What interpretation.json says.
    """
    folder.mkdir()
    files = {}
    for name, sound, probabilities in heard:
        write_wav(folder / f"{name}.wav", sound.waveform, sample_rate=clip.sample_rate)
        files[name] = {
            "file": f"{name}.wav",
            "kind": sound.kind,
            "level_dbfs": level_dbfs(sound.waveform),
            "probabilities": None
            if probabilities is None
            else by_class(predictor.classes, probabilities),
            **sound.more,
            **beside_truth(clip, target, sound),
        }
    description = {
        "clip": clip.name,
        "labels": clip.labels,
        "sample_rate_hz": clip.sample_rate,
        "n_samples": len(clip.waveform),
        "gain_to_original": clip.gain,
        "interpreted_class": target,
        "right": clip.has(target),
        "predictor": predictor.name,
        "front_end": asdict(predictor.hearing.front_end),
        **about,
        **said_of_planted(clip),
        "sounds": files,
    }
    text = json.dumps(description, indent=2, allow_nan=False) + "\n"
    write_text(folder / "interpretation.json", text)
    return description


def said_of_planted(clip: Clip) -> dict[str, Any]:
    """Of what a clip was mixed, for interpretation.json; nothing of a clip as it was recorded."""
    if not clip.planted:
        return {}
    planted = {
        each.name: {
            "file": f"{each.name}.wav",
            "labels": [*each.labels],
            "clip": each.clip,
            "level_dbfs": level_dbfs(each.waveform),
        }
        for each in clip.planted
    }
    return {"corruption": clip.corruption, "planted": planted}


def beside_truth(clip: Clip, target: str, sound: Sound) -> dict[str, Any]:
    """How near an interpretation or a remainder is to what it should be; else nothing.

    An interpretation should be what was planted of the class, a remainder the rest. SI-SDR in dB of
    the sound and of the clip as it is, so that what was gained is the difference; None where
    something is silent.
    """
    of_class = [target in each.labels for each in clip.planted]
    if not any(of_class) or sound.kind not in {"interpretation", "remainder"}:
        return {}
    truth = clip.planted[of_class.index(sound.kind == "interpretation")]
    found, before = (
        finite(float(si_sdr(x, truth.waveform))) for x in (sound.waveform, clip.as_read)
    )
    told = {"planted": truth.name, "si_sdr_db": found, "input_si_sdr_db": before}
    return {"truth": told}


def finite(x: float) -> float | None:
    """A number that JSON can hold."""
    return x if math.isfinite(x) else None


def by_class(classes: Sequence[str], probabilities: Tensor) -> dict[str, float]:
    """Probabilities under the names of their classes."""
    return {name: round(float(p), 6) for name, p in zip(classes, probabilities, strict=True)}


def level_dbfs(x: Tensor | np.ndarray) -> float | None:
    """Root mean square level in dB re full scale; None for digital silence."""
    mean_square = float(np.mean(np.square(np.asarray(x, dtype=np.float64))))
    return 10 * np.log10(mean_square) if mean_square > 0 else None
