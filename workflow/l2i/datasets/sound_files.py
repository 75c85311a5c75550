"""Where the sounds of a corpus lie: found by their names, anywhere below a folder."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from l2i.checks import InputError, printable

# Suffixes of sound, read or not: a file with another one that no table names is no clip.
SOUNDS = frozenset(
    [".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".aif", ".aiff"]
    + [".aifc", ".au", ".snd", ".caf", ".mp3", ".mp2", ".m4a", ".mp4", ".aac", ".wma", ".sph"]
    + [".nist", ".voc", ".ape", ".wv", ".webm", ".mka", ".amr", ".gsm", ".raw", ".pcm"]
)

log = logging.getLogger(__name__)


def audio_files(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Find the files of a corpus.

    Files may lie in folders of their own below `audio`, and links are followed. Hidden ones are
    left out, as macOS puts one beside many a file.

    Returns
    -------
    paths : dict of str to str
        By name (in NFC, as tables are read): the path relative to `folder`.
    problems : list of str
        One line for each name that several files have.

    Raises
    ------
    InputError
        If there is no folder `audio`, or it cannot be listed.
    """
    audio = folder / "audio"
    if not audio.is_dir():
        raise InputError(f"{audio}: no such folder; it must hold the clips of the table")
    found: dict[str, list[str]] = {}
    for file in files_below(audio):
        name = unicodedata.normalize("NFC", file.name)
        found.setdefault(name, []).append(file.relative_to(folder).as_posix())
    problems = [
        f"{name} is the name of {len(paths)} files, {' and '.join(sorted(paths)[:3])}; keep one"
        for name, paths in sorted(found.items())
        if len(paths) > 1 and is_sound(name)
    ]
    return {name: paths[0] for name, paths in found.items()}, problems


def files_below(folder: Path, *, above: Path | None = None) -> Iterator[Path]:
    """Files anywhere below a folder, behind links too; hidden ones are left out.

    So are those behind links that lead back, to what was listed already or to the folder `above`.

    Raises
    ------
    InputError
        If a folder cannot be listed.
    """
    about = None if above is None else os.stat(above)
    seen = set() if about is None else {(about.st_dev, about.st_ino)}
    for place, folders, names in os.walk(folder, followlinks=True, onerror=_refuse):
        about = os.stat(place)
        if (about.st_dev, about.st_ino) in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add((about.st_dev, about.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in names if not name.startswith("."))


def is_sound(name: str) -> bool:
    """Whether a file is one of sound, by its suffix; it may still be of a kind that is not read."""
    return Path(name).suffix.lower() in SOUNDS


def warn_of_others(paths: Sequence[str], place: str) -> None:
    """Say in one warning that files, such as Thumbs.db, are no clips and are passed over."""
    if paths:
        log.warning(
            "%d files below %s are no clips and are passed over, such as %s",
            len(paths),
            printable(place),
            printable(", ".join(paths[:3])),
        )


def unmatched(names: AbstractSet[str], files: Mapping[str, str], table: str) -> list[str]:
    """Say which clips of a table have no file, and which sounds no row.

    What is no sound, such as Thumbs.db, is passed over with one warning.

    Parameters
    ----------
    names : set of str
        Of the files that the table names.
    files : mapping of str to str
        From `audio_files`.
    table : str
        What it is called in messages.
    """
    without_row = {name: path for name, path in files.items() if name not in names}
    strays = [path for name, path in without_row.items() if is_sound(name)]
    warn_of_others(sorted(set(without_row.values()) - set(strays)), "audio")
    problems = [
        f"{path} has no row in {table}; add its row, or move it out of audio" for path in strays
    ]
    return sorted(problems) + [
        f"{name} has a row in {table} and no file below audio; put it there"
        for name in sorted(names - files.keys())
    ]


def _refuse(error: OSError) -> None:
    raise InputError(f"{error.filename}: cannot be listed ({error.strerror}); grant access to it")
