"""Fingerprints: of code and of settings.

A fingerprint changes exactly when what it stands for could change a result. Comments, docstrings,
layout, key order and the place of the project on a disk therefore have no part in any of them.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from l2i.hashing import file_sha256

# What can move, name or report bytes but never make them. They are left out together with
# whatever is imported through them alone ...
LEAVE_OUT = ("harness", "l2i.progress")
# ... except for what the harness does to the numbers of every script.
ALWAYS = ("l2i.determinism",)

# Literals by which modules of systems and layouts describe themselves to the planning of jobs.
DESCRIPTIONS = {"SETTINGS", "NEEDS", "MEASURES"}
DESCRIPTIONS |= {"OPTIONS", "PINS", "SPLIT", "LABELLING", "VALIDATION", "FIGURE"}

# What the library offers to those who import it by name: no job does, so that nothing of it runs in
# one (tests/workflow/test_architecture.py).
OFFERS = {"__version__", "__all__", "__getattr__", "__dir__"}

DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
MODULE = "(module)"


def source_closure(
    entries: Iterable[Path],
    root: Path,
    *,
    imported: Callable[[Path, Path], Iterable[Path]] | None = None,
) -> list[Path]:
    """The entries and every file below `root` that they import, directly or not, found unrun.

    The modules in `ALWAYS` count as imported by every script.

    Imports inside functions count. Only absolute imports can be followed; a module named at run
    time (`importlib.import_module`) cannot be seen. Systems are found so, by their name in the
    configuration: their rules name the module as an entry too (workflow/rules/common.smk).

    Parameters
    ----------
    entries : iterable of Path
        A script, and what it finds by name.
    root : Path
        Folder on the import path that holds the library.
    imported : callable, optional
        What answers for :func:`imported_files`, such as one that remembers.

    Returns
    -------
    list of Path
        Sorted, without duplicates, the entries included.

    Raises
    ------
    ValueError
        A relative import.
    """
    root, imported = root.resolve(), imported or imported_files
    found: set[Path] = set()
    pending = [path.resolve() for path in entries]
    for module in ALWAYS:
        pending.extend(_files_of(module, root))
    while pending:
        path = pending.pop()
        if path in found:
            continue
        found.add(path)
        pending.extend(imported(path, root))
    return sorted(found)


def imported_files(path: Path, root: Path) -> list[Path]:
    """The files below `root` that a source file imports itself, without those of `LEAVE_OUT`."""
    followed = [
        module
        for module in imported_modules(path)
        if not any(f"{module}.".startswith(f"{name}.") for name in LEAVE_OUT)
    ]
    return [file for module in followed for file in _files_of(module, root)]


def imported_modules(path: Path) -> tuple[str, ...]:
    """Names of the modules that a source file imports, anywhere in it.

    Of `from a import b` both `a` and `a.b` are named, since only files tell whether `b` is one.
    What is imported for checkers of types only is left out.
    """
    return _modules_in(path.read_text(encoding="utf-8"), str(path))


@functools.cache  # scripts share most of their files
def _modules_in(source: str, path: str) -> tuple[str, ...]:
    return tuple(_imports_of(ast.parse(source, filename=path), path))


def _imports_of(tree: ast.Module, path: str) -> Iterator[str]:
    for node in _run_below(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise ValueError(f"{path}:{node.lineno} uses a relative import; name the module")
            yield node.module
            # `from l2i import nmf` names a module, `from l2i.dictionary.nmf import f` does not;
            # what is no file is ignored by _files_of.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _run_below(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a syntax tree, without what only checkers of types read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and getattr(child.test, "id", None) == "TYPE_CHECKING":
            yield from (each for other in child.orelse for each in [other, *_run_below(other)])
        else:
            yield child
            yield from _run_below(child)


def _files_of(module: str, root: Path) -> Iterator[Path]:
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        base = root.joinpath(*parts[:depth])
        for candidate in (base / "__init__.py", base.with_suffix(".py")):
            if candidate.is_file():
                yield candidate


def code_fingerprint(files: Iterable[Path], root: Path, **how: Any) -> str:
    """sha256 of what source files do, whatever they say about it: that of their `code_parts`.

    Parameters
    ----------
    files, root, **how
        As for `code_parts`.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return settings_fingerprint(code_parts(files, root, **how))


def code_parts(
    files: Iterable[Path],
    root: Path,
    *,
    parts_of: Callable[[Path, Path], Mapping[str, dict[str, str]]] | None = None,
) -> dict[str, dict[str, str]]:
    """What source files do, function by function, so that a change can be named.

    Hashed are the syntax trees, which know no comments, layout or line numbers, with the docstrings
    taken out and what a module's literals say of settings, and the bytes of the templates that a
    module names. `harness` and what it alone imports are left out of closures: staging, records and
    logging move bytes and cannot make them. So is `l2i.progress`, which draws bars. What does
    change numbers everywhere, `l2i.determinism`, is included for every script.

    The version of Python has no part in it, neither by name nor by the form of its syntax trees;
    it is recorded with each result (l2i.provenance.records).

    Parameters
    ----------
    files : iterable of Path
        See `source_closure`.
    root : Path
        Folder on the import path; files are told apart by their path below it, so that they are
        the same wherever the project lies.
    parts_of : callable, optional
        What answers for :func:`parts_of_file`, such as one that remembers.

    Returns
    -------
    dict
        File below `root` -> function, ``Class.method``, class or constant of its top level -> hash.
        Whatever else it does, and the order of it all, is the part `MODULE`.
    """
    root, parts_of = root.resolve(), parts_of or parts_of_file
    return {name: part for path in files for name, part in parts_of(path, root).items()}


