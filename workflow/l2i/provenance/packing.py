"""What a crate holds: files of a run and of the project that made it, in one archive.

Of the same run, the same bytes: nothing in the archive depends on when or where it was packed. It
appears whole or not at all, and nothing in it tells where it was made.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from l2i.checks import InputError, printable
from l2i.disk import PART
from l2i.hashing import file_sha256, files_of, tree_sha256
from l2i.provenance.digests import digest_path, require_digest
from l2i.provenance.jobs import Job
from l2i.provenance.records import FOLDER, papers_below
from l2i.provenance.runs import NOTES, Run

METADATA, README = "ro-crate-metadata.json", "README.md"  # of the archive itself
WEIGHTS = ".safetensors"
# Stages whose folders hold sounds.
SOUNDS = ("listening", "corrupted", "stimuli", "prototypes", "listen", "listening_test", "atlas")
SPECTRA = ".npy"  # large, and made anew from audio in minutes
OF_THIS_MACHINE = "asked.json"  # among the notes of a run
# What made the run, of the project; other files of it are for its developers.
SOURCES = (
    *("Snakefile", "config.yaml", "config", "workflow", "envs", "profiles"),
    *("pyproject.toml", "setup.py", "LICENSE", "CITATION.cff"),
)
TIME = (1980, 1, 1, 0, 0, 0)  # of all files in the archive, the first that it can tell
CHUNK = 1 << 20
# A text that is an address of a file on this machine, alone in a value of JSON, or in a log.
ABSOLUTE = re.compile(r"^(file:)?(//(localhost)?)?/(?!/)|^~")
ABSOLUTE_IN_TEXT = re.compile(r"(?<![\w.:/<)\]}*-])/(?:[\w.+@-]+/)+[\w.+@-]+|file:/+\w")


class Packed(NamedTuple):
    """A file that goes into a crate."""

    name: str  # in the crate
    path: Path
    sha256: str
    size_bytes: int


class Manifest(NamedTuple):
    """What goes into a crate, and what does not although it might."""

    files: list[Packed]
    left_out: dict[str, str]  # name -> why

    @property
    def names(self) -> set[str]:
        """Names in the crate."""
        return {file.name for file in self.files}


def manifest_of(
    run: Run,
    jobs: Sequence[Job],
    project: str | Path,
    *,
    with_weights: bool = False,
    with_audio: bool = False,
) -> Manifest:
    """What a crate of a run holds.

    Parameters
    ----------
    run : Run
    jobs : sequence of Job
        All of the run.
    project : str or Path
        Folder of the sources.
    with_weights, with_audio : bool
        Whether weights, and folders of sounds, go into it as well.

    Raises
    ------
    InputError
        A file is missing, is a link out of the run or the project, or has a name or holds a path
        that does not belong into what others unpack.
    """
    outputs = [output for job in jobs for output in job.outputs]
    results = [o for o in outputs if _is_wanted(run, o, with_weights, with_audio)]
    found = [
        *(_of_result(run, output) for output in results if output["kind"] == "file"),
        *(each for output in results if output["kind"] == "folder" for each in _below(run, output)),
        *(_hashed(run, path) for path in _beside(run, jobs)),
        *_sources(Path(project)),
    ]
    left_out = {}
    for log in (job.log for job in jobs if run.is_of_run(job.log)):
        if run.file(log).is_file():
            if told := _absolute_path_in(run.file(log)):
                left_out[log] = f"names {told}"
            else:
                found.append(_hashed(run, run.file(log)))
    files = sorted({file.name: file for file in found}.values())
    for file in files:
        _require_safe_name(file.name)
        _require_portable(file, [Path(project).resolve(), run.folder.resolve(), Path.home()])
    return Manifest(files, left_out)


def _is_wanted(run: Run, output: dict[str, Any], with_weights: bool, with_audio: bool) -> bool:
    path = PurePosixPath(output["path"])
    if output["kind"] == "folder":
        return with_audio or path.relative_to(run.root).parts[0] not in SOUNDS
    return {WEIGHTS: with_weights, SPECTRA: False}.get(path.suffix, True)


def _of_result(run: Run, output: dict[str, Any]) -> Packed:
    path = _within(run.file(output["path"]), run.folder)
    return Packed(output["path"], path, output["sha256"], output["size_bytes"])


def _below(run: Run, output: dict[str, Any]) -> Iterator[Packed]:
    """The files of a folder, which together must be what its record says."""
    folder = run.file(output["path"])
    if not folder.is_dir() or tree_sha256(folder) != output["sha256"]:
        raise InputError(
            f"{folder} is not what its record says: give the command of your run again, which "
            "makes it anew, and pack it then"
        )
    yield from (_hashed(run, path) for path in files_of(folder))


def _hashed(run: Run, path: Path) -> Packed:
    path = _within(path, run.folder)
    return Packed(run.named(path), path, file_sha256(path), path.stat().st_size)


def _beside(run: Run, jobs: Iterable[Job]) -> Iterator[Path]:
    """Records and what is said of them, digests, and notes."""
    yield from papers_below(run.folder)
    for output in (output for job in jobs for output in job.outputs):
        path = run.file(output["path"])
        if digest_path(path).exists():
            require_digest(path, output["sha256"])
            yield digest_path(path)
    notes = sorted((run.folder / NOTES).rglob("*"))
    yield from (
        path
        for path in notes
        if path.is_file() and path.name != OF_THIS_MACHINE and not path.name.startswith(".")
    )


def _sources(project: Path) -> Iterator[Packed]:
    for name in SOURCES:
        top = project / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            inside = path.relative_to(project)
            hidden = any(part.startswith((".", "__pycache__")) for part in inside.parts)
            made = ".egg-info" in str(inside) or path.suffix == WEIGHTS  # the model that ships
            if path.is_file() and not hidden and not made:
                path = _within(path, project)
                yield Packed(inside.as_posix(), path, file_sha256(path), path.stat().st_size)


def _within(path: Path, folder: Path) -> Path:
    """`path`, which must be a file and, links followed, lie in the folder."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            f"{path} is a link out of {folder}, which no crate follows: put the file itself there"
        )
    if not path.is_file():
        raise InputError(
            f"{path} has a record but is missing: give the command of your run again, which makes "
            "it anew, and pack it then"
        )
    return path


