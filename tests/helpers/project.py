"""The repository, and its scripts as functions."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from types import ModuleType

PROJECT = Path(__file__).resolve().parents[2]


@functools.cache
def load_module(name: str) -> ModuleType:
    """The script `workflow/scripts/{name}.py` as a module, run once."""
    path = PROJECT / "workflow" / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_script(name: str):
    """The function that the script of this name hands to the harness."""
    return getattr(load_module(name), name)
