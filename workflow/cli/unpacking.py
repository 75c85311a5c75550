"""A run, or what a crate holds of one."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from l2i.checks import InputError, reason
from l2i.datasets.archive import DAMAGE
from l2i.disk import require_room
from l2i.provenance.records import FOLDER
from l2i.provenance.runs import NOTES, Run

LISTING = "files.json"  # of a corpus


@contextmanager
def opened(path: Path) -> Iterator[Run]:
    """The run in a folder, in an unpacked crate, or in a crate that is a zip archive.

    Of an archive only what tells of numbers and of how they were made is unpacked, into a folder
    that is removed again; nothing is ever written beside it.

    Raises
    ------
    InputError
        It is none of these, or a name in the archive leads out of it.
    """
    if path.is_dir():
        yield Run(_folder_of_run(path))
        return
    if not path.is_file():
        raise InputError(f"{path} is missing: name the folder of a run, or a crate")
    with tempfile.TemporaryDirectory(prefix="l2i-") as folder:
        _unpack(path, Path(folder))
        yield _run_in(path, Path(folder))


def _run_in(archive: Path, unpacked: Path) -> Run:
    try:
        return Run(_folder_of_run(unpacked))
    except InputError:
        raise InputError(
            f"{archive} holds no record of a result that can be read: name a crate of a run"
        ) from None


def _folder_of_run(folder: Path) -> Path:
    """The folder that holds notes, or else tables with records: this one, or the next below."""
    if (folder / NOTES).is_dir():
        return folder
    inside = sorted(folder.rglob(NOTES)) + sorted(folder.rglob(f"tables/{FOLDER}"))
    found = [path.parent if path.name == NOTES else path.parents[1] for path in inside]
    return min(found, key=lambda path: len(path.parts), default=folder)


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as crate:
            members = [member for member in crate.infolist() if _is_wanted(_name(member))]
            require_room(
                folder, sum(member.file_size for member in members), f"unpacking {archive}"
            )
            for member in members:
                crate.extract(member, folder)
    except InputError:  # says already what is wrong
        raise
    except (OSError, *DAMAGE) as error:
        raise InputError(
            f"{archive} is neither the folder of a run nor a crate that can be read "
            f"({reason(error)}): name another, or fetch it anew"
        ) from error


def _name(member: zipfile.ZipInfo) -> PurePosixPath:
    """The name of a member, which must stay in the archive.

    Raises
    ------
    InputError
        It does not.
    """
    name = PurePosixPath(member.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in member.orig_filename:
        raise InputError(f"a crate holds the name {member.filename!r}, which leads out of it")
    return name


def _is_wanted(name: PurePosixPath) -> bool:
    folders = name.parts[:-1]
    is_table = name.suffix == ".csv" and folders[-1:] == ("tables",)
    return is_table or name.name == LISTING or FOLDER in folders or NOTES in folders
