"""Files and archives that depend on their content alone, so that their hashes can be pinned.

What a compressor makes depends on its version, so nothing is compressed that need not be; dates,
owners and serial numbers are fixed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import struct
import tarfile
import wave
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from l2i.hashing import file_sha256

FULL_SCALE = 32_767


def file_facts(path: str | Path) -> dict:
    """Return how a configuration pins a file: name, size_bytes, md5, sha256."""
    path = Path(path)
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    size = path.stat().st_size
    return {"name": path.name, "size_bytes": size, "md5": md5, "sha256": file_sha256(path)}


def wav_bytes(x: np.ndarray, sample_rate: int) -> bytes:
    """Return a mono waveform (n_samples,) within [-1, 1] as a wav of 16-bit integers."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, sample_rate, len(x), "NONE", ""))
        file.writeframes(_integers(x).tobytes())
    return buffer.getvalue()


def ogg_bytes(x: np.ndarray, sample_rate: int) -> bytes:
    """Return a waveform (n_samples, n_channels) within [-1, 1] as Ogg Vorbis.

    libsndfile draws the stream's serial number from the clock; it is set to 0 here. The rest
    depends on the versions of libsndfile and libvorbis in the locked soundfile package only: bytes
    are the same with and without FMA and AVX2 in the C library.
    """
    buffer = io.BytesIO()
    # Integers, because they hide differences in the last bit between processors from the encoder.
    soundfile.write(buffer, _integers(x), sample_rate, format="OGG", subtype="VORBIS")
    return b"".join(_without_serial_number(page) for page in _ogg_pages(buffer.getvalue()))


def csv_bytes(rows: Iterable[dict], columns: Sequence[str]) -> bytes:
    """Return a table with a header as text, with the line ends of Unix."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def write_zip(path: Path, members: dict[str, bytes]) -> None:
    """Write members, sorted by name and stored, into a zip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for name in sorted(members):
            info = zipfile.ZipInfo(name)  # dated 1980-01-01
            info.create_system, info.external_attr = 3, 0o100644 << 16
            file.writestr(info, members[name])


def write_tar_gz(path: Path, members: dict[str, bytes]) -> None:
    """Write members, sorted by name and stored, into a gzipped tar."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as file:
        for name in sorted(members):
            info = tarfile.TarInfo(name)  # dated 1970-01-01, of nobody
            info.size = len(members[name])
            file.addfile(info, io.BytesIO(members[name]))
    path.write_bytes(_gzip_stored(tar.getvalue()))


def _integers(x: np.ndarray) -> np.ndarray:
    return np.round(x * FULL_SCALE).astype("<i2")


def _gzip_stored(content: bytes) -> bytes:
    """Return gzip of blocks that are merely stored: where zlib cuts them depends on its version."""
    header = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])  # no name, no date, no system
    blocks, size = [], 0xFFFF
    for start in range(0, max(1, len(content)), size):
        block = content[start : start + size]
        is_last = start + size >= len(content)
        blocks += [struct.pack("<BHH", is_last, len(block), 0xFFFF - len(block)), block]
    return b"".join([header, *blocks, struct.pack("<II", zlib.crc32(content), len(content))])


def _ogg_pages(stream: bytes) -> Iterable[bytes]:
    start = 0
    while start < len(stream):
        n_segments = stream[start + 26]
        lengths = stream[start + 27 : start + 27 + n_segments]
        end = start + 27 + n_segments + sum(lengths)
        yield stream[start:end]
        start = end


def _without_serial_number(page: bytes) -> bytes:
    """Set bytes 14 to 17, the serial number, to 0 and renew the check sum in bytes 22 to 25."""
    page = page[:14] + bytes(4) + page[18:22] + bytes(4) + page[26:]
    return page[:22] + struct.pack("<I", _ogg_crc(page)) + page[26:]


def _ogg_crc(page: bytes) -> int:
    """CRC-32 as Ogg defines it: zlib's with bits in the other order and without inversions."""
    crc = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2)


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
