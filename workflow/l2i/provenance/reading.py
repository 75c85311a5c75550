"""Many files read for their hashes, as fast as the disk gives them."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from pathlib import Path

from l2i.hashing import tree_sha256

BLOCK = 2**20  # bytes at a time: of a long file, progress is seen
Advance = Callable[[int], object]


def read_hashes(
    sizes: Mapping[Path, int], advance: Advance
) -> Iterator[tuple[Path, str | OSError]]:
    """Read files and folders, several at a time; yields each as it is done.

    Parameters
    ----------
    sizes : mapping
        By path, its bytes. The largest are begun first, so that none is waited for at the end.
    advance : callable
        Told how many bytes were read, from any thread.

    Yields
    ------
    path, sha256
        As in records (`l2i.provenance.fingerprints`); in its place the error of what cannot be
        read.
    """
    largest_first = sorted(sizes, key=lambda path: -sizes[path])
    is_over = threading.Event()

    def go_on(n_bytes: int) -> None:
        if is_over.is_set():
            raise CancelledError
        advance(n_bytes)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        jobs = {pool.submit(_hash, path, sizes[path], go_on): path for path in largest_first}
        try:
            for job in as_completed(jobs):
                yield jobs[job], job.result()
        finally:  # who gives up, as by Ctrl-C, waits neither for the rest nor for a long file
            is_over.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _hash(path: Path, n_bytes: int, advance: Advance) -> str | OSError:
    try:
        if path.is_dir():
            sha256 = tree_sha256(path)
            advance(n_bytes)
            return sha256
        return _file_hash(path, advance)
    except OSError as error:
        return error


def _file_hash(path: Path, advance: Advance) -> str:
    """As `file_sha256`, telling how far it is."""
    digest, block = hashlib.sha256(), memoryview(bytearray(BLOCK))
    with open(path, "rb", buffering=0) as file:
        while n := file.readinto(block):
            digest.update(block[:n])
            advance(n)
    return digest.hexdigest()
