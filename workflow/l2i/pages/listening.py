"""The listening page: what systems hear in clips, to be heard, seen and compared in a browser.

Clips come one after the other, and the sounds of a clip one after the other, so that a page of
hundreds takes the memory of one. What a browser needs of all of them is `data.js`; sounds and
pictures lie below `media/` and are loaded when they are wanted.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from l2i.checks import InputError
from l2i.disk import replace_text, writing
from l2i.pages.heard_clips import Composer, HeardClip, clips_of
from l2i.pages.interpreted import Heard
from l2i.pages.listening_page import page_of
from l2i.pages.media import Beside, Inside, Media
from l2i.pages.rendering import in_script
from l2i.pages.spectrograms import RANGE_DB
from l2i.progress import progress

__all__ = ["Heard", "write_listening_page"]

MOST_IN_ONE_FILE = 20  # clips
NOTES = [
    "Masks of components act on log(1 + |S|): interpretation and remainder add up to the input "
    "there, and not sample by sample. Segments are cut out in time, and add up sample by sample.",
    "The probabilities of a sound are what the network says when it hears this sound as a clip, "
    "which is not the measure of faithfulness.",
    "The small spectra have low frequencies at the bottom: of a component its column of the "
    f"dictionary; of other sounds their level, from {RANGE_DB:.0f} dB below the loudest band of "
    "the input, or of the prototype itself.",
]
MIXED = [
    "Some clips were mixed with white noise or with a clip of another class, so that it is known "
    "what an interpretation should be: what was planted of the class. SI-SDR is the level of that "
    "in a sound above the level of all else in it, however loud the sound is.",
]


def write_listening_page(
    folder: Path,
    heard: Sequence[Heard],
    *,
    title: str,
    single_file: bool = False,
    prototypes: Sequence[Heard] = (),
) -> dict[str, int]:
    """Write a page that plays and shows interpretations: index.html, data.js and media/.

    Parameters
    ----------
    folder : Path
        Made where it is missing. index.html comes last: where it is, all else is whole. What was
        there under these names is replaced.
    heard : sequence of Heard
        Folders of interpretations, see l2i.interpretation.listening. Clips of one name, data set
        and fold are one entry of the page, however many systems interpret them.
    title : str
    single_file : bool
        One index.html that holds everything, of at most 20 clips.
    prototypes : sequence of Heard
        Folders of prototypes. Those of the classes that a clip is interpreted for are shown beside
        what is heard in it, if they are of its data set and fold.

    Returns
    -------
    dict
        n_clips, n_sounds (that can be played), n_bytes of all files.

    Raises
    ------
    InputError
        If a single file is asked for more clips than it may hold, or a folder lacks what it must
        hold.
    """
    clips = clips_of(heard)
    if single_file and len(clips) > MOST_IN_ONE_FILE:
        raise InputError(
            f"{folder}: a page in a single file holds at most {MOST_IN_ONE_FILE} clips, and these "
            f"are {len(clips)}: leave out some, or do without single_file"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder)
    media: Media = Inside() if single_file else Beside(folder / "media")
    composer = Composer(media, prototypes)
    try:
        if single_file:
            text = io.StringIO()
            write_data(text, composer, clips, title)
            data = text.getvalue()
        else:
            data, path = None, folder / "data.js"
            with writing(path), path.open("w", encoding="utf-8") as file:
                file.write("window.listening = ")
                write_data(file, composer, clips, title)
                file.write(";\n")
        replace_text(folder / "index.html", page_of(title, data))
    except BaseException:
        _clear(folder)
        raise
    n_bytes = sum(path.stat().st_size for path in _files_of(folder))
    return {"n_clips": len(clips), "n_sounds": composer.shelf.n_sounds, "n_bytes": n_bytes}


def _files_of(folder: Path) -> Iterator[Path]:
    yield from (path for name in ("index.html", "data.js") if (path := folder / name).exists())
    yield from (path for path in (folder / "media").rglob("*") if path.is_file())


def _clear(folder: Path) -> None:
    """Take away what a page is, its first file first: without it the others are none."""
    for name in ("index.html", "data.js"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "media", ignore_errors=True)


def notes_on(clips: Iterable[HeardClip]) -> list[str]:
    """What a listener should know of all sounds."""
    mixed = any(path.joinpath("source.wav").exists() for clip in clips for _, path in clip.heard)
    return [*NOTES, *MIXED * mixed]


def write_data(file: TextIO, composer: Composer, clips: Sequence[HeardClip], title: str) -> None:
    """Write the data of a page as JSON, clip by clip."""
    file.write(f'{{"title": {in_script(title)}, "notes": {in_script(notes_on(clips))}, "clips": [')
    bar = progress(clips, description="Compose the listening page", unit="clip")
    for i, clip in enumerate(bar):
        file.write(f"{',' * (i > 0)}\n{in_script(composer.compose(clip))}")
    file.write(f'\n], "spectra": {in_script(composer.shelf.spectra)}}}')
