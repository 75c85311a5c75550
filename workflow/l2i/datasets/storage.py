"""The folder of corpora: other runs use it too, and it may be full or not ours to write to."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock, Timeout

from l2i.checks import InputError
from l2i.disk import refusal

ELSEWHERE = "point machine.data elsewhere"

log = logging.getLogger(__name__)


@contextmanager
def one_at_a_time(path: str | Path) -> Iterator[None]:
    """Make `path` while no other run does; nothing is locked where it exists already.

    Another run may have made it during the wait, so look again inside.

    Raises
    ------
    InputError
        For whatever the file system refuses, inside the block too.
    """
    path = Path(path)
    try:
        with nullcontext() if path.exists() else _locked(path):
            yield
    except OSError as error:
        told = refusal(error, path, elsewhere=ELSEWHERE)
        raise told or InputError(f"{path}: cannot be made ({error}); {ELSEWHERE}") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, however it ends; its empty file stays for good."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Where the disk knows no locks, no file stands in for one: that would outlive the process.
    lock = FileLock(path.with_name(f".{path.name}.lock"), fallback_to_soft=False)
    try:
        held = lock.acquire(blocking=False)
    except Timeout:
        log.info("waiting for another run that is fetching %s", path)
        held = lock.acquire()
    with held:
        yield
