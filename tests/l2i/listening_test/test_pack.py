"""The pack of a listening test."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
import soundfile

from helpers.listening_tests import STIMULI, SYSTEMS, stimuli, write_systems, write_test
from l2i.checks import InputError
from l2i.listening_test.naming import hash_of_test
from l2i.listening_test.pack import write_pack
from l2i.listening_test.sounds import open_sounds
from l2i.tables import read_rows

HOW = {"n_participants": 4, "per_participant": 3, "seed": 0}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("test")
    return folder, write_test(folder)


def inside(folder):
    """What the scripts of the page hold, by their ids."""
    text = (folder / "pack/index.html").read_text(encoding="utf-8")
    found = re.findall(r'<script type="application/json" id="([^"]+)">(.*?)</script>', text)
    return {name: json.loads(value) for name, value in found}


def test_the_tables_have_the_columns_that_the_analysis_reads(made):
    folder, facts = made
    table = read_rows(folder / "pack/stimuli.csv")
    assert table["stimulus"].tolist() == ["s01", "s02", "s03", "s04", "s05"]
    assert list(zip(table["clip"], table["class"], strict=True)) == STIMULI
    assert {"dataset", "fold", "run", "source", "level_dbfs", "sounds_sha256"} <= {*table}
    assert table["silent"].fillna("").tolist() == ["", "", "", "slime", ""]
    plan = pd.read_csv(folder / "pack/participants.csv")
    assert list(plan) == ["participant", "position", "stimulus", "first"]
    assert set(plan["first"]) == {*SYSTEMS}
    assert facts["n_silent"] == 1 and facts["n_stimuli"] == 5 and facts["per_participant"] == 3


def test_a_test_is_named_by_its_stimuli_sounds_and_plan(made, tmp_path):
    folder, facts = made
    assert facts["test"] == hash_of_test(folder / "pack")
    assert write_test(tmp_path / "again")["test"] == facts["test"]
    assert write_test(tmp_path / "others", n_participants=9)["test"] != facts["test"]
    sounds = write_systems(tmp_path / "sounds", silent=("l2i_att", "howl"))
    assert write_pack(tmp_path / "pack", stimuli(), sounds, **HOW)["test"] != facts["test"]


def test_the_same_makes_the_same_bytes(made, tmp_path):
    folder, _ = made
    write_test(tmp_path)
    files = sorted(p.relative_to(folder) for p in (folder / "pack").rglob("*") if p.is_file())
    assert len(files) == 4 + 4 + 3 * 5 + 1
    for path in files:
        assert (folder / path).read_bytes() == (tmp_path / path).read_bytes(), path


def test_the_page_holds_the_plan_and_the_sounds_of_whom_it_says(made):
    folder, facts = made
    held, plan = inside(folder), pd.read_csv(folder / "pack/participants.csv")
    data = held["page-data"]
    assert data["test"] == facts["test"] and len(data["participants"]) == 4
    key = json.loads(base64.b64decode(data["key"]))
    for number, trials in enumerate(data["participants"], start=1):
        mine = plan[plan["participant"] == number].sort_values("position")
        for (nth, swapped), (_, row) in zip(trials, mine.iterrows(), strict=True):
            stimulus = data["stimuli"][nth]
            assert stimulus["id"] == row["stimulus"]
            assert key[stimulus["id"]][swapped] == row["first"]
    sounds = {system: folder / "sounds" / system for system in SYSTEMS}
    for stimulus, (clip, target) in zip(data["stimuli"], STIMULI, strict=True):
        played = open_sounds(sounds, clip, target).played
        of_page = held[f"sounds-{stimulus['id']}"]
        for system, text in zip(key[stimulus["id"]], of_page["sounds"], strict=True):
            assert np.abs(flac(text) - played[system]).max() < 1e-4
        assert np.abs(flac(of_page["input"]) - played["input"]).max() < 1e-4
        assert stimulus["silent"] == [s == "slime" and clip == "drops" for s in key[stimulus["id"]]]
    assert {tuple(pair) for pair in key.values()} == {(*SYSTEMS,), (*SYSTEMS[::-1],)}


def flac(text):
    return soundfile.read(io.BytesIO(base64.b64decode(text)))[0]


def test_the_page_names_no_system_in_words_nor_asks_for_anything_elsewhere(made):
    folder, _ = made
    text = (folder / "pack/index.html").read_text(encoding="utf-8").lower()
    words = re.sub(r'<script type="application/json" id="sounds-.*?</script>', "", text)
    assert len(words) < 40_000  # the sounds are out, which may spell anything
    assert not [name for name in SYSTEMS if name in words]
    shown = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.S)
    assert "how well does the interpretation" in shown
    assert not [name for name in (*SYSTEMS, "l2i", "listen to interpret") if name in shown]
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', text)
    assert "<b>wind" not in text  # escaped, also inside of the data


def test_the_read_me_says_how_to_run_it_and_which_sounds_are_silent(made):
    folder, facts = made
    text = (folder / "pack/README.md").read_text(encoding="utf-8")
    assert f"configs/l2i-{facts['test']}" in text and "machine={ratings: RATINGS}" in text
    assert "s04 (slime)" in text and "RATINGS/farm/" in text
    assert "dog 2, rain & <b>wind</b> 2, clock, tick 1" in text


def test_without_a_stimulus_there_is_a_note_and_no_page(tmp_path):
    sounds = write_systems(tmp_path / "sounds")
    facts = write_pack(tmp_path / "pack", stimuli().iloc[:0], sounds, **HOW)
    assert facts["n_stimuli"] == 0
    assert sorted(p.name for p in (tmp_path / "pack").iterdir()) == [
        *("README.md", "participants.csv", "stimuli.csv")
    ]
    assert "no stimulus" in (tmp_path / "pack/README.md").read_text()
    assert read_rows(tmp_path / "pack/stimuli.csv", columns=("stimulus", "class")).empty


def test_a_stimulus_that_nobody_interpreted_is_named(tmp_path):
    sounds = write_systems(tmp_path / "sounds")
    more = stimuli().replace("howl", "yelp")
    with pytest.raises(InputError, match="yelp"):
        write_pack(tmp_path / "pack", more, sounds, **HOW)
