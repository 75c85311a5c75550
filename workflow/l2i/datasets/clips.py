"""What every layout shares: clips decoded, hashed and judged, alone and beside each other."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from l2i.checks import InputError, printable
from l2i.datasets.pieces import cut
from l2i.features.audio import stream, to_mono
from l2i.hashing import file_sha256
from l2i.progress import progress

_SILENT = (
    "is silent throughout; move it out of the corpus, and its row out of a table that names it"
)
# Every channel may sound and their mix still be silent.
_CANCELLED = "is silent throughout, mixed to mono: its channels cancel each other; keep one of them"

log = logging.getLogger(__name__)


def examine(
    folder: Path,
    paths: list[str],
    *,
    n_samples: int | None = None,
    silence_allowed: bool = False,
    piece_seconds: float | None = None,
) -> tuple[dict[str, dict], list[str]]:
    """Decode and hash clips.

    Parameters
    ----------
    folder : Path
        The corpus.
    paths : list of str
        Clips, relative to `folder`.
    n_samples : int, optional
        What each clip must hold, where lengths are demanded.
    silence_allowed : bool
        Silent clips are warned of and no problem: nobody can repair a corpus as published.
    piece_seconds : float, optional
        Length of the pieces that files are cut into, where they are.

    Returns
    -------
    facts : dict of str to dict
        By path: n_samples, sample_rate (Hz), n_channels, duration_seconds, maximum (the largest
        sample of the mono mix, in units of full scale), sha256 (of the file). Clips with a problem
        have none. Of files that are cut also pieces: of each its first_sample, n_samples,
        duration_seconds, maximum, and whether it sounds.
    problems : list of str
        One line for each clip that is missing, empty, truncated, no audio, of the wrong length,
        or silent throughout.
    """
    facts, problems = {}, []
    # Threads suffice: decoding and hashing both run outside the interpreter's lock.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        look = partial(_facts_of, n_samples, silence_allowed, piece_seconds)
        jobs = pool.map(look, [folder / path for path in paths])
        told = progress(jobs, description=f"checking {folder.name}", unit="clip", total=len(paths))
        for path, outcome in zip(paths, told, strict=True):
            if isinstance(outcome, str):
                problems.append(outcome)
            else:
                facts[path] = outcome
    return facts, problems


def identical_clips(facts: dict[str, dict], part_of: Mapping[str, object]) -> dict[str, int]:
    """Warn of files that are equal byte by byte; they are kept as published.

    Parameters
    ----------
    facts : dict of str to dict
        From `examine`.
    part_of : mapping
        Fold or split of each path: a file in two of them is trained on and tested with.

    Returns
    -------
    dict
        For the record: n_identical_groups, n_identical_groups_across_splits (or folds).
    """
    groups = identical_groups(facts)
    across = [group for group in groups if len({part_of[path] for path in group}) > 1]
    if groups:
        log.warning(
            "%d groups of identical clips, %d of them across splits or folds, are kept, such as %s",
            len(groups),
            len(across),
            printable("; ".join(" = ".join(group) for group in (across + groups)[:5])),
        )
    return {"n_identical_groups": len(groups), "n_identical_groups_across_splits": len(across)}


def identical_groups(facts: dict[str, dict]) -> list[list[str]]:
    """Return the groups of paths whose files are equal byte by byte, each sorted, in order."""
    by_hash = defaultdict(list)
    for path in sorted(facts):
        by_hash[facts[path]["sha256"]].append(path)
    return sorted(group for group in by_hash.values() if len(group) > 1)


def common_sources(clips: pd.Series, *shared: pd.Series) -> pd.Series:
    """Name the source of each clip: clips that share anything, directly or by others, have one.

    Parameters
    ----------
    clips : Series of str
        Names, each once.
    *shared : Series
        With the same rows: recording, place, hash of the file. Missing values are shared with none.

    Returns
    -------
    Series of str
        By the first of `shared`, the smallest where a source has several values of it; by the
        smallest name of its clips where it has none.
    """
    source = pd.Series(range(len(clips)), index=clips.index)
    while True:
        joined = source
        for values in (*shared, source):  # the last: whoever had my source goes where I go
            joined = joined.groupby(values).transform("min").fillna(joined).astype(int)
        if joined.equals(source):
            break
        source = joined
    names = shared[0].where(shared[0].notna()).groupby(source).transform("min")
    return names.fillna(clips.groupby(source).transform("min")).astype(str).rename("source")


def _facts_of(
    n_samples: int | None, silence_allowed: bool, piece_seconds: float | None, path: Path
) -> dict | str:
    """Facts about a clip, or what is wrong with it in one line."""
    heard = _Heard(piece_seconds)
    try:
        for block, rate in stream(path):  # clips need not fit into memory
            heard.add(block, rate)
        digest = file_sha256(path)
    except InputError as error:
        return str(error)
    except OSError as error:
        return f"{path}: cannot be read ({error}); grant access to it"
    if not any(peak for peak, _ in heard.levels):
        if not silence_allowed:
            return f"{path}: {_CANCELLED if heard.sounds else _SILENT}"
        log.warning("%s: is silent throughout, as published", printable(str(path)))
    if n_samples is not None and heard.n_samples != n_samples:
        return (
            f"{path}: has {heard.n_samples} samples, the pinned corpus has {n_samples} in each clip"
        )
    facts = {
        "n_samples": heard.n_samples,
        "sample_rate": heard.sample_rate,
        "n_channels": heard.n_channels,
        "duration_seconds": heard.n_samples / heard.sample_rate,
        "maximum": max(maximum for _, maximum in heard.levels),
        "sha256": digest,
    }
    return facts if piece_seconds is None else facts | {"pieces": heard.pieces()}


class _Heard:
    """What is heard of a file, block by block: its length, and the levels of each of its pieces."""

    def __init__(self, piece_seconds: float | None) -> None:
        self.piece_seconds = piece_seconds
        self.n_samples, self.n_channels, self.sample_rate = 0, 0, 0
        self.sounds = False  # on any channel
        self.levels: list[tuple[float, float]] = []  # peak and maximum of the mono mix

    @property
    def n_piece(self) -> int:
        """Samples of a piece."""
        return max(1, round((self.piece_seconds or 0) * self.sample_rate))

    def add(self, block: np.ndarray, sample_rate: int) -> None:
        self.sample_rate, self.n_channels = sample_rate, block.shape[1]
        self.sounds = self.sounds or bool(block.any())
        mono, begun = to_mono(block), self.n_samples
        self.n_samples += len(mono)
        if self.piece_seconds is None:
            self._note(0, mono)
            return
        n = self.n_piece
        for i, part in enumerate(np.split(mono, range(n - begun % n, len(mono), n)), begun // n):
            self._note(i, part)

    def _note(self, i: int, part: np.ndarray) -> None:
        if i == len(self.levels):
            self.levels.append((0.0, -np.inf))
        peak, maximum = self.levels[i]
        level = max(peak, float(np.abs(part).max())), max(maximum, float(part.max()))
        self.levels[i] = level

    def pieces(self) -> list[dict]:
        """The file cut into clips."""
        spans = cut(self.n_samples, self.n_piece)
        return [
            {
                **span._asdict(),
                "duration_seconds": span.n_samples / self.sample_rate,
                "maximum": maximum,
                "sounds": peak > 0,
            }
            for span, (peak, maximum) in zip(spans, self.levels, strict=False)
        ]
