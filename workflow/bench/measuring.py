"""One run of the benchmark: part after part, each in a process of its own, into one report.

A part that fails, or whose process is killed, says so in the report, and the others go on. How much
of the machine other processes used is measured beside each part: seconds of a machine that was busy
are not to be trusted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from machine import cpu_seconds, describe_machine, watched
from parts import PARTS, Given, Part
from rows import Row

from l2i.datasets.archive import unpack
from l2i.synthetic.esc50 import KINDS, write_esc50_archive

N_SYNTHETIC_CLIPS = 405  # enough frames for the NMF


def measured(
    parts: Iterable[Part],
    *,
    audio: Path | None,
    commit: str,
    tiny: bool = False,
    say: Callable[[str], None] = print,
    done: Callable[[Mapping[str, Any]], None] = lambda part: None,
) -> dict[str, Any]:
    """Measure parts one after another.

    Parameters
    ----------
    parts : iterable of Part
        In their order.
    audio : Path, optional
        Folder of recordings; synthetic ones are made where it is not given.
    commit : str
        That the demo is compared with.
    tiny : bool
        See `Given`.
    say, done : callable
        Given a line before, and what the report says of a part after it was measured.

    Returns
    -------
    dict
        `machine`, `audio` (what was listened to), `tiny`, `left_out` (titles), and `parts`:
        each with its name, title, seconds, CPU seconds, what others used meanwhile, rows, and the
        error that ended it.
    """
    chosen, found = [*parts], []
    with TemporaryDirectory(prefix="l2i-bench-") as folder:
        say("Measuring the machine ...")
        machine = describe_machine(Path(folder))
        listened = audio
        if audio is None and any(part.listens for part in chosen):
            say("Making synthetic recordings ...")
            listened = synthetic_clips(Path(folder), tiny=tiny)
        for number, part in enumerate(chosen, start=1):
            say(f"[{number}/{len(chosen)}] {part.title} ...")
            scratch = Path(folder, part.name)
            scratch.mkdir()
            found.append(_measured(part, Given(listened or scratch, scratch, tiny, commit)))
            done(found[-1])
    return {
        "machine": machine,
        "audio": "synthetic sounds" if audio is None else audio.resolve().parent.name,
        "tiny": tiny,
        "left_out": [part.title for part in PARTS.values() if part not in chosen],
        "parts": found,
    }


def _measured(part: Part, given: Given) -> dict[str, Any]:
    """What the report says of a part."""
    began, used = time.perf_counter(), cpu_seconds()
    rows, error = [], None
    with watched() as others:
        try:
            rows = _in_fresh_process(part, given)
        except BrokenProcessPool:
            error = "its process was killed, as for want of memory"
        except Exception as raised:  # whatever it is, it is the part's own and the others go on
            error = f"{type(raised).__name__}: {raised}"
    return {
        "name": part.name,
        "title": part.title,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": cpu_seconds() - used,
        "others": {"cores": others.cores, "disturbed": others.disturbed},
        "error": error,
        "rows": [asdict(row) | {"verdict": row.verdict} for row in rows],
    }


def _in_fresh_process(part: Part, given: Given) -> list[Row]:
    """Its rows, by a process that no other part has filled or warmed."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, part, given).result()


def _measure(part: Part, given: Given) -> list[Row]:
    torch.set_flush_denormal(True)
    return part.measure(given)


def missed(report: Mapping[str, Any]) -> list[str]:
    """The names of bars that were not met, and of parts that failed."""
    failed = [part["title"] for part in report["parts"] if part["error"]]
    rows = [row for part in report["parts"] for row in part["rows"]]
    return failed + [row["name"] for row in rows if row["verdict"] in ("missed", "not measured")]


def in_short(part: Mapping[str, Any]) -> str:
    """What is said of a part as soon as it was measured."""
    if part["error"]:
        return f"  failed: {part['error']}"
    told = [f"{row['verdict']}: {row['name']}" for row in part["rows"]]
    return "\n".join(f"  {line}" for line in [*told, f"in {part['seconds']:.0f} s"])


def synthetic_clips(folder: Path, *, tiny: bool = False) -> Path:
    """A folder of enough five-second clips."""
    archive = folder / "corpus.zip"
    write_esc50_archive(
        archive,
        n_folds=1,
        classes=list(KINDS),
        n_clips_per_fold_and_class=1 if tiny else N_SYNTHETIC_CLIPS // len(KINDS),
        clip_seconds=5.0,
        sample_rate=44_100,
        seed=0,
    )
    unpack(archive, folder / "corpus", kind="zip")
    archive.unlink()
    return folder / "corpus" / "audio"
