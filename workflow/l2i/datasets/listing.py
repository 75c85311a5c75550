"""What lies in the folder of a corpus: noticed when it changes, without reading it again.

The listing is written when a corpus is indexed. A run looks at names, sizes and times of all files,
and reads again only those whose time has changed and whose size has not.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from l2i.checks import InputError
from l2i.disk import write_text
from l2i.hashing import file_sha256
from l2i.progress import progress
from l2i.stored import read_json


class Stat(NamedTuple):
    """What the file system says of a file."""

    size_bytes: int
    mtime_ns: int


class Listed(NamedTuple):
    """A file of a corpus when it was indexed."""

    size_bytes: int
    mtime_ns: int
    sha256: str


class Change(NamedTuple):
    """A file that is not as its listing says."""

    name: str
    what: str  # new, lost, changed; or damaged, of the listing itself

    def __str__(self) -> str:
        return f"{self.name} is {self.what}"


def stats_below(folder: str | Path) -> dict[str, Stat]:
    """Size and time of every file below a folder, by its path relative to that, sorted.

    Links are followed. Hidden files and folders are left out: file managers, and the download of a
    corpus, leave some.
    """
    try:
        return dict(sorted(_walk(os.fspath(folder), "", frozenset())))
    except OSError as error:
        what = f"{error.filename}: cannot be read ({error.strerror})"
        raise InputError(f"{what}; grant access to it") from error


def write_listing(
    path: str | Path, folder: str | Path, stats: Mapping[str, Stat], known: Mapping[str, str]
) -> None:
    """Write size, time and sha256 of the files of a corpus.

    Parameters
    ----------
    path : str or Path
        JSON: by path relative to the folder, `[size_bytes, mtime_ns, sha256]`.
    folder : str or Path
        The corpus.
    stats : mapping
        From `stats_below`, taken before anything was read.
    known : mapping
        sha256 of files that have been read already; others are read.
    """
    others = [name for name in stats if name not in known]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        hashed = pool.map(lambda name: file_sha256(Path(folder, name)), others)
        sha256 = {**known, **dict(zip(others, hashed, strict=True))}
    listing = {name: Listed(*stat, sha256[name]) for name, stat in stats.items()}
    lines = (f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in listing.items())
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def changes_since(
    listing: str | Path, folder: str | Path, sha256_of: Callable[[Path], str] = file_sha256
) -> list[Change]:
    """How a corpus differs from its listing, file by file.

    A folder that is away, as when the disk is needed and all is computed, has not changed; nor has
    one that was never listed.

    Parameters
    ----------
    listing : str or Path
        From `write_listing`.
    folder : str or Path
        The corpus as it is now.
    sha256_of : callable
        The hash of a file; may remember it.
    """
    if not os.path.isdir(folder) or not os.path.exists(listing):
        return []
    try:
        then = {name: Listed(*entry) for name, entry in read_json(listing, dict).items()}
    except (InputError, TypeError):
        return [Change(os.fspath(listing), "damaged")]
    now = stats_below(folder)
    common = sorted(now.keys() & then.keys())
    changed = {name for name in common if now[name].size_bytes != then[name].size_bytes}
    doubtful = [name for name in common if now[name].mtime_ns != then[name].mtime_ns]
    doubtful = [name for name in doubtful if name not in changed]
    told = f"reading what has another time in {os.fspath(folder)}"
    for name in progress(doubtful, description=told, unit="file") if doubtful else []:
        if sha256_of(Path(folder, name)) != then[name].sha256:
            changed.add(name)
    return [
        *(Change(name, "new") for name in sorted(now.keys() - then.keys())),
        *(Change(name, "lost") for name in sorted(then.keys() - now.keys())),
        *(Change(name, "changed") for name in sorted(changed)),
    ]


def _walk(folder: str, below: str, above: frozenset[tuple[int, int]]) -> Iterator[tuple[str, Stat]]:
    about = os.stat(folder)
    if (about.st_dev, about.st_ino) in above:  # a link that leads back
        return
    above |= {(about.st_dev, about.st_ino)}
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            name = f"{below}{entry.name}"
            try:
                is_dir, found = entry.is_dir(), entry.stat()
            except FileNotFoundError:  # a link to nothing, or what went in this moment
                continue
            except OSError as error:
                if error.errno == errno.ELOOP:  # a link to itself
                    continue
                raise
            if is_dir:
                yield from _walk(entry.path, f"{name}/", above)
            elif entry.is_file():
                yield name, Stat(found.st_size, found.st_mtime_ns)
