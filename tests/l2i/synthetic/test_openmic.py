"""l2i.synthetic.openmic: an archive that the genuine code takes for OpenMIC-2018."""

from __future__ import annotations

import json
import tarfile

import numpy as np
import pandas as pd
import pytest
import soundfile

from helpers.synthetic import labels_by_split
from l2i.datasets.openmic import LABELS
from l2i.datasets.openmic import index_corpus as index_openmic
from l2i.synthetic.instruments import INSTRUMENTS
from l2i.synthetic.openmic import write_openmic_archive

SMALL_OPENMIC = {
    "n_clips": {"train": 6, "test": 3},
    "n_observed": 4,
    "clip_seconds": 1.0,
    "sample_rate": 44_100,
    "seed": 0,
}


@pytest.fixture(scope="module")
def openmic(demo, installed):
    return index_openmic(installed / "openmic", expect=demo[1]["openmic"])


@pytest.fixture(scope="module")
def rows(installed):
    return pd.read_csv(installed / "openmic" / LABELS)


class TestOpenmic:
    def test_equal_arguments_give_equal_bytes_and_seeds_differ(self, tmp_path):
        facts = write_openmic_archive(tmp_path / "x.tgz", **SMALL_OPENMIC)
        first = (tmp_path / "x.tgz").read_bytes()
        assert write_openmic_archive(tmp_path / "x.tgz", **SMALL_OPENMIC) == facts
        assert (tmp_path / "x.tgz").read_bytes() == first
        other = write_openmic_archive(tmp_path / "x.tgz", **{**SMALL_OPENMIC, "seed": 1})
        assert other["files"] != facts["files"]

    def test_every_class_is_there_and_not_there_in_each_split(self, openmic):
        table, classes, _ = openmic
        assert table["source"].is_unique
        assert classes == list(INSTRUMENTS) and len(classes) == 20
        assert table.split.value_counts().to_dict() == {"train": 60, "test": 24}
        assert all(labels == {0, 1} for labels in labels_by_split(table).values())

    def test_most_labels_are_unknown(self, openmic):
        known = openmic[0].filter(like="label_").notna().sum(axis=1)
        assert known.max() == 8 and (known == 8).sum() >= 83

    def test_the_rows_hold_what_a_loader_may_stumble_over(self, openmic, rows):
        table, _, facts = openmic
        labels = table.set_index("clip").filter(like="label_")
        assert facts["n_duplicated_rows"] == 1
        twice = rows[rows.duplicated(["sample_key", "instrument"], keep=False)]
        first, last = twice.relevance
        assert first < 0.5 <= last and twice.index[1] - twice.index[0] > 1
        key, name = twice.iloc[0][["sample_key", "instrument"]]
        assert labels.loc[key, f"label_{name}"] == 1
        ((_, half),) = rows[rows.relevance == 0.5].iterrows()
        assert labels.loc[half.sample_key, f"label_{half.instrument}"] == 1
        assert ((labels == 1).sum(axis=1) == 0).sum() == 1
        assert rows.relevance.between(0, 1).all()

    def test_the_archive_looks_genuine(self, demo):
        with tarfile.open(demo[0] / "openmic-2018-v1.0.0.tgz") as file:
            names = file.getnames()
            shadow = file.extractfile("openmic-2018/audio/000/._000046_3840.ogg").read()
            numbers = json.load(file.extractfile("openmic-2018/class-map.json"))
            listed = file.extractfile("openmic-2018/partitions/split01_train.csv").read()
        assert {name.split("/")[0] for name in names} == {"openmic-2018"}
        assert "openmic-2018/audio/000/000046_3840.ogg" in names
        assert len({name.split("/")[2] for name in names if "/audio/" in name}) >= 2
        assert not shadow.startswith(b"OggS")
        assert [numbers[name] for name in INSTRUMENTS] == list(range(20))
        assert listed.splitlines() == sorted(listed.splitlines()) and len(listed.split()) == 60

    def test_clips_are_vorbis_in_stereo(self, openmic, installed):
        table = openmic[0]
        info = soundfile.info(installed / "openmic" / table.path[0])
        assert (info.samplerate, info.channels, info.subtype) == (44_100, 2, "VORBIS")
        assert set(table.n_samples) == {66_150}
        x, _ = soundfile.read(installed / "openmic" / table.path[0])
        left, right = np.sqrt((x**2).mean(axis=0))
        assert not 0.95 < left / right < 1.05  # instruments have their places
