"""What is written to be listened to: which clips, decided on how, and the files of one decision.

Every sound has the length and the level of the clip as read, so that it compares by ear with the
clip and with what other methods write of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor
from torch.nn.functional import pad

from l2i.checks import InputError
from l2i.datasets.fold import Fold
from l2i.disk import write_text
from l2i.features.audio import read_audio, write_wav
from l2i.networks.classifier import Classifier
from l2i.stored import read_json
from l2i.streams import random_stream


@dataclass(frozen=True)
class Clip:
    """A clip as the networks hear it, and what brings it back to the level of its file."""

    name: str
    labels: list[str]
    waveform: Tensor  # (n_samples,), scaled as for its features
    gain: float  # level as read over level of `waveform`
    sample_rate: int

    @property
    def as_read(self) -> np.ndarray:
        """The clip at the level of its file, (n_samples,)."""
        return self.gain * self.waveform.numpy()


def open_clip(fold: Fold, row: int, data: str) -> Clip:
    """A clip of a fold, as long as its file below the data folder, or as its piece of that."""
    rate, span = fold.front_end.sample_rate, fold.span(row)
    path = Path(data) / fold.dataset / fold.index["path"].iloc[row]
    waveform = fold.waveform(data, row)
    peak = float(waveform.abs().max())
    known = zip(fold.classes, fold.targets([row])[0].tolist(), strict=True)
    return Clip(
        name=fold.index["clip"].iloc[row],
        labels=[name for name, value in known if value == 1],
        waveform=waveform,
        gain=float(np.abs(read_audio(path, sample_rate=rate, span=span)).max()) / peak
        if peak
        else 1.0,
        sample_rate=rate,
    )


def chosen_clips(fold: Fold, listening: list[str] | int, seed: int) -> list[int]:
    """Rows of the test clips that are named, or of so many drawn at random."""
    if isinstance(listening, int):
        n = min(listening, len(fold.test_rows))
        return sorted(random_stream(seed, "listening").choice(fold.test_rows, n, replace=False))
    names = fold.index["clip"]
    unknown = sorted(set(listening) - set(names))
    if unknown:
        raise InputError(
            f"datasets.{fold.dataset}.listening names {', '.join(unknown)}: the corpus has none "
            "such. Names are those of audio files without their suffix"
        )
    return [row for row in fold.test_rows if names.iloc[row] in listening]


def rows_of_chosen(fold: Fold, path_to_clips: str | Path) -> list[int]:
    """Rows of the clips that a fold's list names, in the order of the index."""
    chosen = read_json(path_to_clips, list)
    return [row for row in fold.test_rows if fold.index["clip"].iloc[row] in chosen]


def decided_log_mel(fold: Fold, waveform: Tensor, clip_seconds: float) -> Tensor:
    """Log-mel (1, n_frames, n_mels) of a clip at the length at which scores decide on it."""
    n_samples = round(clip_seconds * fold.front_end.sample_rate)
    decided = pad(waveform, (0, n_samples - len(waveform)))  # crops where negative
    return fold.front_end.log_mel(fold.front_end.stft(decided))[None]


def interpreted_classes(classifier: Classifier, logits: Tensor) -> list[int]:
    """The classes that logits (1, C) decide for; the most probable one where there is none."""
    classes = classifier.decisions(logits)[0].nonzero()[:, 0].tolist()
    return classes or [int(logits.argmax())]


def write_interpretation(
    folder: Path,
    clip: Clip,
    sounds: Mapping[str, np.ndarray],
    about: Mapping[str, object],
    *,
    of_sounds: Mapping[str, Mapping[str, object]] | None = None,
) -> None:
    """One interpreted decision: its sounds, and what they are.

    Parameters
    ----------
    folder : Path
        Made here, named after the class.
    clip : Clip
        What was interpreted.
    sounds : mapping of str to np.ndarray [shape=(n_samples,)]
        By name of their file, at the level of the clip as read.
    about : mapping
        Plain values on the decision, for interpretation.json.
    of_sounds : mapping, optional
        Plain values on some of the sounds, by their names.
    """
    folder.mkdir()
    files: dict[str, dict[str, object]] = {}
    for name, sound in sounds.items():
        write_wav(folder / f"{name}.wav", sound, sample_rate=clip.sample_rate)
        files[name] = {"file": f"{name}.wav", "level_dbfs": level_dbfs(sound)}
        files[name] |= (of_sounds or {}).get(name, {})
    description = {
        "clip": clip.name,
        "labels": clip.labels,
        "sample_rate_hz": clip.sample_rate,
        "n_samples": len(clip.waveform),
        "gain_to_original": clip.gain,
        **about,
        "sounds": files,
    }
    text = json.dumps(description, indent=2, allow_nan=False) + "\n"
    write_text(folder / "interpretation.json", text)


def by_class(classes: Sequence[str], probabilities: Tensor) -> dict[str, float]:
    """Probabilities under the names of their classes."""
    return {name: round(float(p), 6) for name, p in zip(classes, probabilities, strict=True)}


def level_dbfs(x: Tensor | np.ndarray) -> float | None:
    """Root mean square level in dB re full scale; None for digital silence."""
    mean_square = float(np.mean(np.square(np.asarray(x, dtype=np.float64))))
    return 10 * np.log10(mean_square) if mean_square > 0 else None
