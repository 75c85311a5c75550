"""A small run as its jobs leave it: results of each kind, with records that vouch for them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import soundfile
from safetensors.numpy import save_file

from helpers.records import write_record
from l2i.datasets.listing import stats_below, write_listing
from l2i.provenance.digests import write_digest
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.hashes import KnownHashes
from l2i.provenance.records import record_path, validate_record
from l2i.provenance.runs import note_run

NAME = "results/small"  # as records call the run
DATA = f"{NAME}/data"  # of its corpus, which lies in the run as that of the demo does
RULES = ("datasets", "features", "classifier", "listening", "sounds", "evaluation")
RULES += ("tables", "figures")
CODE = {f"scripts/{rule}.py": {rule: "0" * 32} for rule in RULES}  # what all was made by
PINS = {"numpy": "2.4.6"}
SETTINGS = {"seed": 0, "threshold": 0.1}
YESTERDAY = 1_700_000_000  # seconds; old enough that hashes are remembered

# By result: what it was made of.
FOLD, MODEL = "esc50/fold1", "classifier/esc50/fold1/model.safetensors"
INDEX = "datasets/esc50/index.csv"
INPUTS = {
    INDEX: [],
    "datasets/esc50/files.json": [],
    "features/esc50/log_mel.npy": [INDEX],
    f"classifier/{FOLD}/history.csv": [INDEX, "features/esc50/log_mel.npy"],
    MODEL: [INDEX, "features/esc50/log_mel.npy"],
    f"listening/{FOLD}/clips.json": [INDEX],
    f"listening/{FOLD}/sounds": [f"listening/{FOLD}/clips.json", MODEL],
    f"evaluation/{FOLD}/fidelity.csv": [MODEL],
    "tables/table_4.csv": [f"evaluation/{FOLD}/fidelity.csv"],
    "tables/table_4.md": [f"evaluation/{FOLD}/fidelity.csv"],
    "tables/table_5.csv": [f"evaluation/{FOLD}/fidelity.csv"],
    "figures/figure_2.svg": [f"evaluation/{FOLD}/fidelity.csv"],
    "figures/figure_2.png": [f"evaluation/{FOLD}/fidelity.csv"],
}


def make_run(folder):
    """Write the run into `folder`/results/small, with its corpus; returns its folder."""
    run = folder / NAME
    rng = np.random.default_rng(0)
    for i in range(3):
        write_sound(folder / DATA / f"esc50/audio/{i}.wav", rng)
    for result, inputs in INPUTS.items():
        path = run / result
        path.parent.mkdir(parents=True, exist_ok=True)
        if result.endswith("files.json"):
            write_listing(path, folder / DATA / "esc50", stats_below(folder / DATA / "esc50"), {})
        else:
            write_content(path, rng)
        vouch(run, result, inputs)
        log = run / f"logs/{result}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("done\n")
    note_run(
        run,
        configfiles=[],
        assignments=[f"machine={{data: {DATA}}}"],
        configuration={"name": "small", "seed": 0},
        code=[CODE],
    )
    return run


def copy_of(run, folder):
    """A copy of a run, of its times too; its hashes are known."""
    copy = folder / NAME
    shutil.copytree(run, copy, symlinks=True)
    known = KnownHashes(copy.parent / ".hashes")
    for result in INPUTS:
        known.get(copy / result)
    return copy


def write_content(path, rng):
    """Something of the kind that the name of the file says."""
    numbers = rng.normal(size=(8, 4)).astype(np.float32)
    match path.suffix:
        case ".npy":
            np.save(path, numbers)
        case ".safetensors":
            save_file({"weight": numbers}, path)
        case "":
            for name in ("input", "interpretation"):
                write_sound(path / f"{name}.wav", rng)
            (path / "about.json").write_text('{"seconds": 0.1}\n')
        case ".png":
            path.write_bytes(b"\x89PNG\r\n\x1a\n" + numbers.tobytes())
        case _:
            path.write_text("\n".join(",".join(map(str, row)) for row in numbers.tolist()))


def write_sound(path, rng):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, rng.uniform(-0.5, 0.5, size=800), 8000)


def vouch(run, result, inputs=(), **changes):
    """Write the record of a result, and the digest of a large one, as its job would."""
    path = run / result
    for each in [path, *path.rglob("*")]:
        os.utime(each, (YESTERDAY, YESTERDAY))
    hashes = KnownHashes(run.parent / ".hashes")
    write_record(path, SETTINGS)
    record = json.loads(record_path(path).read_text())
    rule = "sounds" if path.name == "sounds" else result.partition("/")[0]
    number = {"number": path.stem[-1]} if rule in {"tables", "figures"} else {}
    prints = {"code": CODE, "env": PINS, "settings": SETTINGS}
    record |= {
        "rule": rule,
        "wildcards": number or {"dataset": "esc50"},
        "output": {"name": path.stem, "path": f"{NAME}/{result}", **hashes.compute(path).content()},
        "fingerprints": {name: settings_fingerprint(held) for name, held in prints.items()},
        "pins": PINS,
        "software": {"python": "3.11.7", **PINS},
        "seeds": {"seed": 0},
        "inputs": [
            {"name": Path(used).stem, "path": f"{NAME}/{used}", "hash": "computed"}
            | hashes.compute(run / used).content()
            for used in inputs
        ],
        **changes,
    }
    record["runtime"]["precision"] = None
    validate_record(record)
    record_path(path).write_text(json.dumps(record, indent=1) + "\n")
    if path.suffix in {".npy", ".safetensors"}:
        write_digest(path, record["output"]["sha256"])
