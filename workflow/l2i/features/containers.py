"""What a file of sound says of its own length, and whether it is all there.

libsndfile reads what is left of a truncated file without a word, hears the first stream of a
chained Ogg file alone, and nothing of some recordings whose length was never written. Here the
containers themselves are read: RIFF, RIFX, RF64, W64, AIFF, AU, CAF, NIST, Ogg and mp3. FLAC
says in samples how long it is, which the decoder tells.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

# What an encoder that cannot know the length writes, as SoX, FFmpeg, arecord and others do: 0, or
# a little below what 31 or 32 bits hold.
_SLACK = 2**13
_CHUNK = re.compile(rb"[A-Za-z0-9_ ]{4}")  # what names of chunks of RIFF and IFF look like
_W64 = bytes.fromhex("2e91cf11a5d628db04c10000")  # behind the four letters of a chunk of W64
# Samples by which all but the last page of a stream grow, whatever the sizes of its blocks.
_OGG_GRID = {b"\x01vorbis": 32, b"OpusHead": 120}


class Truncated(ValueError):
    """A file that is cut; the message says what is missing, and names no file."""


def parts_of(path: Path) -> Sequence[Path | io.RawIOBase]:
    """What a decoder must read, one after the other, to hear all of a file.

    Mostly that is the file itself; of a chained Ogg file it is each of its streams, and of a file
    whose header gives no length, one with the length that it has. Files among them are open.

    Raises
    ------
    Truncated
        If less is there than the container says.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        if head[:4] == b"OggS":
            return _streams(path, file, size)
        if head[:3] == b"ID3" or _mp3_frame_bytes(head):
            _require_whole_mp3(file, size)
            return [path]
        extent = _extent(head, file, size)
    if extent is None:
        return [path]
    there = size - extent.start
    if 0 < extent.promised <= there:
        return [path]
    if not extent.is_placeholder:
        raise Truncated(f"{extent.promised - there} of the bytes that its header promises are gone")
    length = extent.length_of(there)
    return [path] if length is None else [_Window(path, 0, size, {extent.at: length})]


# ---------------------------------------------------------------- lengths in bytes


@dataclass(frozen=True)
class _Extent:
    """Where the samples of a file begin, how many bytes they are said to be, and where."""

    start: int
    promised: int
    at: int
    form: str  # of the length, for struct
    around: int = 0  # bytes of the chunk that count and are no samples

    @property
    def is_placeholder(self) -> bool:
        n_bits = 8 * struct.calcsize(self.form)
        full = (2**31, 2**32) if n_bits == 32 else (2**63, 2**64)
        near = any(0 <= limit - self.promised <= _SLACK for limit in full)
        return self.promised <= 0 or near

    def length_of(self, n_bytes: int) -> bytes | None:
        """The length that `n_bytes` of samples have, as the file would say it, if it can."""
        try:
            return struct.pack(self.form, n_bytes + self.around)
        except struct.error:
            return None


def _extent(head: bytes, file: BinaryIO, size: int) -> _Extent | None:
    """The samples of a file, None where its container is another one or has no samples."""
    if head[8:12] == b"WAVE" and head[:4] in (b"RIFF", b"RIFX", b"RF64"):
        return _wave_extent(file, size, ">" if head[:4] == b"RIFX" else "<")
    if head[:4] == b"riff" and head[4:16] == _W64:
        return _w64_extent(file, size)
    if head[:4] == b"FORM":
        return _form_extent(file, size)
    if head[:4] in (b".snd", b"dns."):
        order = ">" if head[:4] == b".snd" else "<"
        start, promised = struct.unpack(f"{order}II", head[4:12].ljust(8, b"\0"))
        return _Extent(start, promised, 8, f"{order}I")
    if head[:4] == b"caff":
        return _caf_extent(file, size)
    if head[:8] == b"NIST_1A\n":
        return _nist_extent(file)
    return None


