"""Explanations on disk: folders of interpretations, and the page that plays them.

What is written lies in one folder, which `l2i.json` marks as such: the page in `index.html`, its
data and `media/`, the sounds with what is said of them in `sounds/`, as told in
:mod:`l2i.interpretation.listening`. Sounds are made, written and forgotten one by one, so that a
long recording takes the memory of one.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from l2i.checks import InputError
from l2i.disk import PART, require_room, write_text, writing
from l2i.features.audio import write_wav
from l2i.interpretation.listening import Clip, Predictor, Sound, write_array, write_heard
from l2i.names import file_name
from l2i.stored import read_json

if TYPE_CHECKING:
    from l2i.interpretation.explanation import Explanation
    from l2i.interpretation.model import Model

MARK = "l2i.json"
SOUNDS = "sounds"
LONGEST = 15 * 60  # seconds of a sound on a page, whose levels and pictures then take some 4 GB
MOST_SAMPLES = 2**30  # of all sounds that explain one: 6.8 hours at 44.1 kHz, 4.3 GB
OWN = "own sounds"  # in the place of a data set
ELSEWHERE = "name another folder"


@contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which takes the place of `folder` once it is whole.

    Raises
    ------
    InputError
        If something else is in its place: see :func:`require_ours`.
    """
    require_ours(folder)
    folder = folder.absolute()
    part = folder.with_name(f"{PART}{folder.name}")
    with writing(part, elsewhere=ELSEWHERE):
        shutil.rmtree(part, ignore_errors=True)  # left by a killed process
        part.mkdir(parents=True)
    try:
        with writing(part, elsewhere=ELSEWHERE):
            yield part
            if folder.exists():
                shutil.rmtree(folder)
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def require_ours(folder: Path) -> None:
    """Raise InputError unless a folder is missing, or holds nothing but what was written here."""
    if not folder.exists() and not folder.is_symlink():
        return
    others = [""]
    if folder.is_dir() and not folder.is_symlink():
        path = folder / MARK
        written = read_json(path, dict).get("files", []) if path.is_file() else []
        others = [each for each in _files_of(folder) if each not in {*written, MARK}]
    if others:
        raise InputError(
            f"{folder / others[0]} is something else, which would be overwritten: {ELSEWHERE}, or "
            "move it away"
        )


