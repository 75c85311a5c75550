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
    """Raise InputError unless a folder holds the files by which a layout is recognised.

    One that is recognised by none may not hold those of another layout.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; put the corpus there, or set machine.data")
    files = layout_module(name).FILES
    missing = [file for file in files if not (folder / file).exists()]
    if files and not missing:
        return
    alike = [
        other
        for other, module in sorted(_layouts().items())
        if module.FILES and all((folder / file).exists() for file in module.FILES)
    ]
    if not files and not alike:
        return
    why = f"it has no {', '.join(missing)}; " if missing else ""
    hint = f"it looks like the layout {alike[0]}: set corpus.layout to that" if alike else ""
    raise InputError(
        f"{folder} is not in the layout {name}: {why}"
        f"{hint or 'put the corpus there, or set machine.data'}"
    )


def _layouts() -> dict[str, ModuleType]:
    names = [found.name for found in pkgutil.iter_modules(l2i.datasets.__path__)]
    modules = {name: importlib.import_module(f"l2i.datasets.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "index_corpus")}
