"""What the text of a source file says: which modules it imports, and what each part of it does.

A file is parsed once for both. Comments, docstrings, layout and line numbers have no part in
either, nor has the version of Python, from 3.11 on.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

# Literals by which modules of systems and layouts describe themselves to the planning of jobs.
DESCRIPTIONS = {"SETTINGS", "NEEDS", "MEASURES"}
DESCRIPTIONS |= {"OPTIONS", "PINS", "SPLIT", "LABELLING", "VALIDATION", "FIGURE"}

# What the library offers to those who import it by name: no job does, so that nothing of it runs in
# one (tests/workflow/test_architecture.py).
OFFERS = {"__version__", "__all__", "__getattr__", "__dir__"}

MODULE = "(module)"
DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# Where statements hold statements, in the order of the text.
BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")
# What has no fields, such as `Load()` and `Add()`, and the fields of all else.
_KINDS = [kind for kind in vars(ast).values() if isinstance(kind, type)]
_FIELDS = {kind: kind._fields for kind in _KINDS if issubclass(kind, ast.AST)}
_ALONE = {kind: f"{kind.__name__}()" for kind, fields in _FIELDS.items() if not fields}


class Source(NamedTuple):
    """What a source file says."""

    # Names of imported modules, anywhere in it. Of `from a import b` both `a` and `a.b`, since only
    # files tell whether `b` is one. What is imported for checkers of types alone is left out.
    modules: tuple[str, ...]
    # Function, ``Class.method``, class or constant of the top level -> hash of what it does.
    # Whatever else the file does, and the order of it all, is the part `MODULE`.
    parts: dict[str, str]


@functools.cache  # scripts share most of their files
def read_source(text: str, path: str) -> Source:
    """Take a source file apart.

    Parameters
    ----------
    text : str
    path : str
        What the file is called in messages.

    Raises
    ------
    SyntaxError
    ValueError
        A relative import, which could not be followed.
    """
    tree = ast.parse(text, filename=path)
    modules: list[str] = []
    _strip_docstring(tree)
    _read_statements(tree.body, modules, path)
    tree.body = [node for node in tree.body if not _said(node) & (DESCRIPTIONS | OFFERS)]
    parts: dict[str, list[str]] = {}
    parts[MODULE] = _outline(tree.body, "", parts)
    return Source(tuple(modules), {name: _hash(part) for name, part in parts.items()})


def _read_statements(body: Iterable[Any], modules: list[str], path: str, runs: bool = True) -> None:
    """Note what statements import, and take docstrings out of them.

    `runs` is false below what only checkers of types read.
    """
    for node in body:
        if isinstance(node, ast.Import) and runs:
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and runs:
            if node.level or node.module is None:
                raise ValueError(f"{path}:{node.lineno} uses a relative import; name the module")
            # `from l2i import nmf` names a module, `from l2i.dictionary.nmf import f` does not.
            modules.append(node.module)
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, DEFINITIONS):
            _strip_docstring(node)
        for name in BLOCKS:
            if inner := getattr(node, name, None):
                checked_alone = name == "body" and _is_for_checkers(node)
                _read_statements(inner, modules, path, runs and not checked_alone)


def _is_for_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING"


def _strip_docstring(node: Any) -> None:
    if ast.get_docstring(node, clean=False) is not None:
        del node.body[0]


def _said(node: ast.stmt) -> set[str]:
    """Names that a statement gives a meaning to."""
    return {*_assigned(node), getattr(node, "name", "")}


def _assigned(node: ast.stmt) -> list[str]:
    """Names that a statement assigns to."""
    targets = [*getattr(node, "targets", []), getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _outline(body: list[ast.stmt], prefix: str, parts: dict[str, list[str]]) -> list[str]:
    """Statements in their order, with a name in the place of what is put into `parts`."""
    outline = []
    for node in body:
        names = [node.name] if isinstance(node, DEFINITIONS) else _assigned(node)
        if len(names) != 1:
            outline.append(_dump(node))
            continue
        name = prefix + names[0]
        outline.append(name)
        inner = []
        if isinstance(node, ast.ClassDef):
            inner = _outline(node.body, f"{name}.", parts)
            node.body = []
        # What is defined twice, as a property and how it is set, has both in one part.
        parts.setdefault(name, []).extend([_dump(node), *inner])
    return outline


def _hash(part: list[str]) -> str:
    """Half of the sha256 of texts, in canonical JSON (l2i.provenance.fingerprints)."""
    return hashlib.sha256(json.dumps(part, separators=(",", ":")).encode()).hexdigest()[:32]


def _dump(node: Any) -> str:
    """Text of a syntax tree, the same from Python 3.11 on.

    Unlike `ast.dump` it leaves out all empty fields: newer versions add some (`type_params`), and
    their `ast.dump` writes fewer of them. Constants are spelled out in ASCII, since which
    characters count as printable differs as well. It is most of the work of a plan: names come
    first, which are half of all nodes.
    """
    kind = type(node)
    if kind is ast.Name:
        return f"Name(id={node.id!a}, ctx={_ALONE[type(node.ctx)]})"
    if kind is list:
        return f"[{', '.join(map(_dump, node))}]"
    if kind in _ALONE:
        return _ALONE[kind]
    if kind is ast.Constant:
        return f"Constant({node.value!a})"  # never left out: None is not the empty string
    if kind is ast.JoinedStr:
        # Python 3.12 ends some format specifications of an f-string with an empty text.
        parts = [part for part in node.values if getattr(part, "value", None) != ""]
        return f"JoinedStr({_dump(parts)})"
    if kind not in _FIELDS:
        return ascii(node)
    present = []
    for name in _FIELDS[kind]:
        value = getattr(node, name, None)
        if value is not None and value != []:
            present.append(f"{name}={_dump(value)}")
    return f"{kind.__name__}({', '.join(present)})"
