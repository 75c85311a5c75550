"""The repository, and its scripts as functions."""

from __future__ import annotations

import ast
import functools
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from l2i.hashing import file_sha256
from l2i.provenance.records import load_record

PROJECT = Path(__file__).resolve().parents[2]


@functools.cache
def load_module(name: str, folder: str = "workflow/scripts") -> ModuleType:
    """The script `{folder}/{name}.py` as a module, run once."""
    path = PROJECT / folder / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_bench(name: str) -> ModuleType:
    """A part of the benchmark, whose modules see each other as `python workflow/bench` has them."""
    folder = str(PROJECT / "workflow/bench")
    sys.path.insert(0, folder)
    try:
        return load_module(name, folder)
    finally:
        sys.path.remove(folder)


def openers_of(name: str) -> dict[str, Callable]:
    """What the harness calls before the function of a script, by what each opens."""
    module = load_module(name)
    *_, last = ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body
    return {k.arg: getattr(module, k.value.id) for k in last.body[0].value.keywords}


class _Hashes(dict):
    """The hashes of inputs, as the harness offers them: of each file that is asked for."""

    def __missing__(self, path: str) -> str:
        return file_sha256(path)


def load_script(name: str) -> Callable:
    """The job of a script: called with all that its rule and the harness give it, by name."""

    def job(**given: Any) -> dict | None:
        function, openers = getattr(load_module(name), name), openers_of(name)
        arguments, left = {"sha256_of": _Hashes(), "record_of": load_record} | given, set(given)
        for opened, call in [*openers.items(), ("", function)]:
            wanted = inspect.signature(call).parameters.keys() & arguments.keys()
            arguments[opened] = call(**{each: arguments[each] for each in wanted})
            left -= wanted
        if left:
            raise TypeError(f"{name} and what it opens take no {', '.join(sorted(left))}")
        return arguments[""]

    return job