def _chunks(file: BinaryIO, start: int, size: int, form: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and length of the chunks of a file that begin at `start`."""
    at, n_head = start, 4 + struct.calcsize(form)
    while at + n_head <= size:
        file.seek(at)
        head = file.read(n_head)
        (length,) = struct.unpack(form, head[4:])
        yield head[:4], at + n_head, length
        at += n_head + max(length, 0)
        if length % 2 and form[1] == "I":  # padded to even lengths, but by some writers
            file.seek(at)
            at += 0 if _CHUNK.fullmatch(file.read(4)) else 1


def _wave_extent(file: BinaryIO, size: int, order: str) -> _Extent | None:
    long = None
    for name, at, length in _chunks(file, 12, size, f"{order}I"):
        if name == b"ds64" and length >= 16:
            file.seek(at + 8)
            long = at + 8, int.from_bytes(file.read(8), "little")
        if name == b"data":
            if long and length == 2**32 - 1:
                return _Extent(at, long[1], long[0], "<Q")
            if length == 0 and _is_chunk(file, at, size, f"{order}I"):
                return None  # no samples, and other things behind them
            return _Extent(at, length, at - 4, f"{order}I")
    return None


def _is_chunk(file: BinaryIO, at: int, size: int, form: str) -> bool:
    """Whether chunks fill the file from here to its end; of nothing they do."""
    end = at
    for name, start, length in _chunks(file, at, size, form):
        if not _CHUNK.fullmatch(name):
            return False
        end = start + length
    return end <= size and size - end <= 1


def _w64_extent(file: BinaryIO, size: int) -> _Extent | None:
    at = 40
    while at + 24 <= size:
        file.seek(at)
        head = file.read(24)
        (length,) = struct.unpack("<Q", head[16:])  # with the head, aligned to 8
        if head[:4] == b"data":
            return _Extent(at + 24, length - 24, at + 16, "<Q", around=24)
        at += max(24, length + -length % 8)
    return None


def _form_extent(file: BinaryIO, size: int) -> _Extent | None:
    """AIFF and AIFF-C, and the sounds of the Amiga, which are built alike."""
    for name, at, length in _chunks(file, 12, size, ">I"):
        if name == b"SSND":
            return _Extent(at + 8, length - 8, at - 4, ">I", around=8)
        if name == b"BODY":
            return _Extent(at, length, at - 4, ">I")
    return None


def _caf_extent(file: BinaryIO, size: int) -> _Extent | None:
    for name, at, length in _chunks(file, 8, size, ">q"):
        if name == b"data":  # four of its bytes count edits
            return _Extent(at + 4, length - 4, at - 8, ">q", around=4)
    return None


def _nist_extent(file: BinaryIO) -> _Extent | None:
    file.seek(0)
    head = file.read(1024).decode("latin-1")
    start = re.match(r"NIST_1A\n\s*(\d+)", head)
    said = dict(re.findall(r"^(sample_count|channel_count|sample_n_bytes) -i (\d+)", head, re.M))
    if not start or len(said) < 3 or "shorten" in head:
        return None
    count, channels, n_bytes = (
        int(said[name]) for name in ("sample_count", "channel_count", "sample_n_bytes")
    )
    promised = count * channels * n_bytes
    return _Extent(int(start[1]), promised, 0, ">q") if promised else None


# ---------------------------------------------------------------- Ogg


@dataclass(frozen=True)
class _Page:
    start: int
    end: int
    flags: int
    granule: int
    serial: int
    number: int
    body: bytes  # its first bytes

    @property
    def begins(self) -> bool:
        return bool(self.flags & 2)

    @property
    def ends(self) -> bool:
        return bool(self.flags & 4)


def _streams(path: Path, file: BinaryIO, size: int) -> Sequence[Path | io.RawIOBase]:
    """The file, or each of the streams of a chained one."""
    links: list[list[_Page]] = []
    for page in _pages(file, size):
        # Streams that run side by side begin together.
        if page.begins and not (links and links[-1][-1].begins):
            links.append([])
        if not links:
            raise Truncated("its first page is gone")
        links[-1].append(page)
    for link in links:
        _require_whole_stream(link)
    if len(links) == 1:
        return [path]
    return [_Window(path, link[0].start, link[-1].end) for link in links]


def _pages(file: BinaryIO, size: int) -> Iterator[_Page]:
    at = 0
    while at + 27 <= size:
        file.seek(at)
        head = file.read(27)
        if head[:4] != b"OggS":  # tags that other programs add, or damage
            found = _next_page(file, at, size)
            if found is None:
                return
            at = found
            continue
        flags, granule, serial, number = struct.unpack("<BqII", head[5:22])
        lengths = file.read(head[26])
        end = at + 27 + head[26] + sum(lengths)
        if len(lengths) < head[26] or end > size:
            raise Truncated("its last page is cut")
        yield _Page(at, end, flags, granule, serial, number, file.read(8))
        at = end
    file.seek(at)
    if file.read(4) == b"OggS":
        raise Truncated("its last page is cut")


def _next_page(file: BinaryIO, at: int, size: int) -> int | None:
    while at < size:
        file.seek(at)
        block = file.read(2**16)
        if (found := block.find(b"OggS")) >= 0:
            return at + found
        at += max(1, len(block) - 3)
    return None


def _require_whole_stream(pages: list[_Page]) -> None:
    last = pages[-1]
    numbers = [page.number for page in pages if page.serial == last.serial]
    gaps = [b for a, b in zip(numbers, numbers[1:], strict=False) if b - a > 1]
    if gaps:
        raise Truncated(f"the page before its page {gaps[0]} is gone")
    if not (last.ends or _is_trimmed(pages)):
        raise Truncated(
            "its last page does not end the stream; either the end is gone, or its encoder was "
            "stopped: if you hear all of it, encode it again"
        )


def _is_trimmed(pages: list[_Page]) -> bool:
    """Whether the last page ends within a block, as only the end of a recording does."""
    grid = next((n for head, n in _OGG_GRID.items() if pages[0].body.startswith(head[:8])), None)
    heard = [page.granule for page in pages if page.granule > 0]
    return grid is not None and len(heard) > 1 and (heard[-1] - heard[-2]) % grid != 0


# ---------------------------------------------------------------- mp3

_KBITS = {  # by whether it is MPEG-1, and layer
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def _mp3_frame_bytes(head: bytes) -> int:
    """Length of the frame of MPEG audio that begins here, 0 where none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return 0
    first = version == 3
    hertz = (44_100, 48_000, 32_000)[rate] >> {3: 0, 2: 1, 0: 2}[version]
    per_second = 1000 * _KBITS[first, layer][bits - 1]
    padding = head[2] >> 1 & 1
    if layer == 1:
        return 4 * (12 * per_second // hertz + padding)
    return (72 if layer == 3 and not first else 144) * per_second // hertz + padding


def _require_whole_mp3(file: BinaryIO, size: int) -> None:
    """Raise Truncated if the last of its frames is cut; one that is gone the decoder misses."""
    file.seek(0)
    head = file.read(10)
    at = 0
    if head[:3] == b"ID3" and len(head) == 10:
        shifted = zip(head[6:], (21, 14, 7, 0), strict=True)
        at = 10 + sum((byte & 127) << shift for byte, shift in shifted)
    while at + 4 <= size:
        file.seek(at)
        length = _mp3_frame_bytes(file.read(4))
        if not length:
            return  # tags at the end, or what the decoder must judge
        if at + length > size:
            raise Truncated(f"{at + length - size} of the bytes of its last frame are gone")
        at += length


# ---------------------------------------------------------------- a part of a file


class _Window(io.RawIOBase):
    """Bytes of a file from `start` to `stop` as a file of their own, a few of them replaced."""

    def __init__(
        self, path: Path, start: int, stop: int, replaced: dict[int, bytes] | None = None
    ) -> None:
        self._file = path.open("rb")
        self._start, self._size = start, stop - start
        self._replaced = replaced or {}
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        n = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._start + self._at)
        block = bytearray(self._file.read(n))
        for at, content in self._replaced.items():
            for i, byte in enumerate(content, at - self._at):
                if 0 <= i < len(block):
                    block[i] = byte
        buffer[: len(block)] = block
        self._at += len(block)
        return len(block)

    def close(self) -> None:
        self._file.close()
        super().close()
