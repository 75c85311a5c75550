"""What a fold's clips are interpreted for: to be listened to, in company, or as stimuli of a test.

Each occasion has one clips.json for a fold, and all that interprets clips goes by it. It is a list
of entries

    {"clip": NAME}                 interpreted for the classes that are decided on
    {"clip": NAME, "class": CLASS}                                        for this class
    {"clip": NAME, "class": CLASS, "corruption": {"kind": ..., "snr_db": ..., "seed": ...}}
                                   with white noise or another clip, see l2i.datasets.corruption

Entries that differ in their class alone are one clip, which is interpreted for all of the classes.
What is interpreted of an entry, l2i.interpretation.opened_clips opens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from l2i.checks import REMAKE, InputError, reason
from l2i.disk import write_text
from l2i.streams import random_stream

if TYPE_CHECKING:  # who only reads which clips are chosen depends on nothing of them
    from l2i.datasets.fold import Fold


@dataclass(frozen=True)
class Corruption:
    """What a clip is mixed with, and how loud that is."""

    kind: str  # noise or class, see l2i.datasets.corruption
    snr_db: float
    seed: int


@dataclass(frozen=True)
class Entry:
    """A clip of an occasion."""

    clip: str  # its name in the corpus
    classes: tuple[str, ...] = ()  # that it is interpreted for; none: those that are decided on
    corruption: Corruption | None = None


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


# ------------------------------------------------------------------ clips.json


def write_entries(path: str | Path, entries: Iterable[Entry]) -> int:
    """Write the clips of an occasion; how many entries that takes: one for each class."""
    written = []
    for entry in entries:
        said = {"corruption": asdict(entry.corruption)} if entry.corruption else {}
        named = [{"class": name} for name in entry.classes] or [{}]
        written += [{"clip": entry.clip, **each, **said} for each in named]
    write_text(path, json.dumps(written, indent=1, ensure_ascii=False) + "\n")
    return len(written)


def read_entries(path: str | Path) -> list[Entry]:
    """The clips of an occasion, in their order, with all the classes that each is interpreted for.

    Raises
    ------
    InputError
        If the file does not hold a list of entries.
    """
    try:
        written = json.loads(Path(path).read_text(encoding="utf-8"))
        found: dict[Entry, dict[str, None]] = {}
        for each in written:
            company = Corruption(**each["corruption"]) if "corruption" in each else None
            classes = found.setdefault(Entry(each["clip"], corruption=company), {})
            classes |= {each["class"]: None} if "class" in each else {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} names no clips ({reason(error)}); {REMAKE}") from error
    return [replace(entry, classes=(*classes,)) for entry, classes in found.items()]