def _files_of(folder: Path) -> list[str]:
    """What lies in a folder, at any depth, that is no folder itself."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    )


def mark(folder: Path, model: Model, clips: Sequence[str]) -> None:
    """Say in a folder what it is, of which sounds and by which model, once all else is in it."""
    about = {"written_by": "l2i", "clips": list(clips), "model": model.card}
    about["files"] = _files_of(folder)
    write_text(folder / MARK, json.dumps(about, indent=1) + "\n")


def write_dictionary(folder: Path, model: Model) -> None:
    """Begin a folder of interpretations, made here."""
    folder.mkdir()
    write_array(folder / "dictionary.npy", model.dictionary)


def write_explanations(
    folder: Path, explanation: Explanation, targets: Sequence[str]
) -> list[dict[str, Any]]:
    """Write a sound and what explains some classes in it, or nothing.

    Parameters
    ----------
    folder : Path
        A folder of interpretations; the sound's is made in it.
    explanation : Explanation
    targets : sequence of str
        Classes to explain.

    Returns
    -------
    list of dict
        What each interpretation.json says.

    Raises
    ------
    InputError
        If the sound is longer than `LONGEST`, or all of its sounds together than `MOST_SAMPLES`.
    """
    _require_few(explanation, targets, folder)
    own = folder / file_name(explanation.name)
    own.mkdir()
    try:
        write_wav(own / "input.wav", explanation.waveform, sample_rate=explanation.sample_rate)
        write_array(own / "activations.npy", explanation.activations)
        if explanation.timeline is not None:
            write_text(own / "timeline.json", json.dumps(_timeline(explanation), indent=1) + "\n")
        return [_write_target(own, explanation.of(target)) for target in targets]
    except BaseException:
        shutil.rmtree(own)
        raise


def _require_few(explanation: Explanation, targets: Sequence[str], folder: Path) -> None:
    seconds = len(explanation.waveform) / explanation.sample_rate
    if seconds > LONGEST:
        raise InputError(
            f"{explanation.name}: lasts {seconds / 60:.0f} minutes, and at most {LONGEST // 60} go "
            "on a page: cut it into several files, which may share one page"
        )
    n_sounds = 1 + sum(2 + len(explanation.of(target).relevant) for target in targets)
    n_samples = n_sounds * len(explanation.waveform)
    if n_samples > MOST_SAMPLES:
        hours = n_sounds * seconds / 3600
        most = MOST_SAMPLES / explanation.sample_rate / 3600
        raise InputError(
            f"{explanation.name}: its {n_sounds} sounds would last {hours:.1f} hours, and at most "
            f"{most:.1f} are written: raise the threshold above {explanation.model.threshold:g}, "
            "so that fewer components are heard, or cut the file"
        )
    what = f"the sounds of {explanation.name}"
    require_room(folder, 4 * n_samples, what, elsewhere=ELSEWHERE)


def _write_target(folder: Path, explanation: Explanation) -> dict[str, Any]:
    model, predictor = explanation.model, explanation.model.explained.predictor
    clip = Clip(
        name=explanation.name,
        labels=[],
        waveform=torch.from_numpy(explanation.waveform / np.float32(explanation.gain)),
        gain=explanation.gain,
        sample_rate=explanation.sample_rate,
    )
    about = {
        "decided": explanation.target in explanation.decided,
        "threshold": model.threshold,
        "interpreter_probabilities": explanation.estimates,
        f"{predictor}_probabilities": explanation.probabilities,
        "relevances": [round(float(r), 6) for r in explanation.relevances],
        "notes": explanation.notes,
    }
    return write_heard(
        folder / file_name(explanation.target),
        clip,
        _sounds(explanation),
        about,
        Predictor(
            name=predictor,
            classes=model.classes,
            probabilities=model.probabilities,
            hearing=model.hearing,
            device=str(model.dictionary.device),
        ),
        target=explanation.target,
    )


def _sounds(explanation: Explanation) -> Iterator[tuple[str, Sound, Tensor | None]]:
    """Name and kind of each sound, made one by one, and what the model hears in it."""
    relevant = [component.number for component in explanation.relevant]
    peak = float(np.abs(explanation.waveform).max())

    def heard(kind: str, x: np.ndarray, **more: object) -> tuple[Sound, Tensor | None]:
        return Sound(kind, x, more), explanation.model.heard_in(x, peak)

    yield "interpretation", *heard("interpretation", explanation.sound_of(relevant))
    yield "remainder", *heard("remainder", explanation.sound_without(relevant))
    for component in explanation.relevant:
        more = {"component": component.number, "relevance": component.relevance}
        sound = explanation.sound_of([component.number])
        yield f"component_{component.number:03d}", *heard("component", sound, **more)


def _timeline(explanation: Explanation) -> dict[str, Any]:
    timeline = explanation.timeline
    assert timeline is not None
    by_window = timeline.probabilities.T.round(6).tolist()
    return {
        "start_seconds": timeline.start_seconds,
        "end_seconds": timeline.end_seconds,
        "probabilities": dict(zip(explanation.classes, by_window, strict=True)),
    }


def write_page(folder: Path, model: Model, title: str, *, single_file: bool = False) -> None:
    """Write the page of the interpretations in `sounds/` of a folder."""
    # Imported here: who only looks at an explanation need not wait for what draws.
    from l2i.pages.listening import Heard, write_listening_page

    heard = Heard(system=model.title, folder=folder / SOUNDS, dataset=OWN, fold="", run="")
    write_listening_page(folder, [heard], title=title, single_file=single_file)
