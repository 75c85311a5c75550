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


@dataclass(frozen=True)
class Given:
    """What every part may use.

    Attributes
    ----------
    audio : Path
        Folder of recordings of about five seconds; some four hundred, unless sizes are tiny.
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
    """A part of the benchmark.

    Attributes
    ----------
    name, title : str
        Of its module, and in reports.
    listens : bool
        Whether it needs recordings.
    on_request : bool
        Whether it takes so long that it must be asked for.
    """

    name: str
    title: str
    listens: bool = False
    on_request: bool = False

    def measure(self, given: Given) -> list[Row]:
        """Measure it here and now."""
        rows: list[Row] = importlib.import_module(self.name).measure(given)
        return rows


PARTS = {
    part.name: part
    for part in (
        Part("features", "Features", listens=True),
        Part("interpreter", "Training, post-hoc", listens=True),
        Part("by_design", "Training, by design", listens=True),
        Part("nmf", "Sparse NMF", listens=True),
        Part("threads", "Threads"),
        Part("tables", "Tables and figures at the paper's size"),
        Part("dry_run", "Planning"),
        Part("starting", "Starting a job"),
        Part("demo", "The demo, against an older commit", on_request=True),
    )
}


def chosen_parts(only: Iterable[str] | None, *, demo: bool = False) -> list[Part]:
    """Those that are named, or all but what takes long; and the demo where it was asked for.

    Raises
    ------
    InputError
        A name that no part has.
    """
    names = [p.name for p in PARTS.values() if not p.on_request] if only is None else [*only]
    if unknown := [name for name in names if name not in PARTS]:
        raise InputError(f"--only names {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    return [PARTS[name] for name in dict.fromkeys([*names, *(["demo"] if demo else [])])]
