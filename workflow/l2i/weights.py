"""Weights on disk: tensors in safetensors files, with the identity that a loader must match.

A file says what it holds (`kind`) and what it was made for: fold, class list, sample rate and the
like, and the hashes of the clips that it learned from. Asking for anything else is refused, so a
dictionary of one fold can never meet another's test clips, nor a network the wrong class order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from l2i.checks import REMAKE, InputError, reason
from l2i.disk import writing

ABOUT = "l2i"  # name of the metadata entry
SEEN = " (it learned from other clips: some of those to be tested may be among them)"


def save_weights(
    path: str | Path, tensors: dict[str, Tensor], *, kind: str, **identity: Any
) -> None:
    """Write tensors with their kind and identity (plain values).

    Parameters
    ----------
    path : str or Path
        File to write.
    tensors : dict of Tensor
        A state dict; moved to the CPU.
    kind : str
        What this is, for example 'dictionary'.
    **identity
        What it was made for, for example fold='1'.
    """
    # One key only: safetensors writes several in an order that changes from run to run.
    metadata = {ABOUT: _as_json({"kind": kind, **identity})}
    stored = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    with writing(path, n_bytes=sum(t.nbytes for t in stored.values())):
        save_file(stored, path, metadata)


def load_weights(
    path: str | Path, *, kind: str, remedy: str = REMAKE, **identity: Any
) -> dict[str, Tensor]:
    """Read tensors after checking that they are what the caller expects.

    Every key of `identity` must be in the file with an equal value; the file may say more. What to
    do about a file that is refused says `remedy`.

    Raises
    ------
    InputError
        If the file is no safetensors file, or of another kind or identity.
    """
    found = read_identity(path, remedy)
    expected = {"kind": kind, **identity}
    wrong = [
        f"{key} is {found.get(key)!r}, expected {value!r}"
        for key, value in expected.items()
        if found.get(key) != value
    ]
    learned_from_others = any(line.startswith("train_clips_sha256") for line in wrong)
    if wrong:
        raise InputError(
            f"{path} was made for something else: {'; '.join(wrong)}{SEEN * learned_from_others}; "
            f"{remedy}"
        )
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise _unreadable(path, error, remedy) from error


def read_identity(path: str | Path, remedy: str = REMAKE) -> dict[str, Any]:
    """Kind and identity of a weight file, as given to :func:`save_weights`.

    Raises
    ------
    InputError
        If the file is no safetensors file.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
        identity = json.loads(metadata.get(ABOUT, "{}"))
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error, remedy) from error
    if not isinstance(identity, dict):
        raise InputError(f"{path} does not say what it holds; {remedy}")
    return identity


@contextmanager
def fitting(path: str | Path, remedy: str = REMAKE) -> Iterator[None]:
    """Report it as bad input if what `path` holds does not fit the network it is put into."""
    try:
        yield
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise InputError(
            f"{path} does not hold what its network consists of ({reason(error)}); {remedy}"
        ) from error


def _unreadable(path: str | Path, error: Exception, remedy: str) -> InputError:
    return InputError(f"{path} is not a readable safetensors file ({reason(error)}); {remedy}")


def contents_hash(tensors: Mapping[str, Tensor], identity: Mapping[str, Any]) -> str:
    """sha256 of tensors, by name, and of what a file says of them; finds any change of either."""
    digest = hashlib.sha256(_as_json(json.loads(_as_json(identity))).encode())
    for name, values in sorted(tensors.items()):
        stored = values.detach().cpu().contiguous()
        digest.update(f"\n{name} {stored.dtype} {tuple(stored.shape)}\n".encode())
        digest.update(stored.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _as_json(identity: Mapping[str, Any]) -> str:
    return json.dumps(identity, sort_keys=True)


def load_published(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict that others published as a pickle, without executing any of it.

    Raises
    ------
    InputError
        If the file holds anything but tensors, or is no such file at all.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"{path} is not a state dict that can be read safely ({reason(error)}). "
            "Delete it to have it downloaded again; pickles with other content are never executed"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(
            f"{path} holds something else than a state dict of tensors; correct its pin and address"
        )
    return dict(state)


def classes_hash(classes: Sequence[str]) -> str:
    """sha256 of a class list in its order."""
    return hashlib.sha256("\n".join(classes).encode()).hexdigest()
