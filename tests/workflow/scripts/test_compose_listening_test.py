"""Script compose_listening_test."""

from __future__ import annotations

import pandas as pd

from helpers.listening_tests import STIMULI, SYSTEMS, stimuli, write_systems
from helpers.project import load_script
from l2i.tables import read_rows, write_rows


def test_folders_are_those_of_the_systems_in_their_order(tmp_path):
    folders = write_systems(tmp_path / "sounds", silent=("slime", "drops"))
    chosen = stimuli().drop(columns="run")
    write_rows(chosen, tmp_path / "stimuli.csv")
    facts = load_script("compose_listening_test")(
        path_to_stimuli=str(tmp_path / "stimuli.csv"),
        path_to_sounds=[str(folders[name]) for name in SYSTEMS],
        path_to_pack=str(tmp_path / "pack"),
        systems=SYSTEMS,
        n_participants=2,
        per_participant=10,
        run=7,
        seed=0,
    )
    assert facts["n_stimuli"] == facts["per_participant"] == len(STIMULI)
    table = read_rows(tmp_path / "pack/stimuli.csv")
    assert table["run"].tolist() == [7] * len(STIMULI)
    assert table["silent"].dropna().tolist() == ["slime"]  # and not the other system
    plan = pd.read_csv(tmp_path / "pack/participants.csv")
    assert len(plan) == 2 * len(STIMULI)
    assert {p.name for p in (tmp_path / "pack").iterdir()} == {
        *("README.md", "index.html", "participants.csv", "stimuli.csv", "webmushra")
    }
