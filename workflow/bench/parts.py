"""The parts of the benchmark: what each is called, what it measures, and where.

A part is a module of this folder whose function `measure` takes what is `Given` and returns rows.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rows import Row

from l2i.checks import InputError

N_TRAINING_CLIPS, N_FEATURE_CLIPS = 320, 64
N_COLUMNS = 172_671  # frames of the NMF: those of 400 clips of five seconds


@dataclass(frozen=True)
class Given:
    """What every part may use.

    Attributes
    ----------
    audio : Path
        Folder of recordings of about five seconds, at least as many as N_TRAINING_CLIPS.
    scratch : Path
        Empty folder of the part's own, which is removed behind it.
    tiny : bool
        Sizes that show in a few seconds that the part works; its numbers say nothing.
    commit : str
        The older state of the project that the demo is compared with.
    """

    audio: Path
    scratch: Path
    tiny: bool
    commit: str

    def clips(self, n: int) -> list[Path]:
        """The first recordings, at most so many; four where sizes are tiny."""
        return sorted(self.audio.glob("*.*"))[: 4 if self.tiny else n]


@dataclass(frozen=True)
class Part:
    """A part of the benchmark: its name and module, and its title in reports."""

    name: str
    title: str
    minutes: str
    on_request: bool = False

    def measure(self, given: Given) -> list[Row]:
        """Measure it here and now."""
        return importlib.import_module(self.name).measure(given)


PARTS = {
    part.name: part
    for part in (
        Part("features", "Features", "1"),
        Part("interpreter", "Training, post-hoc", "2"),
        Part("by_design", "Training, by design", "1"),
        Part("nmf", "Sparse NMF", "3"),
        Part("threads", "Threads", "2"),
        Part("tables", "Tables and figures at the paper's size", "3"),
        Part("planning", "Planning", "1"),
        Part("starting", "Starting a job", "1"),
        Part("demo", "The demo, against an older commit", "25", on_request=True),
    )
}


def chosen_parts(only: Iterable[str] | None, *, demo: bool) -> list[Part]:
    """Those that are named, or all but what takes long and was not asked for.

    Raises
    ------
    InputError
        A name that no part has.
    """
    names = list(only) if only is not None else [p.name for p in PARTS.values() if not p.on_request]
    if demo and "demo" not in names:
        names.append("demo")
    if unknown := [name for name in names if name not in PARTS]:
        raise InputError(f"--only {','.join(unknown)}: the parts are {', '.join(PARTS)}")
    return [PARTS[name] for name in dict.fromkeys(names)]
