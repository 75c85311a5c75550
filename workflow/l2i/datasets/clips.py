"""What every layout shares: tables read, clips decoded, hashed and judged."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from l2i.checks import InputError
from l2i.features.audio import decode
from l2i.progress import progress
from l2i.provenance.fingerprints import file_sha256

log = logging.getLogger(__name__)


def read_table(csv: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Read columns of a csv table as text, empty where a cell is; `optional` ones if it has them.

    Raises
    ------
    InputError
        If there is no such file, if it is no csv table, or if it lacks a column.
    """
    if not csv.is_file():
        raise InputError(f"{csv}: no such file; put the corpus there, or set machine.data")
    try:
        # Whole: pandas passes over a row with too many cells where only some columns are wanted.
        table = pd.read_csv(csv, dtype=str, keep_default_na=False)
    except (ValueError, UnicodeError) as error:  # parser errors are ValueErrors
        raise InputError(f"{csv}: is no csv table ({error}); restore it") from error
    missing = [column for column in columns if column not in table]
    if missing:
        raise InputError(f"{csv}: lacks the columns {', '.join(missing)}; restore it")
    present = [column for column in optional if column in table]
    return table[[*columns, *present]].fillna("")  # cells that a short row lacks


def audio_files(folder: Path) -> set[str]:
    """Return the names of the files in `folder`/audio, hidden ones left out."""
    audio = folder / "audio"
    if not audio.is_dir():
        raise InputError(f"{audio}: no such folder; it must hold the clips of the table")
    return {path.name for path in audio.iterdir() if not path.name.startswith(".")}


def examine(
    folder: Path,
    paths: list[str],
    *,
    n_samples: int | None = None,
    silence_allowed: bool = False,
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

    Returns
    -------
    facts : dict of str to dict
        By path: n_samples, sample_rate (Hz), n_channels, duration_seconds, sha256 (of the file).
        Clips with a problem have none.
    problems : list of str
        One line for each clip that is missing, empty, truncated, no audio, of the wrong length,
        or silent throughout.
    """
    facts, problems = {}, []
    # Threads suffice: decoding and hashing both run outside the interpreter's lock.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        jobs = pool.map(lambda path: _facts_of(folder / path, n_samples, silence_allowed), paths)
        told = progress(jobs, description=f"checking {folder.name}", unit="clip", total=len(paths))
        for path, outcome in zip(paths, told, strict=True):
            if isinstance(outcome, str):
                problems.append(outcome)
            else:
                facts[path] = outcome
    return facts, problems


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


def _facts_of(path: Path, n_samples: int | None, silence_allowed: bool) -> dict | str:
    try:
        samples, rate = decode(path)
    except InputError as error:
        return str(error)
    if not samples.mean(axis=1).any():  # every channel may sound and their mix still be silent
        if not silence_allowed:
            return f"{path}: is silent throughout, mixed to mono; remove the clip and its rows"
        log.warning("%s: is silent throughout, as published", path)
    if n_samples is not None and len(samples) != n_samples:
        return f"{path}: has {len(samples)} samples, the pinned corpus has {n_samples} in each clip"
    return {
        "n_samples": len(samples),
        "sample_rate": rate,
        "n_channels": samples.shape[1],
        "duration_seconds": len(samples) / rate,
        "sha256": file_sha256(path),
    }