def parts_of_file(path: Path, root: Path) -> dict[str, dict[str, str]]:
    """The `code_parts` of one file, and of the templates that it names."""
    parts = {_name_below(path, root): _parts(path.read_text(encoding="utf-8"))}
    for template in templates_of(path):
        parts[_name_below(template, root)] = {MODULE: file_sha256(template)[:32]}
    return parts


def templates_of(module: Path) -> list[Path]:
    """Templates of pages that a module names, and those that these name in turn.

    They lie in a folder `templates` beside the module, and are found by their names in its text.
    """
    left = {path for path in module.parent.glob("templates/*") if path.is_file()}
    found: list[Path] = []
    pending = [module]
    while pending:
        text = pending.pop().read_text(encoding="utf-8")
        named = {path for path in left if path.name in text}
        left -= named
        found += named
        pending += named
    return sorted(found)


def _name_below(path: Path, root: Path) -> str:
    path = path.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


@functools.cache  # scripts share most of their files
def _parts(source: str) -> dict[str, str]:
    """Hash of each part of a source, of what it does without what it says about it."""
    tree = ast.parse(source)
    _strip_descriptions(tree)
    parts: dict[str, list[Any]] = {}
    parts[MODULE] = _outline(tree.body, "", parts)
    return {name: settings_fingerprint(part)[:32] for name, part in parts.items()}


def _outline(body: list[ast.stmt], prefix: str, parts: dict[str, list[Any]]) -> list[str]:
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


def _dump(node: Any) -> str:
    """Text of a syntax tree, the same from Python 3.11 on.

    Unlike `ast.dump` it leaves out all empty fields: newer versions add some (`type_params`), and
    their `ast.dump` writes fewer of them. Constants are spelled out in ASCII, since which
    characters count as printable differs as well.
    """
    if isinstance(node, ast.Constant):
        return f"Constant({ascii(node.value)})"  # never left out: None is not the empty string
    if isinstance(node, ast.JoinedStr):
        # Python 3.12 ends some format specifications of an f-string with an empty text.
        parts = [part for part in node.values if getattr(part, "value", None) != ""]
        return f"JoinedStr({_dump(parts)})"
    if isinstance(node, ast.AST):
        fields = [(name, getattr(node, name, None)) for name in node._fields]
        present = [f"{name}={_dump(value)}" for name, value in fields if value not in (None, [])]
        return f"{type(node).__name__}({', '.join(present)})"
    if isinstance(node, list):
        return f"[{', '.join(map(_dump, node))}]"
    return ascii(node)


def _strip_descriptions(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, *DEFINITIONS))
            and ast.get_docstring(node, clean=False) is not None
        ):
            del node.body[0]
    # What a module says of settings, options and pins: values reach a job by other ways.
    said = DESCRIPTIONS | OFFERS
    tree.body = [
        node for node in tree.body if not said & {*_assigned(node), getattr(node, "name", None)}
    ]


def _assigned(node: ast.stmt) -> list[str]:
    """Names that a statement assigns to."""
    targets = [*getattr(node, "targets", []), getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def canonical_json(value: Any) -> str:
    """The one way to write `value` as JSON: sorted keys, no spaces, no NaN.

    Parameters
    ----------
    value : dict, list, tuple, str, int, float, bool or None
        Anything else (Path, NumPy, set, ...) is refused, because its text could change while its
        meaning does not, or the other way round.

    Returns
    -------
    str

    Raises
    ------
    TypeError, ValueError
        With the place inside `value`.
    """
    _require_plain(value, "value")
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _require_plain(value: Any, place: str) -> None:
    if type(value) is float and not math.isfinite(value):
        raise ValueError(f"{place} is {value}, which JSON cannot hold")
    if type(value) in (str, int, float, bool, type(None)):
        return
    if type(value) in (list, tuple):
        for i, item in enumerate(value):
            _require_plain(item, f"{place}[{i}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not str:
                raise TypeError(f"{place} has the key {key!r}; keys must be plain strings")
            _require_plain(item, f"{place}[{key!r}]")
    else:
        kind = type(value)
        raise TypeError(
            f"{place} is a {kind.__module__}.{kind.__name__}; only plain JSON types are allowed: "
            "turn it into str, int, float, bool, list or dict first"
        )


def settings_fingerprint(settings: Any) -> str:
    """sha256 of `settings` in canonical JSON."""
    return hashlib.sha256(canonical_json(settings).encode()).hexdigest()
