"""Runs: a folder of results with their records, and notes on the run as a whole.

Records name results as the workflow does, `results/{name}/tables/table_4.csv`. The folder of a run
may lie anywhere, as a copy or unpacked from an archive; here names are turned into files and back.

The notes lie in `.run`: how the run was asked for, what its configuration came to, and what code
did, function by function, under the fingerprints that records know it by.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from l2i.checks import InputError
from l2i.disk import replace_text
from l2i.provenance.acceptance import load_acceptance
from l2i.provenance.currency import KnownRecords
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.records import is_record, papers_below, result_of

NOTES = ".run"
ASKED = 9  # records, for the name of their run
LOCAL = ("machine",)  # parts of a configuration that identify no result


class Run:
    """A folder of results.

    Parameters
    ----------
    folder : str or Path
        ``results/{name}``, or a copy of it.
    root : PurePosixPath, optional
        How records name it. By default as those that are there do; where it is given, there may be
        none yet, nor the folder.

    Raises
    ------
    InputError
        It is no folder, or holds no record.
    """

    def __init__(self, folder: str | Path, root: PurePosixPath | None = None) -> None:
        self.folder = Path(folder)
        if root is None and not self.folder.is_dir():
            raise InputError(f"{folder} is no folder: name one of a run, such as results/demo")
        self._known = KnownRecords()
        self.root = self._root() if root is None else root

    def _root(self) -> PurePosixPath:
        """How records name this folder: what those that are asked first say of their outputs.

        Most of them, since one may be a record of another run that was put here.
        """
        told = Counter(itertools.islice(self._told_roots(), ASKED))
        if not told:
            raise InputError(
                f"{self.folder} holds no record of a result that can be read: name the folder of a "
                "run, such as results/demo"
            )
        return told.most_common(1)[0][0]

    def _told_roots(self) -> Iterator[PurePosixPath]:
        for result in self.results():
            if (record := self._known.of(str(self.folder / result))) is not None:
                named = PurePosixPath(str(record["output"].get("path")))
                if named.parts[-len(result.parts) :] == result.parts:
                    yield PurePosixPath(*named.parts[: -len(result.parts)])

    def results(self) -> Iterator[PurePosixPath]:
        """All results that have a record, relative to the folder, in the order of their names.

        Whether they are there is another question.
        """
        for path in filter(is_record, papers_below(self.folder)):
            yield PurePosixPath(result_of(path).relative_to(self.folder))

    def named(self, path: str | Path) -> str:
        """What records call a file of this run."""
        return str(self.root / PurePosixPath(os.path.relpath(path, self.folder)))

    def is_of_run(self, name: str) -> bool:
        """Whether what records call `name` belongs into this folder."""
        return PurePosixPath(name).is_relative_to(self.root) and ".." not in Path(name).parts

    def file(self, name: str) -> Path:
        """Where that lies which records call `name`; outside of the run, as it is called."""
        if not self.is_of_run(name):
            return Path(name)
        return self.folder / PurePosixPath(name).relative_to(self.root)

    def record(self, name: str) -> dict[str, Any] | None:
        """The record of what records call `name`; None where none can be read."""
        return self._known.of(str(self.file(name)))

    def accepted(self, name: str) -> list[dict[str, Any]]:
        """What people have accepted a result as, the last one last: see the acceptance's schema."""
        path = self.file(name)
        found = load_acceptance(path) if self._known.is_accepted(path) else None
        return [] if found is None else found["accepted"]

    @functools.cached_property
    def asked(self) -> dict[str, Any] | None:
        """How the run was asked for last, as `note_run` has it; None where nobody noted it."""
        return _read(self.folder / NOTES / "asked.json")

    @functools.cached_property
    def configuration(self) -> dict[str, Any] | None:
        """What its configuration came to then, without what concerns the machine."""
        return _read(self.folder / NOTES / "configuration.json")

    def code(self, fingerprint: str) -> dict[str, dict[str, str]] | None:
        """What the code of that fingerprint did (`code_parts`); None where nobody noted it."""
        parts = _read(self.folder / NOTES / "code" / f"{fingerprint}.json")
        return parts if parts is not None and settings_fingerprint(parts) == fingerprint else None


def note_run(
    folder: str | Path,
    *,
    configfiles: Iterable[str],
    assignments: Iterable[str],
    configuration: Mapping[str, Any],
    code: Iterable[Mapping[str, Mapping[str, str]]],
) -> None:
    """Note how a run is asked for, and what it does.

    Parameters
    ----------
    folder : str or Path
        ``results/{name}``.
    configfiles, assignments : iterable of str
        Overlays of config.yaml, and what the command line assigns.
    configuration : mapping
        What they come to.
    code : iterable of mapping
        `l2i.provenance.fingerprints.code_parts` of what will run.
    """
    notes = Path(folder, NOTES)
    (notes / "code").mkdir(parents=True, exist_ok=True)
    asked = {"configfiles": [*configfiles], "config": [*assignments]}
    shared = {key: value for key, value in configuration.items() if key not in LOCAL}
    _write(notes / "asked.json", asked)
    _write(notes / "configuration.json", shared)
    for parts in code:
        path = notes / "code" / f"{settings_fingerprint(parts)}.json"
        if not path.exists():
            _write(path, parts)


def _write(path: Path, value: Any) -> None:
    replace_text(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def _read(path: Path) -> Any:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
