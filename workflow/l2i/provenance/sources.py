"""The code of jobs as it is today: what it does, and which packages it hangs on."""

from __future__ import annotations

import functools
from pathlib import Path

from l2i.provenance.environments import packages_of, read_lock
from l2i.provenance.fingerprints import (
    canonical_json,
    code_fingerprint,
    code_parts,
    source_closure,
)


class Sources:
    """Closures of scripts, each read once.

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
        self._known: dict[str, list[Path]] = {}

    def _code(self, *entries: Path) -> str:
        """Fingerprint of what a script does, and modules that it finds by name."""
        fingerprint = code_fingerprint(self._closure(*entries), self.root)
        self._known[fingerprint] = self._closure(*entries)
        return fingerprint

    def _pins(self, *entries: Path) -> str:
        """Canonical JSON of the versions of the packages that they hang on."""
        ours = [path.stem for path in self.root.iterdir()]
        return canonical_json(packages_of(self._closure(*entries), self.lock, ours=ours))

    def _find(self, *entries: Path) -> list[Path]:
        return source_closure(entries, self.root)

    def parts(self) -> list[dict[str, dict[str, str]]]:
        """What all code whose fingerprint was asked for does, function by function."""
        return [code_parts(files, self.root) for files in self._known.values()]
