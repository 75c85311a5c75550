"""Streams of random numbers, each with a purpose of its own.

Two networks that are drawn from one seed begin alike wherever their layers have the same shape, and
what is drawn for one then depends on the other. Whatever draws here therefore asks for the stream
of its purpose: streams of different purposes, seeds or runs have nothing in common, and one that is
added moves no other.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def stream_seed(seed: int, *purpose: str | int) -> int:
    """Seed of the stream for a purpose, from 0 to 2^63 - 1.

    Parameters
    ----------
    seed : int
        The configuration's seed, or the number of a run.
    *purpose : str or int
        What is drawn, and for what: ``"removals", clip, draw``. Order counts.

    Returns
    -------
    int
        For ``torch.manual_seed`` and the like; the same on every machine.
    """
    digest = hashlib.sha256(json.dumps([seed, *purpose]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def random_stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """NumPy's generator for a purpose; see :func:`stream_seed`."""
    return np.random.default_rng(stream_seed(seed, *purpose))


def torch_stream(seed: int, *purpose: str | int) -> torch.Generator:
    """PyTorch's generator, on the CPU, for a purpose; see :func:`stream_seed`."""
    import torch  # most who draw here take NumPy's, and need not wait a second for it

    return torch.Generator().manual_seed(stream_seed(seed, *purpose))
