"""Bring a pinned corpus to `machine.data`, once."""

import json
import shutil
from pathlib import Path

from harness import perform
from l2i.checks import InputError
from l2i.data.archive import unpack
from l2i.data.download import download as fetch
from l2i.data.storage import one_at_a_time
from l2i.fingerprints import file_sha256

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
    folder = Path(data).expanduser() / dataset
    with one_at_a_time(folder):
        if not folder.exists():
            _install(folder, download, urls[dataset])
    stamp = _read_stamp(folder)
    # The archive alone tells one corpus from another; the other pins are checked against content.
    if stamp is None or stamp["pins"]["sha256"] != download["sha256"]:
        raise InputError(
            f"{folder} does not come from the archive pinned in datasets.{dataset}.download. Move "
            f"it away to have the corpus downloaded, or set datasets.{dataset}.source to local"
        )
    _require_content(folder, download)
    Path(path_to_fetched).write_text(json.dumps(download, indent=1) + "\n")
    return {"url": stamp["url"]}


def _install(folder: Path, pins: dict, url: str) -> None:
    """Make the corpus folder; it gets its name only when it is complete and stamped."""
    by_hand = folder.with_name(f"{folder.name}.{pins['archive']}")
    ours = by_hand.with_name(f".{by_hand.name}")
    if ours.exists() and file_sha256(ours) != pins["sha256"]:
        ours.unlink()  # left by a run with other pins
    archive = by_hand if by_hand.exists() else ours
    fetch(url, archive, size_bytes=pins["size_bytes"], sha256=pins["sha256"], by_hand=by_hand)
    fresh = folder.with_name(f".{folder.name}.fresh")
    shutil.rmtree(fresh, ignore_errors=True)  # left by a killed run
    try:
        unpack(archive, fresh, kind=pins["archive"])
        _require_content(fresh, pins)
        (fresh / STAMP).write_text(json.dumps({"url": url, "pins": pins}, indent=1) + "\n")
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    for path in (ours, ours.with_name(f"{ours.name}.part")):  # nothing is stored twice
        path.unlink(missing_ok=True)


def _read_stamp(folder: Path) -> dict | None:
    stamp = folder / STAMP
    return json.loads(stamp.read_text()) if stamp.is_file() else None


def _require_content(folder: Path, pins: dict) -> None:
    """Check what is cheap to check: the table and the number of clips."""
    table = folder / "meta" / "esc50.csv"
    if not table.is_file() or file_sha256(table) != pins["csv_sha256"]:
        raise InputError(
            f"{table} is missing or has not the sha256 {pins['csv_sha256']}; correct that pin, "
            f"or move {folder} away to have the corpus downloaded again"
        )
    n_clips = sum(not path.name.startswith(".") for path in (folder / "audio").glob("*"))
    if n_clips != pins["n_clips"]:
        raise InputError(
            f"{folder / 'audio'} holds {n_clips} clips instead of {pins['n_clips']}; "
            f"correct that pin, or move {folder} away to have the corpus downloaded again"
        )


if __name__ == "__main__":
    perform(snakemake, fetch_dataset)
