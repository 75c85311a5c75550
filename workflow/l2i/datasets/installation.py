"""A corpus made of its pinned files: fetched one by one, unpacked, put together, named at last.

Until then everything lies in one hidden folder beside the corpus, each file below its pinned hash,
so an interrupted run goes on where it stopped. An archive is deleted as soon as it is unpacked,
so the disk holds the corpus and one archive at most.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from l2i.addresses import without_secrets
from l2i.checks import InputError, raise_all
from l2i.datasets.archive import kind_of, unpack
from l2i.datasets.download import download
from l2i.datasets.listing import changes_since, stats_below, write_listing
from l2i.datasets.pins import HASHES, same_file
from l2i.datasets.storage import ELSEWHERE
from l2i.disk import require_room

STAMP = ".fetched.json"  # inside the corpus folder: which files it was made of, and from where
CONTENT = ".content.json"  # beside it: what was unpacked, see l2i.datasets.listing
CORPUS = "corpus"  # inside the stage: where the content of all files is put together
UNPACKED = 1.4  # how much sounds grow when they are unpacked; SONYC-UST's by 1.34

log = logging.getLogger(__name__)


def install(folder: str | Path, files: Sequence[Mapping], *, url: str) -> None:
    """Download, verify, unpack and put together the files of a corpus.

    Parameters
    ----------
    folder : str or Path
        The corpus; appears when it is complete and stamped. Files found in `<folder>.downloads`
        are taken from there, and kept.
    files : sequence of mapping
        name, size_bytes, and sha256 or md5 or both. What is an archive is known by its name, see
        `l2i.datasets.archive.kind_of`; other files are kept under their name.
    url : str
        Where the files are; `{name}` in it stands for the name of each.

    Raises
    ------
    InputError
        As `download` and `unpack`; and if two files bring the same path, if several files have
        one address, or if there is no room for them.
    """
    folder = Path(folder)
    if len(files) > 1 and "{name}" not in url:
        shown = without_secrets(url)
        raise InputError(f"{shown}: is one address for {len(files)} files; put {{name}} into it")
    stage = _stage_of(folder)
    merged = stage / CORPUS
    if merged.exists() and not comes_from(merged, files):
        shutil.rmtree(stage)  # a killed run had begun to put other files together
    by_hand = folder.with_name(f"{folder.name}.downloads")
    _require_room(stage, files, by_hand)
    parts = []
    for i, file in enumerate(files, 1):
        parts.append(_unpacked(file, url, stage, by_hand))
        log.info("%s is there, %d of %d", file["name"], i, len(files))
    _merge(parts, merged, {"url": without_secrets(url), "files": list(files)})
    write_listing(merged / CONTENT, merged, stats_below(merged), {})
    merged.rename(folder)
    clear_stage(folder)


def clear_stage(folder: str | Path) -> None:
    """Remove what the installation of a corpus that is there has left, killed at its very end."""
    shutil.rmtree(_stage_of(Path(folder)), ignore_errors=True)  # as another job may do meanwhile


def require_as_installed(folder: str | Path) -> None:
    """Raise InputError unless the files of a corpus are there as they were unpacked.

    What else lies there is the layout's to judge. A corpus that was installed without a listing of
    its files cannot be judged.
    """
    folder = Path(folder)
    if (folder / CONTENT).exists():
        changes = changes_since(folder / CONTENT, folder)
        again = "to have it downloaded again, move it away and add --forcerun fetch_dataset"
        raise_all(
            [f"{folder.name}/{change}" for change in changes if change.what != "new"],
            f"{folder} is not the corpus that was downloaded; {again}; to use it as it is, set "
            f"datasets.{folder.name}.source to local",
        )


def comes_from(folder: str | Path, files: Sequence[Mapping]) -> bool:
    """Whether the stamp of a corpus says that it was made of just these files."""
    made_of = (read_stamp(folder) or {"files": []})["files"]
    by_name = {file["name"]: file for file in made_of}
    return len(made_of) == len(files) and all(
        same_file(file, by_name.get(file["name"], {})) for file in files
    )


def read_stamp(folder: str | Path) -> dict | None:
    """Return url and files of an installed corpus; None for a folder of other origin."""
    try:
        stamp = json.loads((Path(folder) / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    files = stamp.get("files") if isinstance(stamp, dict) else None
    ours = isinstance(files, list) and all(isinstance(f, dict) and "name" in f for f in files)
    return stamp if ours else None


def _stage_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.fetching")


def _place(stage: Path, file: Mapping) -> Path:
    return stage / next(file[key] for key in HASHES if file.get(key))


def _require_room(stage: Path, files: Sequence[Mapping], by_hand: Path) -> None:
    """Refuse hours of downloading for which there is no room, packed or unpacked.

    Each file lies beside its content for a while, and is then deleted.
    """
    missing = [file for file in files if not (_place(stage, file) / "unpacked").exists()]
    most = unpacked = 0
    for file in missing:
        n_bytes, name = file["size_bytes"], file["name"]
        place = _place(stage, file)
        there = [place / name, place / f"{name}.part"]
        fetched = 0 if (by_hand / name).exists() else n_bytes
        fetched -= sum(path.stat().st_size for path in there if path.exists())
        unpacked += round(n_bytes * (1 if kind_of(name) == "file" else UNPACKED))
        most = max(most, fetched + unpacked)
    what = f"{stage}: fetching and unpacking {len(missing)} files"
    require_room(stage, most, what, elsewhere=ELSEWHERE)


def _unpacked(file: Mapping, url: str, stage: Path, by_hand: Path) -> Path:
    """Folder with the content of one file, fetched and unpacked unless that was done before."""
    place, name = _place(stage, file), file["name"]
    unpacked = place / "unpacked"
    if not (stage / CORPUS).exists() and not any(p.is_file() for p in unpacked.rglob("*")):
        # Moved to a corpus by a run that was killed before it tidied up.
        shutil.rmtree(unpacked, ignore_errors=True)
    if not unpacked.exists():
        given = by_hand / name
        source = given if given.exists() else place / name
        pins: dict[str, Any] = {key: file.get(key) for key in ("size_bytes", "sha256", "md5")}
        download(url.replace("{name}", quote(name)), source, **pins, by_hand=given)
        unpack(source, unpacked, kind=kind_of(name))
    for done in (place / name, place / f"{name}.part"):  # nothing is stored twice
        done.unlink(missing_ok=True)
    return unpacked


def _merge(parts: Sequence[Path], merged: Path, stamp: dict) -> None:
    """Move the content of all parts to one folder, going on where a killed run stopped."""
    paths = [(part, path) for part in parts for path in part.rglob("*") if path.is_file()]
    sources: dict[Path, Path] = {}
    clashes = []
    for part, path in paths:
        if sources.setdefault(path.relative_to(part), path) != path:
            clashes.append(f"{path.relative_to(part)} is in more than one of them")
    raise_all(sorted(clashes), "the downloaded files do not make one corpus; correct their list")
    if not merged.exists():  # the stamp comes first: it says what the folder is to become
        fresh = merged.with_name("fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        (fresh / STAMP).write_text(json.dumps(stamp, indent=1) + "\n")
        fresh.rename(merged)
    for relative, source in sources.items():
        (merged / relative).parent.mkdir(parents=True, exist_ok=True)
        source.replace(merged / relative)
