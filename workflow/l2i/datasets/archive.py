"""Archives from elsewhere, unpacked whole or not at all.

Every member is judged by its name, kind and size before the first byte is written.
"""

from __future__ import annotations

import gzip
import lzma
import re
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, cast

from l2i.checks import InputError, raise_all
from l2i.datasets.storage import ELSEWHERE
from l2i.disk import refusal, require_room

MAX_RATIO = 50  # unpacked to packed; sound seldom packs to less than a half, csv to a tenth
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,  # of places and texts that cannot be
    OverflowError,
    RuntimeError,
    NotImplementedError,  # a compression that Python does not know
)
KINDS = {".zip": "zip", ".tar.gz": "tar.gz", ".tgz": "tar.gz"}
SHARD = re.compile(r"audio-\d+")  # top folder of one of several archives with the clips of a corpus
SMALL_BYTES = 64 * 2**20  # archives that unpack to less may have any ratio


@dataclass(frozen=True)
class _Member:
    name: str
    kind: str  # file, folder, or what it is instead
    n_bytes: int
    open: Callable[[], IO[bytes]]

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(part for part in PurePosixPath(self.name).parts if part != ".")

    @property
    def is_clutter(self) -> bool:
        """Whether macOS added this member beside the real ones."""
        return any(part == "__MACOSX" or part.startswith("._") for part in self.parts)


def unpack(archive: str | Path, folder: str | Path, *, kind: str) -> None:
    """Unpack an archive to a folder that does not exist yet.

    Where all members lie below one common folder, that folder is left out; that of a shard, which
    is called `audio-<number>`, becomes `audio`. What macOS adds (`._*`, `__MACOSX`) is skipped.

    Parameters
    ----------
    archive : str or Path
    folder : str or Path
        Appears when everything has been written.
    kind : str
        "zip", "tar.gz", or "file" for a file that is no archive and is copied as it is.

    Raises
    ------
    InputError
        If the folder exists, the disk is too full, or the archive is damaged, holds absolute
        paths, `..`, links, devices or one name twice, or unpacks to more than `MAX_RATIO` times
        its size.
    """
    archive, folder = Path(archive), Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists already; move it away to have {archive} unpacked there")
    fresh = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(fresh, ignore_errors=True)  # left by a killed run
    n_bytes: int | None = None
    try:
        with _members(archive, kind) as members:
            _require_harmless(archive, members)
            fresh.mkdir(parents=True)
            n_bytes = sum(member.n_bytes for member in members)
            require_room(fresh.parent, n_bytes, f"{archive}, unpacked", elsewhere=ELSEWHERE)
            for member in members:
                _write(member, fresh)
        _without_top_folder(fresh).rename(folder)
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(f"{archive}: is damaged ({error}); delete and fetch it again") from error
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)  # before what is free is looked up
        told = refusal(error, folder, n_bytes=n_bytes, elsewhere=ELSEWHERE)
        raise told or InputError(
            f"{archive}: cannot be unpacked to {folder} ({error}); {ELSEWHERE}"
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def kind_of(name: str) -> str:
    """Return the kind that `unpack` wants, by the suffix of a file's name."""
    return next((kind for suffix, kind in KINDS.items() if name.endswith(suffix)), "file")


@contextmanager
def _members(archive: Path, kind: str) -> Iterator[list[_Member]]:
    if kind == "zip":
        with zipfile.ZipFile(archive) as file:
            members = [_zip_member(file, info) for info in file.infolist()]
            yield [member for member in members if not member.is_clutter]
    elif kind == "tar.gz":
        with tarfile.open(archive, "r:gz") as file:
            members = [_tar_member(file, info) for info in file.getmembers()]
            yield [member for member in members if not member.is_clutter]
    elif kind == "file":
        yield [_Member(archive.name, "file", archive.stat().st_size, lambda: archive.open("rb"))]
    else:
        raise InputError(f"archive must be zip, tar.gz or file, got {kind!r}")


def _zip_member(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    kind = "folder" if info.filename.endswith("/") else "file"  # `is_dir` wants a letter at least
    unix_type = stat.S_IFMT(info.external_attr >> 16)
    if unix_type not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "a link" if unix_type == stat.S_IFLNK else "a device"
    elif info.flag_bits & 1:
        kind = "encrypted"
    return _Member(info.filename, kind, info.file_size, lambda: file.open(info))


def _tar_member(file: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    kind = "folder" if info.isdir() else "file" if info.isreg() else "a device"
    if info.issym() or info.islnk():
        kind = "a link"
    # Only files are opened, and these are not None.
    return _Member(info.name, kind, info.size, lambda: cast(IO[bytes], file.extractfile(info)))


def _require_harmless(archive: Path, members: list[_Member]) -> None:
    problems, files = [], set()
    for member in members:
        name = member.name
        if member.kind == "file" and not member.parts:
            problems.append(f"{name!r} names no file")
        if PureWindowsPath(name).anchor or "\\" in name:  # a superset of what POSIX calls absolute
            problems.append(f"{name!r} is no relative path with forward slashes")
        if ".." in member.parts:
            problems.append(f"{name!r} leads out of the folder")
        if member.kind not in ("file", "folder"):
            problems.append(f"{name!r} is {member.kind}; only files and folders are unpacked")
        elif member.kind == "file" and member.parts in files:
            problems.append(f"{name!r} is there twice")
        if member.kind == "file":
            files.add(member.parts)
    if not files:
        problems.append("it holds no file")
    n_bytes = sum(member.n_bytes for member in members)
    if n_bytes > max(SMALL_BYTES, MAX_RATIO * archive.stat().st_size):
        problems.append(f"it would unpack to {n_bytes} bytes, over {MAX_RATIO} times its own size")
    raise_all(problems, f"{archive} is not unpacked; fetch it from its publisher again")


def _write(member: _Member, folder: Path) -> None:
    path = folder.joinpath(*member.parts)
    if member.kind == "folder":
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with member.open() as source, path.open("xb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    if path.stat().st_size != member.n_bytes:
        raise EOFError(f"{member.name} is shorter than the archive says")


def _without_top_folder(folder: Path) -> Path:
    entries = list(folder.iterdir())
    if len(entries) != 1 or not entries[0].is_dir():
        return folder
    if not SHARD.fullmatch(entries[0].name):
        return entries[0]
    entries[0].rename(folder / "audio")
    return folder
