"""The files of a corpus against the listing that was made when it was indexed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from l2i.checks import InputError, printable, reason
from l2i.datasets.listing import Listed, Stat, stats_below
from l2i.provenance.findings import Finding, Kind
from l2i.provenance.reading import Advance, read_hashes
from l2i.stored import read_json


class CorpusVerification:
    """What is to be held against what, of one corpus, and what comes of it.

    A run notices by itself, by size and time, that a file is another one. What it cannot notice is
    found by reading.

    Parameters
    ----------
    listing : Path
        From `l2i.datasets.listing.write_listing`.
    folder : Path
        The corpus as it is now.
    is_quick : bool
        Take a file whose size and time are as listed for what it was, as a run does.
    """

    def __init__(self, listing: Path, folder: Path, *, is_quick: bool = False) -> None:
        self.folder = folder
        self._then: dict[str, Listed] = {}
        self._now: dict[str, Stat] = {}
        self.is_there = folder.is_dir()
        if self.is_there:
            try:
                listed = read_json(listing, dict)
                self._then = {name: Listed(*entry) for name, entry in listed.items()}
            except (InputError, TypeError):  # it has a record, by which that is found
                self.is_there = False
                return
            self._now = stats_below(folder)
        alike = {
            name
            for name in self._now.keys() & self._then.keys()
            if self._now[name].size_bytes == self._then[name].size_bytes
        }
        self._to_read = {
            folder / name: self._now[name].size_bytes
            for name in alike
            if not (is_quick and self._is_as_listed(name))
        }
        self._resized = (self._now.keys() & self._then.keys()) - alike
        self.n_bytes = sum(self._to_read.values())  # that will be read
        self.n_files = len(self._now)
        self.n_known = len(alike) - len(self._to_read)  # taken as listed

    def findings(self, advance: Advance) -> Iterator[Finding]:
        """All that is found; `advance` is told how many bytes were read, from any thread."""
        for name in self._then.keys() - self._now.keys():
            yield self._found(Kind.CORPUS, name, "is lost")
        for name in self._now.keys() - self._then.keys():
            yield self._found(Kind.CORPUS, name, "is new")
        for name in self._resized:
            sizes = f"{self._then[name].size_bytes} bytes, it has {self._now[name].size_bytes}"
            yield self._found(Kind.CORPUS, name, f"was listed with {sizes}")
        for path, read in read_hashes(self._to_read, advance):
            name = path.relative_to(self.folder).as_posix()
            said = self._then[name].sha256
            if isinstance(read, OSError):
                yield self._found(Kind.UNREADABLE, name, reason(read))
            elif read != said:
                kind = Kind.CLIP if self._is_as_listed(name) else Kind.CORPUS
                what = f"was listed with sha256 {said[:8]}, it has {read[:8]}"
                yield self._found(kind, name, what)

    def _is_as_listed(self, name: str) -> bool:
        return Stat(*self._then[name][:2]) == self._now[name]

    def _found(self, kind: Kind, name: str, what: str) -> Finding:
        return Finding(kind, printable(str(self.folder / name)), what)
