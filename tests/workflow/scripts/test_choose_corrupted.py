"""What corrupts the clips that are listened to."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from helpers.project import load_script
from l2i.datasets.corruption import partners_of
from l2i.datasets.fold import open_fold
from l2i.hashing import file_sha256

RATE = 8000
FEATURES = {"sample_rate": RATE, "n_fft": 256, "hop_length": 128, "n_mels": 16}
FEATURES |= {"mel_power": 1, "waveform_scale": "absolute"}


@pytest.fixture
def choose(tmp_path):
    """Entries that the script writes for clips of a fold of three classes."""
    (tmp_path / "farm").mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for i, name in enumerate(["a", "b", "c", "silent", "d"]):
        x = rng.uniform(-0.5, 0.5, 800) * (name != "silent")
        soundfile.write(tmp_path / f"farm/{name}.wav", x.astype(np.float32), RATE, subtype="FLOAT")
        sha256 = file_sha256(tmp_path / f"farm/{name}.wav")
        rows.append({"clip": name, "path": f"{name}.wav", "label": i % 3, "sha256": sha256})
        rows[-1]["fold"] = 1 + (name == "d")
    pd.DataFrame(rows).to_csv(tmp_path / "index.csv", index=False)
    (tmp_path / "classes.json").write_text('["dog", "rain", "cat"]')
    files = {f"path_to_{n}": str(tmp_path / p) for n, p in FILES.items()}
    which = {"features": FEATURES, "dataset": "farm", "fold": "1"}

    def run(*clips, heard_at_db=0):
        (tmp_path / "chosen.json").write_text(json.dumps([{"clip": clip} for clip in clips]))
        facts = load_script("choose_corrupted")(
            **files,
            path_to_chosen=str(tmp_path / "chosen.json"),
            path_to_clips=str(tmp_path / "clips.json"),
            **which,
            heard_at_db=heard_at_db,
            seed=0,
            data=str(tmp_path),
        )
        return facts, json.loads((tmp_path / "clips.json").read_text())

    run.fold = open_fold(**files, **which)
    return run


FILES = {"index": "index.csv", "classes": "classes.json"}


def test_a_clip_is_heard_in_noise_for_its_class_and_in_company_for_both(choose):
    facts, entries = choose("b", heard_at_db=-5)
    partners = choose.fold.index.iloc[partners_of(choose.fold, 1, 0)]
    partner = partners[partners["clip"] != "silent"].iloc[0]
    other = choose.fold.classes[partner["label"]]
    assert other != "rain" and partner["fold"] == 1
    noise, mixed = (
        {"clip": "b", "corruption": {"kind": kind, "snr_db": -5, "seed": 0}}
        for kind in ("noise", "class")
    )
    assert entries == [
        noise | {"class": "rain"},
        mixed | {"class": "rain"},
        mixed | {"class": other},
    ]
    assert facts == {"n_clips": 2, "n_entries": 3}


def test_clips_keep_their_order(choose):
    clips = [entry["clip"] for entry in choose("c", "a")[1]]
    assert clips == ["c"] * 3 + ["a"] * 3


def test_a_silent_clip_is_left_out_with_a_word(choose, caplog):
    facts, entries = choose("silent", "a")
    assert facts["n_clips"] == 2 and {entry["clip"] for entry in entries} == {"a"}
    assert "silent is silent, and in no ratio to another sound: it is left out" in caplog.text


def test_a_fold_without_clips_to_listen_to_has_none(choose):
    assert choose() == ({"n_clips": 0, "n_entries": 0}, [])
