"""Corpora whose names come from anywhere, from their tables to the index."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from helpers.project import load_script
from l2i.checks import InputError
from l2i.tables import read_rows

RATE = 8000


def write_corpus(folder, categories):
    (folder / "audio").mkdir(parents=True)
    (folder / "meta").mkdir()
    rows = []
    for fold in (1, 2):
        for target, category in enumerate(categories):
            name = f"{fold}-{fold}0{target}-A-{target}.wav"
            x = np.random.default_rng([fold, target]).uniform(-0.5, 0.5, 400)
            soundfile.write(folder / "audio" / name, x, RATE)
            rows.append([name, fold, target, category, False, f"{fold}0{target}", "A"])
    columns = ["filename", "fold", "target", "category", "esc10", "src_file", "take"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "meta/esc50.csv", index=False)


@pytest.fixture
def index(tmp_path):
    def run(*categories):
        write_corpus(tmp_path / "farm", categories)
        load_script("index_dataset")(
            path_to_fetched=[],
            path_to_index=str(tmp_path / "index.csv"),
            path_to_classes=str(tmp_path / "classes.json"),
            path_to_files=str(tmp_path / "files.json"),
            corpus={"layout": "esc50", "subset": "all"},
            dataset="farm",
            data=str(tmp_path),
        )
        classes = json.loads((tmp_path / "classes.json").read_text())
        return read_rows(tmp_path / "index.csv"), classes

    return run


NAMES = ["..", "/tmp/evil", "door/knock", "NA", "None", "007", "=1+1", "大提琴", "a,b", 'say "x"']


def test_names_are_those_of_the_corpus(index):
    rows, classes = index(*NAMES)
    assert classes == NAMES
    assert set(rows["category"]) == set(NAMES)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a\x1b[2Jb", "holds a character that cannot be printed"),
        ("x" * 300, "has 300 characters"),
        ("a\nb", "holds a character that cannot be printed"),
        ("all classes", "is what tables call all classes together"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_printed_escaped(index, name, why):
    with pytest.raises(InputError, match=why) as error:
        index("dog", name)
    assert "\x1b" not in str(error.value)
    assert len(str(error.value).splitlines()) == 3  # heading, and a line for each clip
