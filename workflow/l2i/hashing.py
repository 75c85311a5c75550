"""Hashes of files and folders, in hexadecimal.

By itself on the ground, since whatever reads a corpus needs it: a line of what judges results by
their hashes must make no spectrum anew.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

# Snakemake puts this empty file into finished folders, after the job has ended.
FOLDER_TIMESTAMP = ".snakemake_timestamp"


def file_sha256(path: str | Path) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_sha256(folder: str | Path) -> str:
    """sha256 over the relative paths and contents of all files of a folder.

    Empty folders do not count, nor does the empty time stamp that Snakemake adds.
    """
    digest = hashlib.sha256()
    for path in files_of(folder):
        digest.update(f"{path.relative_to(folder).as_posix()}\n{file_sha256(path)}\n".encode())
    return digest.hexdigest()


def files_of(folder: str | Path) -> list[Path]:
    """All files below a folder, sorted, without the time stamp that Snakemake adds."""
    paths = (path for path in Path(folder).rglob("*") if path.is_file())
    return sorted(path for path in paths if path.name != FOLDER_TIMESTAMP)
