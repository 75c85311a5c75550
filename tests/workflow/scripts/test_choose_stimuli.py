"""Which clips of a fold are rated in a listening test."""

from __future__ import annotations

import json
import logging

import numpy as np
import pandas as pd
import pytest

from helpers.project import load_module, load_script
from l2i.features.audio import write_wav
from l2i.hashing import file_sha256
from l2i.tables import read_rows

RATE = 8000
FEATURES = {"sample_rate": RATE, "n_fft": 256, "hop_length": 128, "n_mels": 32}
FEATURES |= {"mel_power": 1, "waveform_scale": "absolute"}
AUDIBLE = {"floor_dbfs": -50.0, "seconds": 0.25}
LEVELS = {"a": -20, "b": -30, "faint": -80, "c": -40, "wrong": -20, "d": -25, "train": -20}
LABELS = {"a": 0, "b": 0, "faint": 0, "c": 1, "wrong": 1, "d": 1, "train": 0}


@pytest.fixture
def choose(tmp_path):
    """What the script writes of a fold with three dogs, one of them faint, and three rains."""
    audio = tmp_path / "data/farm"
    audio.mkdir(parents=True)
    rows = []
    for clip, level in LEVELS.items():
        x = np.full(RATE // 2, 10 ** (level / 20), np.float32)
        write_wav(audio / f"{clip}.wav", x, sample_rate=RATE)
        rows.append(
            {
                "clip": clip,
                "path": f"{clip}.wav",
                "fold": 2 if clip == "train" else 1,
                "label": LABELS[clip],
                "source": f"of {clip}",
                "sha256": file_sha256(audio / f"{clip}.wav"),
            }
        )
    pd.DataFrame(rows).to_csv(tmp_path / "index.csv", index=False)
    (tmp_path / "classes.json").write_text('["dog", "rain"]')
    scores = pd.DataFrame([row for row in rows if row["fold"] == 1])
    scores["predicted"] = scores["label"].where(scores["clip"] != "wrong", 0)
    scores.to_csv(tmp_path / "classification.csv", index=False)

    def run(n_stimuli=36, excluded=(), seed=0, audible=AUDIBLE):
        facts = load_script("choose_stimuli")(
            path_to_index=str(tmp_path / "index.csv"),
            path_to_classes=str(tmp_path / "classes.json"),
            path_to_classification=str(tmp_path / "classification.csv"),
            path_to_clips=str(tmp_path / "clips.json"),
            path_to_stimuli=str(tmp_path / "stimuli.csv"),
            n_stimuli=n_stimuli,
            audible=audible,
            excluded_classes=list(excluded),
            seed=seed,
            data=str(tmp_path / "data"),
            features=FEATURES,
            dataset="farm",
            fold="1",
        )
        entries = json.loads((tmp_path / "clips.json").read_text())
        table = read_rows(tmp_path / "stimuli.csv")
        assert [(e["clip"], e["class"]) for e in entries] == [
            *zip(table["clip"], table["class"], strict=True)
        ]
        return facts, entries, table

    return run


def test_right_and_audible_clips_are_taken_and_told_of_at_the_level_of_their_files(choose, caplog):
    caplog.set_level(logging.INFO)
    facts, entries, table = choose()
    assert entries == [
        {"clip": "a", "class": "dog"},
        {"clip": "b", "class": "dog"},
        {"clip": "c", "class": "rain"},
        {"clip": "d", "class": "rain"},
    ]
    assert facts == {"n_stimuli": 4, "n_faint": 1}
    assert table["level_dbfs"].tolist() == pytest.approx([-20, -30, -40, -25], abs=0.01)
    assert table["contrast_db"].tolist() == [0] * 4
    assert table["audible_seconds"].tolist() == [0.5] * 4
    assert table["source"].tolist() == ["of a", "of b", "of c", "of d"]
    assert set(table["dataset"]) == {"farm"}
    assert "not audible by listening_test.audible: faint" in caplog.text
    assert "note: 4 stimuli in the place of 36" in caplog.text


def test_fewer_are_drawn_by_the_seed_and_evenly(choose, caplog):
    drawn = {tuple(e["clip"] for e in choose(2, seed=seed)[1]) for seed in range(8)}
    assert len(drawn) > 1 and all({*pair} & {*"ab"} and {*pair} & {*"cd"} for pair in drawn)
    assert "note" not in caplog.text


def test_classes_that_are_excluded_are_not_asked_about(choose):
    assert {e["class"] for e in choose(excluded=["dog"])[1]} == {"rain"}


def test_the_rule_is_that_of_the_configuration(choose):
    lower = {"floor_dbfs": -90.0, "seconds": 0.25}
    assert "faint" in {e["clip"] for e in choose(audible=lower)[1]}
    longer = {"floor_dbfs": -50.0, "seconds": 0.75}
    facts, entries, _ = choose(audible=longer)
    assert entries == [] and facts["n_stimuli"] == 0


def test_scarce_classes_are_told(choose, caplog):
    choose(audible={"floor_dbfs": -26.0, "seconds": 0.25})
    assert "few" not in caplog.text  # one of each
    say = load_module("choose_stimuli").say_what_is_missing
    say({"dog": [], "rain": []}, [("rain", f"{i}") for i in range(6)], 6, [])
    assert "of some classes there are few stimuli: dog 0" in caplog.text
