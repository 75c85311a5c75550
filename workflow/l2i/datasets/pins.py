"""Pins of a file: the size and the hashes that it must have."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from io import BufferedReader
from pathlib import Path

from l2i.datasets.archive import kind_of
from l2i.hashing import file_sha256

HASHES = ("sha256", "md5", "git_blob")


def file_md5(path: str | Path) -> str:
    """md5 of a file's bytes, in hexadecimal: no defence against intent, and all some publish."""
    with open(path, "rb") as file:
        return _digest(file, hashlib.md5(usedforsecurity=False))


def git_blob_id(path: str | Path) -> str:
    """Return the id that git gives to a file: the sha1 of "blob <length>", a NUL, the content."""
    with open(path, "rb") as file:
        header = b"blob %d\0" % os.path.getsize(path)
        return _digest(file, hashlib.sha1(header, usedforsecurity=False))


def differences(path: str | Path, pins: Mapping) -> list[str]:
    """Say how a file differs from its pins; the size first, which costs no reading.

    Parameters
    ----------
    path : str or Path
        An existing file.
    pins : mapping
        size_bytes, sha256, md5, git_blob, any of them; other keys and None are passed over.
    """
    for name, find in _FINDERS.items():
        expected = pins.get(name)
        if expected is not None and (got := find(path)) != expected:
            return [f"{name} is {got}, pinned is {expected}"]
    return []


def changed_files(folder: Path, files: Sequence[Mapping]) -> list[str]:
    """Say which files of an unpacked corpus are missing or not the pinned ones.

    Parameters
    ----------
    folder : Path
        The corpus.
    files : sequence of mapping
        name and pins. Archives, which are gone since they were unpacked, are passed over.
    """
    problems = []
    for file in files:
        path = folder / file["name"]
        if kind_of(path.name) == "file":
            faults = differences(path, file) if path.is_file() else ["is missing"]
            problems += [f"{path}: {fault}" for fault in faults]
    return problems


def same_file(one: Mapping, other: Mapping) -> bool:
    """Whether two entries of pins mean one file; a hash that only one of them gives is no gap."""
    shared = [key for key in HASHES if one.get(key) and other.get(key)]
    return bool(shared) and all(one.get(key) == other.get(key) for key in ("name", *shared))


def _digest(file: BufferedReader, digest: hashlib._Hash) -> str:
    return hashlib.file_digest(file, lambda: digest).hexdigest()


_FINDERS: dict[str, Callable] = {
    "size_bytes": os.path.getsize,
    "sha256": file_sha256,
    "md5": file_md5,
    "git_blob": git_blob_id,
}
