"""Small corpora as people meet them, where a folder of such cases is at hand (L2I_CASES).

Each holds `data/<data set>`, and its README says what is wrong with it. Here each is indexed, and
what must come of that is written down; what must come of it later is tested with made-up corpora.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from helpers.tiny_project import Project
from l2i.checks import InputError
from l2i.datasets.layouts import layout_module
from l2i.features.audio import read_audio
from l2i.tables import read_rows

OPTIONS = {"esc50": {"subset": "all"}, "sonyc_ust": {"labels": "dcase"}, "openmic": {}}
GOOD = {  # case: number of clips, and names of classes that must come back
    "class-with-slash": (8, ["speech/music", "knock"]),
    "class-absolute": (8, ["/tmp/l2i-escaped-class", "knock"]),
    "openmic-class-none": (15, ["None", "cello", "drums"]),
    "openmic-class-cjk": (15, ["大提琴", "鼓", "Flöte"]),
    "openmic-linked-folders": (15, ["banjo", "cello", "drums"]),
    "openmic-7-classes-weighted": (35, [f"class{i}" for i in range(7)]),
    "sonyc-null-names": (32, None),
    "audio-in-subfolders": (8, None),
    "windows-thumbs": (8, None),
    "excel-true-false": (8, None),
    "wav-from-pipe": (8, None),
    "wav-odd-chunks-and-codecs": (8, None),
    "ogg-end-marks": (8, None),
    "rate-44056": (8, None),
    "same-file-two-folds": (8, None),
}


@pytest.fixture
def indexed(tmp_path):
    """Index a case: its clips, classes and facts."""
    root = os.environ.get("L2I_CASES")
    if not root:
        pytest.skip("L2I_CASES is not set: it names a folder of odd corpora")

    def index(case):
        if not (Path(root) / case).is_dir():
            pytest.skip(f"{root} holds no {case}")
        shutil.copytree(Path(root) / case, tmp_path / case, copy_function=shutil.copyfile)
        (folder,) = (tmp_path / case / "data").iterdir()
        linked = folder / "audio" / "000"
        if linked.is_file():  # a link, where it was stored as a text
            target = linked.read_text()
            linked.parent.chmod(0o755)
            linked.unlink()
            linked.symlink_to(target)
        return folder, layout_module(folder.name).index_corpus(folder, **OPTIONS[folder.name])

    return index


@pytest.mark.parametrize("case", sorted(GOOD))
def test_what_can_be_understood_is(indexed, case):
    _, (index, classes, _) = indexed(case)
    n_clips, names = GOOD[case]
    assert len(index) == n_clips
    assert names is None or classes == names


def test_half_a_file_is_refused_whatever_its_container(indexed):
    with pytest.raises(InputError, match="7 problems") as error:
        indexed("truncated-rf64-rifx-w64")
    lines = str(error.value).splitlines()[1:]
    assert all(re.search(r"/audio/\S+\.wav: is truncated, \d+ of the bytes", x) for x in lines)


def test_of_two_flac_files_of_unknown_length_the_cut_one_is_refused(indexed):
    with pytest.raises(InputError, match=r"1 problem\n.*1-1101-A-0\.flac: is cut or damaged"):
        indexed("flac-of-unknown-length")


def test_an_unusual_rate_is_read(indexed):
    folder, (index, *_) = indexed("rate-44056")
    (odd,) = index[index["sample_rate"] == 44_056].itertuples()
    sound = read_audio(folder / odd.path, sample_rate=44_100)
    assert len(sound) == 44_100 and np.abs(sound).max() < 1.1


def test_one_file_in_two_folds_is_warned_of(indexed, caplog):
    with caplog.at_level(logging.WARNING):
        _, (_, _, facts) = indexed("same-file-two-folds")
    assert facts["n_identical_groups_across_splits"] > 0
    assert "across splits or folds, are kept" in caplog.text


def test_clutter_is_told_once(indexed, caplog):
    with caplog.at_level(logging.WARNING):
        indexed("windows-thumbs")
    assert "2 files below audio are no clips" in caplog.text


def test_names_that_look_like_nothing_are_names(indexed):
    _, (index, *_) = indexed("sonyc-null-names")
    assert {"NA", "null", "nan", "1e5"} <= set(index["clip"])


def test_a_clip_without_signed_scale_has_maximum_0(indexed):
    _, (index, *_) = indexed("signed-scale-no-positive")
    assert (index["maximum"] == 0).sum() == 1


# What else the overlays of the cases say was known to an older schema.
KNOWN = ("source", "clip_seconds", "paper_comparable", "dictionary", "classifier", "listening")
QUICK = {"settings": {"n_epochs": 1, "batch_size": 4, "precision": "float32"}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "figure", "names"),
    [
        ("openmic-class-none", 3, ["None", "cello", "drums"]),
        ("openmic-class-cjk", 3, ["大提琴", "鼓", "Flöte"]),
        ("sonyc-null-names", 2, ["NA", "null", "nan", "1e5"]),
    ],
)
def test_names_are_what_they_are_from_the_index_to_the_last_page(
    indexed, tmp_path, project, case, figure, names
):
    folder, (index, classes, _) = indexed(case)
    overlay = yaml.safe_load((tmp_path / case / "overlay.yaml").read_text())
    (dataset,) = overlay["datasets"]
    kept = {key: overlay["datasets"][dataset][key] for key in KNOWN}
    listening = index.loc[index["split"] == "test", "clip"].tolist()
    overlay["datasets"] = {dataset: kept | {"listening": listening}}
    overlay |= {"name": "case", "systems": {"l2i_att": QUICK}}
    overlay["ablations"] = overlay.get("ablations", {}) | {"sanity": []}  # of another data set
    fresh = Project(tmp_path / "project", project, overlay)
    shutil.move(folder.parent, fresh.folder / "data")
    where = f"{dataset}/foldofficial"
    sounds = f"results/case/listening/{where}/l2i_att/default/run0"
    targets = [f"results/case/tables/classes.{suffix}" for suffix in ("md", "csv")]
    targets += [f"results/case/figures/figure_{figure}.{suffix}" for suffix in ("svg", "png")]
    _, said = fresh.run(*targets, sounds)
    assert "Traceback" not in said and "Glyph" not in said

    table = read_rows(fresh.folder / targets[1])
    assert set(table["class"]) == {*classes}
    page, drawing = ((fresh.folder / targets[i]).read_text() for i in (0, 2))
    for name in classes:
        assert f"| {name} | " in page and name in drawing
    scores = fresh.folder / f"results/case/evaluation/{where}/l2i_att/default/run0"
    heard = {path.name for path in (fresh.folder / sounds).iterdir() if path.is_dir()}
    assert heard == {*listening}
    told = [json.loads(p.read_text()) for p in (fresh.folder / sounds).rglob("*.json")]
    assert {each["clip"] for each in told} == {*listening}
    assert {each["interpreted_class"] for each in told} <= {*classes}
    for path in scores.glob("*.csv"):
        rows = read_rows(path)
        assert set(rows["clip"]) <= set(index["clip"]) and not rows["clip"].isna().any()
    assert {*names} & ({*classes} | {*index["clip"]}) == {*names}
