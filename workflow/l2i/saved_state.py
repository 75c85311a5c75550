"""State of unfinished work on disk, for whoever goes on with it: whole, or not there."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from l2i.checks import InputError, reason
from l2i.disk import refusal

log = logging.getLogger(__name__)
_warned_of: set[Path] = set()  # folders


def save_state(state: dict[str, Any], path: Path) -> None:
    """Write tensors and plain values under another name, then rename; makes the folder.

    It is no result: where a disk refuses it, that is warned of once for each folder, what was there
    before stays, and the work goes on.
    """
    unfinished = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A file of Python's own: of one that torch opens, it tells no cause.
        with unfinished.open("wb") as file:
            torch.save(state, file)
        os.replace(unfinished, path)
    except (OSError, RuntimeError) as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        told = refusal(error, path, n_bytes=_size_of(state))
        if told is None and not isinstance(error, OSError):
            raise
        if path.parent not in _warned_of:
            _warned_of.add(path.parent)
            why = told or f"{path}: cannot be written ({error})"
            log.warning("warning: %s. The work goes on, and the next checkpoint is tried", why)


def _size_of(state: Any) -> int:
    """Bytes of all tensors in nested mappings and lists."""
    if isinstance(state, torch.Tensor):
        return state.nbytes
    if isinstance(state, dict):
        return sum(map(_size_of, state.values()))
    return sum(map(_size_of, state)) if isinstance(state, (list, tuple)) else 0


def load_state(path: Path) -> dict[str, Any]:
    """Read what :func:`save_state` wrote, onto the CPU; nothing in it is executed.

    Raises
    ------
    InputError
        If it is no such file.
    """
    with readable(path):
        return torch.load(path, map_location="cpu", weights_only=True)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Report what goes wrong with the state from `path` as an InputError, with the remedy."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"the checkpoint {path} cannot be read ({reason(error)}): delete it and start anew"
        ) from error
