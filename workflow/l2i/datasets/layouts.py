"""Layouts by name, and how a folder is told to be in one."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import l2i.datasets
from l2i.checks import InputError


def layout_module(name: str) -> ModuleType:
    """The module of :mod:`l2i.datasets` for the layout `name`.

    Raises
    ------
    InputError
        If there is no such layout.
    """
    found = [module.name for module in pkgutil.iter_modules(l2i.datasets.__path__)]
    module = importlib.import_module(f"l2i.datasets.{name}") if name in found else None
    if module is None or not hasattr(module, "index_corpus"):
        raise InputError(
            f"no layout {name}: correct corpus.layout, or write workflow/l2i/datasets/{name}.py"
        )
    return module


def require_layout(folder: Path, name: str) -> None:
    """Raise InputError unless a folder holds the files by which a layout is recognised."""
    missing = [file for file in layout_module(name).FILES if not (folder / file).exists()]
    if not missing:
        return
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; put the corpus there, or set machine.data")
    alike = [
        other
        for other, module in sorted(_layouts().items())
        if all((folder / file).exists() for file in module.FILES)
    ]
    hint = f"; it looks like the layout {alike[0]}: set corpus.layout to that" if alike else ""
    raise InputError(
        f"{folder} is not in the layout {name}: it has no {', '.join(missing)}"
        f"{hint or '; put the corpus there, or set machine.data'}"
    )


def _layouts() -> dict[str, ModuleType]:
    names = [found.name for found in pkgutil.iter_modules(l2i.datasets.__path__)]
    modules = {name: importlib.import_module(f"l2i.datasets.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "index_corpus")}
