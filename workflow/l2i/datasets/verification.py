"""The files of a corpus against the listing that was made when it was indexed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from l2i.checks import InputError, printable, reason
from l2i.datasets.listing import Listed, Stat, stats_below
from l2i.provenance.findings import Finding, Kind
from l2i.provenance.reading import Advance, read_hashes
from l2i.stored import read_json


def open_corpus(
    listing: Path, folder: Path, *, is_quick: bool = False
) -> CorpusVerification | Finding:
    """What is to be verified of a corpus, or why it cannot be.

    Parameters
    ----------
    listing : Path
        From `l2i.datasets.listing.write_listing`.
    folder : Path
        The corpus as it is now.
    is_quick : bool
        Take a file whose size and time are as listed for what it was, as a run does.
    """
    place = printable(str(folder))
    if not folder.is_dir():
        return Finding(Kind.AWAY, place, "is not there")
    try:
        then = {name: Listed(*entry) for name, entry in read_json(listing, dict).items()}
    except (InputError, TypeError):  # the listing has a record, by which that is found
        return Finding(Kind.AWAY, place, f"has a listing that cannot be read: {listing}")
    try:
        return CorpusVerification(folder, then, stats_below(folder), is_quick=is_quick)
    except InputError as error:
        return Finding(Kind.UNREADABLE, place, reason(error))


class CorpusVerification:
    """What is to be held against what, of one corpus, and what comes of it.

    A run notices by itself, by size and time, that a file is another one. What it cannot notice is
    found by reading. See `open_corpus`.
    """

    def __init__(
        self, folder: Path, then: Mapping[str, Listed], now: Mapping[str, Stat], *, is_quick: bool
    ) -> None:
        self.folder = folder
        self._then, self._now = then, now
        common = then.keys() & now.keys()
        self._resized = {n for n in common if then[n].size_bytes != now[n].size_bytes}
        alike = common - self._resized
        self._to_read = {
            folder / name: now[name].size_bytes
            for name in alike
            if not (is_quick and self._is_as_listed(name))
        }
        self.n_files = len(now)
        self.n_known = len(alike) - len(self._to_read)  # taken as listed
        self.n_bytes = sum(self._to_read.values())  # that will be read

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
