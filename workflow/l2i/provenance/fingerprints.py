"""Fingerprints: of code and of settings.

A fingerprint changes exactly when what it stands for could change a result. Comments, docstrings,
layout, key order and the place of the project on a disk therefore have no part in any of them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from l2i.hashing import file_sha256
from l2i.provenance.syntax import MODULE, Source, read_source

# What can move, name or report bytes but never make them. They are left out together with
# whatever is imported through them alone ...
LEAVE_OUT = ("harness", "l2i.progress")
# ... except for what the harness does to the numbers of every script.
ALWAYS = ("l2i.determinism",)


def source_of(path: Path) -> Source:
    """What a source file says."""
    return read_source(path.read_text(encoding="utf-8"), str(path))


def files_of_module(module: str, root: Path) -> list[Path]:
    """The file of a module below `root`, and those of the packages around it; none of others'."""
    found, base = [], root
    for part in module.split("."):
        if base is not root and not base.is_dir():
            break
        base = base / part
        found += [path for path in (base / "__init__.py", Path(f"{base}.py")) if path.is_file()]
    return found


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
        pending.extend(files_of_module(module, root))
    while pending:
        path = pending.pop()
        if path in found:
            continue
        found.add(path)
        pending.extend(imported(path, root))
    return sorted(found)


def imported_files(
    path: Path,
    root: Path,
    *,
    source: Callable[[Path], Source] = source_of,
    files_of: Callable[[str, Path], Iterable[Path]] = files_of_module,
) -> list[Path]:
    """The files below `root` that a source file imports itself, without those of `LEAVE_OUT`.

    `source` and `files_of`, such as some that remember, answer for :func:`source_of` and
    :func:`files_of_module`.
    """
    followed = [
        module
        for module in source(path).modules
        if not any(f"{module}.".startswith(f"{name}.") for name in LEAVE_OUT)
    ]
    return [file for module in followed for file in files_of(module, root)]


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


def parts_of_file(
    path: Path, root: Path, *, source: Callable[[Path], Source] = source_of
) -> dict[str, dict[str, str]]:
    """The `code_parts` of one file, and of the templates that it names; `source` as above."""
    parts = {_name_below(path, root): source(path).parts}
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
