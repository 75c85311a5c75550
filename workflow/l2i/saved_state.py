"""State of unfinished work on disk, for whoever goes on with it: whole, or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from l2i.checks import InputError, reason


def save_state(state: dict[str, Any], path: Path) -> None:
    """Write tensors and plain values under another name, then rename; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".part-{os.getpid()}-{path.name}")
    torch.save(state, unfinished)
    os.replace(unfinished, path)


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
