"""Systems on disk: found by name, built from what a file says, refused where they do not fit."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import l2i.systems
from l2i.checks import InputError
from l2i.networks.stored_classifier import frozen
from l2i.training.task import Network, Recordings
from l2i.weights import fitting, load_weights, read_identity, save_weights

KIND = "system"


def system_module(name: str) -> ModuleType:
    """The module of :mod:`l2i.systems` that is called `name`.

    Raises
    ------
    InputError
        If there is none, or it lacks `train` or `build`.
    """
    modules = [found.name for found in pkgutil.iter_modules(l2i.systems.__path__)]
    if name not in modules:
        raise InputError(
            f"no file workflow/l2i/systems/{name}.py: correct `module` of the system, or write it"
        )
    module = importlib.import_module(f"l2i.systems.{name}")
    missing = [function for function in ("train", "build") if not hasattr(module, function)]
    if missing:
        raise InputError(
            f"{module.__file__} is no system: it has no function {', '.join(missing)} (see "
            "workflow/l2i/systems/__init__.py)"
        )
    return module


def origin_of(
    module: str,
    system: str,
    variant: str,
    run: str,
    path_to_classifier: Sequence[str],
    sha256_of: Mapping[str, str],
) -> dict[str, str | None]:
    """What a system's file carries beside the identity of its fold: whose it is, and of what run.

    An interpreter belongs to exactly the classifier that it was trained on; `sha256_of` knows its
    hash by its path.
    """
    sha256 = sha256_of[path_to_classifier[0]] if path_to_classifier else None
    origin = {"module": module, "system": system, "variant": variant, "run": run}
    return origin | {"classifier_sha256": sha256}


def open_system(
    recordings: Recordings,
    path_to_classifier: Sequence[str],
    path_to_system: str | Path,
    *,
    module: str,
    system: str,
    variant: str,
    run: str,
    sha256_of: Mapping[str, str],
) -> Network:
    """The frozen network of one run that was made for just these recordings.

    Parameters
    ----------
    recordings : Recordings
        From :func:`l2i.training.opening.open_recordings`.
    path_to_classifier : sequence of str
        The classifier that it explains, or none.
    path_to_system : str or Path
        From :func:`save_system`.
    module, system, variant, run, sha256_of
        See :func:`origin_of`.

    Raises
    ------
    InputError
        If the network is of another run, fold or front end, or explains another classifier.
    """
    origin = origin_of(module, system, variant, run, path_to_classifier, sha256_of)
    identity: dict[str, Any] = origin | recordings.fold.identity
    return load_system(path_to_system, device=recordings.device, **identity)


def save_system(path: str | Path, network: Network, **identity: Any) -> None:
    """Write a network's state dict, its architecture and its identity."""
    architecture = network.architecture
    save_weights(path, network.state_dict(), kind=KIND, architecture=architecture, **identity)


def load_system(path: str | Path, *, module: str, device: str, **identity: Any) -> Network:
    """A frozen network; see :func:`l2i.weights.load_weights` for refusals.

    Parameters
    ----------
    path : str or Path
        From :func:`save_system`.
    module : str
        Module of :mod:`l2i.systems` that it belongs to.
    device : str
    **identity
        The rest of :func:`origin_of`, and the identity of the fold.
    """
    state = load_weights(path, kind=KIND, module=module, **identity)
    with fitting(path):
        network = system_module(module).build(**read_identity(path)["architecture"])
        network.load_state_dict(state)
    return frozen(network, device)
