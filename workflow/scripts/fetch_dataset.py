"""Bring a pinned corpus to `machine.data`, once."""

import json
from pathlib import Path

from harness import perform
from l2i.addresses import without_place
from l2i.checks import InputError, raise_all
from l2i.datasets.installation import clear_stage, comes_from, install, read_stamp
from l2i.datasets.pins import changed_files
from l2i.datasets.storage import one_at_a_time
from l2i.disk import write_text


def fetch_dataset(
    path_to_fetched: str, *, download: str, pins: dict, dataset: str, data: str, urls: dict
) -> dict:
    """Download, verify and unpack a corpus unless `data`/`dataset` already is that corpus.

    Parameters
    ----------
    path_to_fetched : str
        JSON with the pins, for the index to check.
    download : str
        Its name in workflow/reference/downloads.yaml.
    pins : dict
        `files`, a list of name, size_bytes and sha256 or md5, and what their content must be:
        n_clips, csv_sha256, ...
    dataset : str
        Name of the corpus folder.
    data : str
        Folder of corpora.
    urls : dict
        Addresses by download, with `{name}` for the name of each file. Any mirror will do: the
        pins decide.

    Returns
    -------
    dict
        The fact: the address the corpus once came from.
    """
    folder = Path(data).expanduser() / dataset
    with one_at_a_time(folder):
        if not folder.exists():
            install(folder, pins["files"], url=urls[download])
    # The files tell one corpus from another; the other pins are checked against their content.
    if not comes_from(folder, pins["files"]):
        raise InputError(
            f"{folder} does not come from the files of {download}, pinned in "
            "workflow/reference/downloads.yaml. Move it away to have the corpus downloaded, or set "
            f"datasets.{dataset}.source to local"
        )
    _require_content(folder, pins)
    clear_stage(folder)
    write_text(path_to_fetched, json.dumps(pins, indent=1) + "\n")
    url = (read_stamp(folder) or {}).get("url")
    return {"url": without_place(str(url)) if url else None}


def _require_content(folder: Path, pins: dict) -> None:
    """Check what is cheap to check: the files kept as they are, and the number of clips."""
    problems = changed_files(folder, pins["files"])
    clips = (folder / "audio").rglob("*")
    n_clips = sum(path.is_file() and not path.name.startswith(".") for path in clips)
    if n_clips != pins.get("n_clips", n_clips):
        problems.append(f"{folder / 'audio'}: holds {n_clips} clips, pinned are {pins['n_clips']}")
    raise_all(
        problems,
        f"{folder} is not the pinned corpus; correct the pins, or move it away to have it "
        "downloaded again",
    )


if __name__ == "__main__":
    perform(snakemake, fetch_dataset)