def _require_safe_name(name: str) -> None:
    path = PurePosixPath(name)
    parts_are_plain = path.as_posix() == name and not {"..", "~"} & {*path.parts}
    if path.is_absolute() or not parts_are_plain or "\\" in name or printable(name) != name:
        raise InputError(
            f"{name!r} cannot go into a crate: names there are relative, of letters and signs that "
            "can be shown, without `..` and backslashes"
        )


def _require_portable(file: Packed, folders: Sequence[Path]) -> None:
    """Raise InputError where a file tells where on this machine the run lay."""
    if file.path.suffix in (WEIGHTS, ".png", ".wav", ".flac"):
        return
    content = file.path.read_bytes()
    told = [f"{folder}" for folder in folders if len(folder.parts) > 1]
    found = next((folder for folder in told if f"{folder}/".encode() in content), None)
    if found is None and file.path.parent.name in (FOLDER, NOTES):
        found = next(filter(ABSOLUTE.match, _texts(json.loads(content))), None)
    if found is not None:
        raise InputError(
            f"{file.path} holds a path of this machine, {found}, which others should not see and "
            "cannot use: configure it relative to the project, remove what was made with it and "
            "give the command of your run again"
        )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _absolute_path_in(log: Path) -> str | None:
    found = ABSOLUTE_IN_TEXT.search(log.read_text(encoding="utf-8", errors="replace"))
    return found[0] if found else None


def write_archive(target: str | Path, files: Iterable[Packed], texts: dict[str, str]) -> None:
    """Write files and texts into a zip, whole or not at all.

    Parameters
    ----------
    target : str or Path
        A file that is there already is replaced.
    files : iterable of Packed
    texts : dict
        Name in the archive -> content.

    Raises
    ------
    InputError
        A file is not what it was said to be.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{PART}{target.name}")
    try:
        with zipfile.ZipFile(part, "w") as archive:
            for name, text in sorted(texts.items()):
                archive.writestr(_entry(name), text.encode())
            for file in sorted(files):
                _write(archive, file)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system, entry.external_attr = 3, 0o100644 << 16  # as Unix writes a plain file
    return entry


def _write(archive: zipfile.ZipFile, file: Packed) -> None:
    sha256, entry = hashlib.sha256(), _entry(file.name)
    entry.file_size = file.size_bytes
    with file.path.open("rb") as source, archive.open(entry, "w") as sink:
        while chunk := source.read(CHUNK):
            sha256.update(chunk)
            sink.write(chunk)
    if sha256.hexdigest() != file.sha256:
        raise InputError(
            f"{file.path} is not what its record says: sha256 {sha256.hexdigest()[:8]} in the "
            f"place of {file.sha256[:8]}. Put it back, or delete it and give the command of your "
            "run again"
        )
