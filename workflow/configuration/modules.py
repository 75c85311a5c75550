"""What modules of the library say of themselves in literals, read without running them.

Planning must know what a system can be told, or how a data set is split. Importing the modules
would load torch and pandas first, which takes longer than the whole plan.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from l2i import checks

LIBRARY = Path(checks.__file__).parent


def module_path(package: str, name: str) -> Path:
    """File of the module `name` in a package of the library."""
    return LIBRARY / package / f"{name}.py"


@functools.cache
def read_module(
    package: str, name: str, *, literals: Sequence[str], functions: Sequence[str]
) -> dict[str, Any]:
    """The literals that a module assigns, by their names.

    Parameters
    ----------
    package, name : str
        Module of the library, such as ``systems`` and ``posthoc``.
    literals : sequence of str
        What it must assign on its top level: numbers, texts, lists, mappings of such.
    functions : sequence of str
        What it must define.

    Raises
    ------
    ValueError
        In one line, what is wrong with the file.
    """
    path = module_path(package, name)
    place = f"workflow/l2i/{package}/{name}.py"
    if not path.is_file():
        raise ValueError(f"{place} is not there: correct the name, or write the file")
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except SyntaxError as error:
        raise ValueError(f"{place} is no Python (line {error.lineno}): {error.msg}") from error
    found: dict[str, Any] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.id in literals and node.value:
                    found[target.id] = _literal(node.value, f"{target.id} of {place}")
    missing = [each for each in (*literals, *functions) if each not in found]
    if missing:
        raise ValueError(
            f"{place} has no {', '.join(missing)}: workflow/l2i/{package}/__init__.py says what "
            "it must have"
        )
    return {each: found[each] for each in literals}


def _literal(node: ast.expr, place: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise ValueError(f"{place} must be a literal: it is read without running it") from error
