"""What a disk refuses, told with the file, the room needed, the room there and the remedy.

Python, pandas and Matplotlib raise OSError without the file; safetensors raises an error of its
own, and torch one that hides the cause behind another. :func:`refusal` reads all of them.
"""

from __future__ import annotations

import errno
import getpass
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from l2i.checks import InputError

ELSEWHERE = "work in a copy of the project elsewhere"
PART = ".part-"  # how files begin that get their name when they are whole
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
DENIED = {errno.EROFS, errno.EACCES, errno.EPERM}


class Refused(InputError):
    """A file cannot be written, for a reason that its user can remove."""


def in_units(n_bytes: int) -> str:
    """A number of bytes for people: '0 bytes', '12.3 MB'."""
    amount, units = float(n_bytes), ["bytes", "kB", "MB", "GB", "TB"]
    while amount >= 999.5 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.3g} {units[0]}"


def free_bytes(folder: str | Path) -> int:
    """Room on the disk of a folder, which need not exist yet."""
    found = os.statvfs(_existing(folder))
    return found.f_bavail * found.f_frsize


def require_room(
    folder: str | Path, n_bytes: int, what: str, *, elsewhere: str = ELSEWHERE
) -> None:
    """Raise Refused unless the disk of `folder` has `n_bytes` free for `what`."""
    if n_bytes > free_bytes(folder):
        raise Refused(f"{what}: {_missing(folder, n_bytes)}; {_make_room(elsewhere)}")


@contextmanager
def writing(
    *paths: str | Path, n_bytes: int | None = None, elsewhere: str = ELSEWHERE
) -> Iterator[None]:
    """Report what the disk refuses while `paths` are written, and leave none of them half-written.

    Parameters
    ----------
    *paths : str or Path
        Files, or a folder, which is left as it is.
    n_bytes : int, optional
        Their size, where it is known.
    elsewhere : str
        What to do where nothing can be changed there.

    Raises
    ------
    Refused
        In place of the error of whichever library it was.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        code, _ = _cause(error)
        if code in FULL:  # what is there of them is no use, and stands in the way of all else
            for path in map(Path, paths):
                if path.is_file():
                    path.unlink()
        told = refusal(error, paths[0], n_bytes=n_bytes, elsewhere=elsewhere)
        if told is None:
            raise
        raise told from error


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file; see :func:`writing`."""
    with writing(path, n_bytes=len(content)):
        Path(path).write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """Write a file in UTF-8; see :func:`writing`."""
    write_bytes(path, text.encode())


def replace_bytes(path: str | Path, content: bytes) -> None:
    """Write a file in the place of what has its name, whole or not at all; see :func:`writing`."""
    target = Path(path)
    part = target.with_name(f"{PART}{target.name}")
    try:
        write_bytes(part, content)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def replace_text(path: str | Path, text: str) -> None:
    """Write a file in UTF-8; see :func:`replace_bytes`."""
    replace_bytes(path, text.encode())


def refusal(
    error: BaseException,
    path: str | Path,
    *,
    n_bytes: int | None = None,
    elsewhere: str = ELSEWHERE,
) -> Refused | None:
    """What an error, or one behind it, says of writing to a disk; None where it says nothing.

    Parameters
    ----------
    error : BaseException
    path : str or Path
        What was being written, where the error does not say it: a file, or the folder of several.
    n_bytes : int, optional
        Room that was needed, where it is known.
    elsewhere : str
        What to do where nothing can be changed there.
    """
    code, named = _cause(error)
    if code not in FULL | DENIED:
        return None
    shown = Path(*(part.removeprefix(PART) for part in Path(named or path).parts))
    if shown.name.startswith("."):  # a lock or the like, known to nobody
        shown = shown.parent
    if code == errno.EROFS:
        return Refused(
            f"{shown}: cannot be written, its file system is read-only; mount it for writing, or "
            f"{elsewhere}"
        )
    if code in DENIED:
        return Refused(f"{shown}: access is denied to user {_user()}; grant it, or {elsewhere}")
    if code == errno.EDQUOT:
        needed = "" if n_bytes is None else f" ({in_units(n_bytes)} are needed)"
        return Refused(
            f"{shown}: cannot be written, the quota of user {_user()} is used up{needed}; "
            f"remove files or ask for more and give your command again, or {elsewhere}"
        )
    if code == errno.EFBIG:
        needed = "" if n_bytes is None else f" ({in_units(n_bytes)})"
        return Refused(
            f"{shown}: cannot be written, it is too large{needed} for its file system or for what "
            f"ulimit -f allows; raise that, or {elsewhere}"
        )
    return Refused(
        f"{shown}: cannot be written, {_missing(shown, n_bytes)}; {_make_room(elsewhere)}"
    )


def _make_room(elsewhere: str) -> str:
    return f"make room there and give your command again, or {elsewhere}"


def _missing(place: str | Path, n_bytes: int | None) -> str:
    """How much room is needed and there."""
    folder = _existing(place)
    found = os.statvfs(folder)
    needed = f"{in_units(n_bytes)} are needed" if n_bytes is not None else "more is needed"
    if found.f_files and not found.f_favail:
        return f"the disk of {_mount(folder)} can hold no more files, however small ({needed})"
    return f"{needed}, and {in_units(free_bytes(folder))} are free on the disk of {_mount(folder)}"


def _existing(path: str | Path) -> Path:
    """The folder that is, or would be, on the same disk as a path."""
    path = Path(path).absolute()
    return next(place for place in (path, *path.parents) if place.is_dir())


def _mount(folder: Path) -> Path:
    """Where the disk of a folder begins."""
    return next(place for place in (folder, *folder.parents) if place.is_mount())


def _cause(error: BaseException | None) -> tuple[int | None, str | None]:
    """Error number and file of the first error, of those behind it too, that a disk raised."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL | DENIED:
            named = error.filename
            return error.errno, os.fsdecode(named) if isinstance(named, (str, bytes)) else None
        if found := re.search(r"\(os error (\d+)\)", str(error)):  # as Rust's libraries say it
            return int(found[1]), None
        # Torch raises its own error while it handles the disk's.
        error = error.__cause__ or (error.__context__ if type(error) is RuntimeError else None)
    return None, None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in containers
        return str(os.getuid())
