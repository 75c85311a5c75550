"""Systems on disk: found by name, built from what a file says, refused where they do not fit."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import torch

import l2i.systems
from l2i.checks import InputError
from l2i.models import frozen
from l2i.weights import load_weights, read_identity, save_weights

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


def save_system(path: str | Path, network: torch.nn.Module, **identity) -> None:
    """Write a network's state dict, its architecture and its identity."""
    architecture = network.architecture
    save_weights(path, network.state_dict(), kind=KIND, architecture=architecture, **identity)


def load_system(path: str | Path, *, module: str, device: str, **identity) -> torch.nn.Module:
    """A frozen network; see :func:`l2i.weights.load_weights` for refusals."""
    state = load_weights(path, kind=KIND, module=module, **identity)
    network = system_module(module).build(**read_identity(path)["architecture"])
    network.load_state_dict(state)
    return frozen(network, device)
