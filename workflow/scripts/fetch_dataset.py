"""Bring a pinned corpus to `machine.data`, once."""

import json
import shutil
from pathlib import Path

from harness import perform
from l2i.checks import InputError
from l2i.data.archive import unpack
from l2i.data.download import download as fetch
from l2i.data.download import hash_file

STAMP = ".fetched.json"  # inside the corpus folder: which pins it was fetched for, and from where


def fetch_dataset(
    path_to_fetched: str, *, download: dict, dataset: str, data: str, urls: dict
) -> dict:
    """Download, verify and unpack a corpus unless `data`/`dataset` already is that corpus.

    Parameters
    ----------
    path_to_fetched : str
        JSON with the pins, for the index to check.
    download : dict
        The pins: archive, size_bytes, sha256, csv_sha256, n_clips, ...
    dataset : str
        Name of the corpus folder.
    data : str
        Folder of corpora.
    urls : dict
        Addresses of archives by corpus. Any mirror will do: the pins decide.

    Returns
    -------
    dict
        The fact: the address the corpus once came from.
    """
    folder = Path(data) / dataset
    if not folder.exists():
        _install(folder, download, urls[dataset])
    stamp = _read_stamp(folder)
    if stamp is None or stamp["pins"] != download:
        raise InputError(
            f"{folder} was not fetched for the pins in datasets.{dataset}.download. Move it away "
            f"to have the corpus downloaded, or set datasets.{dataset}.source to local to use it"
        )
    _require_content(folder, download)
    Path(path_to_fetched).write_text(json.dumps(download, indent=1) + "\n")
    return {"url": stamp["url"]}


def _install(folder: Path, pins: dict, url: str) -> None:
    """Make the corpus folder; it gets its name only when it is complete and stamped."""
    archive = folder.with_name(f"{folder.name}.{pins['archive']}")
    put_there_by_hand = archive.exists()
    fetch(url, archive, size_bytes=pins["size_bytes"], sha256=pins["sha256"])
    fresh = folder.with_name(f".{folder.name}.fresh")
    shutil.rmtree(fresh, ignore_errors=True)  # left by a killed run
    try:
        unpack(archive, fresh, kind=pins["archive"])
        _require_content(fresh, pins)
        (fresh / STAMP).write_text(json.dumps({"url": url, "pins": pins}, indent=1) + "\n")
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    if not put_there_by_hand:  # nothing is stored twice
        archive.unlink()


def _read_stamp(folder: Path) -> dict | None:
    stamp = folder / STAMP
    return json.loads(stamp.read_text()) if stamp.is_file() else None


def _require_content(folder: Path, pins: dict) -> None:
    """Check what is cheap to check: the table and the number of clips."""
    table = folder / "meta" / "esc50.csv"
    if not table.is_file() or hash_file(table) != pins["csv_sha256"]:
        raise InputError(
            f"{table} is missing or has not the sha256 {pins['csv_sha256']}; move {folder} away "
            "to have the corpus downloaded again"
        )
    n_clips = sum(not path.name.startswith(".") for path in (folder / "audio").glob("*"))
    if n_clips != pins["n_clips"]:
        raise InputError(
            f"{folder / 'audio'} holds {n_clips} clips instead of {pins['n_clips']}; move "
            f"{folder} away to have the corpus downloaded again"
        )


if __name__ == "__main__":
    perform(snakemake, fetch_dataset)
