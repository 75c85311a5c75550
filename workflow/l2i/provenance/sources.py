"""The code of jobs as it is today: what it does, and which packages it hangs on."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from l2i.provenance.environments import packages_of, read_lock
from l2i.provenance.fingerprints import (
    canonical_json,
    code_fingerprint,
    code_parts,
    files_of_module,
    imported_files,
    parts_of_file,
    source_closure,
    source_of,
)
from l2i.provenance.syntax import MODULE


class CodeChange(NamedTuple):
    """A file in which code has changed, and the parts of it, each with what happened to it."""

    file: str
    parts: dict[str, str]  # function, class or constant -> added, removed or changed

    def told(self) -> str:
        """The same in words."""
        return f"{self.file}: " + ", ".join(f"{part} {what}" for part, what in self.parts.items())


def code_changes(
    then: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]
) -> list[CodeChange]:
    """What has changed from one code to another, by `l2i.provenance.fingerprints.code_parts`.

    A file that has come or gone is one part; what a file does outside of its functions is told only
    where nothing else has changed, since it holds their order.
    """
    found = []
    for file in sorted({*then, *now}):
        if file not in then or file not in now:
            found.append(CodeChange(file, {"the file": "added" if file in now else "removed"}))
        elif then[file] != now[file]:
            found.append(CodeChange(file, _changed_parts(then[file], now[file])))
    return found


def _changed_parts(then: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    parts = {}
    for part in sorted({*then, *now}):
        if part not in then or part not in now:
            parts[part] = "added" if part in now else "removed"
        elif then[part] != now[part]:
            parts[part] = "changed"
    named = {part: what for part, what in parts.items() if part != MODULE}
    return named or parts


class Sources:
    """Closures of scripts; what each file imports and does is read once, as they share most.

    Parameters
    ----------
    root : Path
        Folder on the import path.
    lock_file : Path
        Pins of the environment that results are computed in.
    """

    def __init__(self, root: Path, lock_file: Path) -> None:
        self.root = root
        self.lock = read_lock(lock_file)
        self.code = functools.cache(self._code)
        self.pins = functools.cache(self._pins)
        self._closure = functools.cache(self._find)
        source, files_of = functools.cache(source_of), functools.cache(files_of_module)
        self._source = source
        self._imported = functools.cache(
            functools.partial(imported_files, source=source, files_of=files_of)
        )
        self._parts_of = functools.cache(functools.partial(parts_of_file, source=source))
        self._known: dict[str, list[Path]] = {}

    def _code(self, *entries: Path) -> str:
        """Fingerprint of what a script does, and modules that it finds by name."""
        files = self._closure(*entries)
        fingerprint = code_fingerprint(files, self.root, parts_of=self._parts_of)
        self._known[fingerprint] = files
        return fingerprint

    def _pins(self, *entries: Path) -> str:
        """Canonical JSON of the versions of the packages that they hang on."""
        ours = [path.stem for path in self.root.iterdir()]
        files = self._closure(*entries)
        return canonical_json(packages_of(files, self.lock, ours=ours, source=self._source))

    def _find(self, *entries: Path) -> list[Path]:
        return source_closure(entries, self.root, imported=self._imported)

    def _parts(self, files: list[Path]) -> dict[str, dict[str, str]]:
        return code_parts(files, self.root, parts_of=self._parts_of)

    def parts_of(self, fingerprint: str) -> dict[str, dict[str, str]]:
        """What the code of a fingerprint that was asked for does, function by function."""
        return self._parts(self._known[fingerprint])

    def parts(self) -> list[dict[str, dict[str, str]]]:
        """What all code whose fingerprint was asked for does, function by function."""
        return [self._parts(files) for files in self._known.values()]
