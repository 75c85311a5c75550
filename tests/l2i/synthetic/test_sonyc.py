"""l2i.synthetic.sonyc: files that the genuine code takes for SONYC-UST."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from demo.make_corpus import TAXONOMY
from helpers.synthetic import labels_by_split
from l2i.datasets.sonyc_ust import index_corpus as index_sonyc
from l2i.synthetic.packing import file_facts
from l2i.synthetic.sonyc import write_sonyc_files

SMALL_SONYC = {
    "taxonomy": TAXONOMY,
    "n_clips": {"train": 12, "validate": 6, "test": 6},
    "n_shards": 3,
    "clip_seconds": 1.0,
    "sample_rate": 24_000,
    "seed": 0,
}


@pytest.fixture(scope="module")
def table(demo):
    return pd.read_csv(demo[0] / "sonyc_ust" / "annotations.csv", dtype={"sensor_id": str})


@pytest.fixture(scope="module")
def tagged(demo, installed):
    return index_sonyc(installed / "sonyc_ust", labels="dcase", expect=demo[1]["sonyc_ust"])[0]


class TestSonyc:
    def test_equal_arguments_give_equal_bytes_and_seeds_differ(self, tmp_path):
        facts = write_sonyc_files(tmp_path / "a", **SMALL_SONYC)
        assert write_sonyc_files(tmp_path / "b", **SMALL_SONYC) == facts
        for file in facts["files"]:
            a, b = (tmp_path / folder / file["name"] for folder in "ab")
            assert a.read_bytes() == b.read_bytes()
            assert file == file_facts(a)
        other = write_sonyc_files(tmp_path / "c", **{**SMALL_SONYC, "seed": 1})
        same = [f["name"] for f, g in zip(facts["files"], other["files"], strict=True) if f == g]
        assert same == ["dcase-ust-taxonomy.yaml"]

    def test_every_class_is_there_and_not_there_in_each_split(self, tagged):
        assert len(tagged) == 86  # two clips of validation were never agreed upon
        assert set(tagged.split) == {"train", "validate", "test"}
        assert all(labels == {0, 1} for labels in labels_by_split(tagged).values())

    def test_clips_of_a_sensor_have_one_source(self, tagged):
        sensors = tagged["clip"].str[:2].astype(int)
        assert (tagged["source"].astype(int) == sensors).all()
        assert 1 < tagged[tagged.split == "test"]["source"].nunique() < 20

    def test_some_clips_of_each_split_hold_nothing(self, tagged):
        nothing = (tagged.filter(like="label_") == 0).all(axis=1)
        assert set(tagged.split[nothing]) == {"train", "validate", "test"}
        assert nothing[tagged.split == "train"].sum() == 7

    def test_the_rules_for_labels_differ_on_training_clips_only(self, demo, installed, tagged):
        expect = demo[1]["sonyc_ust"]
        authors = index_sonyc(installed / "sonyc_ust", labels="authors", expect=expect)[0]
        labels = [column for column in tagged if column.startswith("label_")]
        rows = (tagged[labels] != authors[labels]).any(axis=1)
        assert rows.sum() >= 3
        assert set(tagged.split[rows]) == {"train"}

    def test_the_files_look_genuine(self, demo, installed):
        folder, facts = demo[0] / "sonyc_ust", demo[1]["sonyc_ust"]
        names = [file["name"] for file in facts["files"]]
        assert names == [
            *("annotations.csv", "dcase-ust-taxonomy.yaml", "audio-0.tar.gz", "audio-1.tar.gz")
        ]
        # The md5 that the publisher gives for the file.
        assert facts["files"][1]["md5"] == "6c1cca1c4c383a6ebb0cb71cb74fe3a9"
        for k in range(2):
            with tarfile.open(folder / f"audio-{k}.tar.gz") as file:
                assert {name.split("/")[0] for name in file.getnames()} == {f"audio-{k}"}
        clips = sorted((installed / "sonyc_ust" / "audio").iterdir())
        assert len(clips) == 88
        info = soundfile.info(clips[0])
        assert (info.samplerate, info.channels, info.subtype) == (48_000, 1, "PCM_16")

    def test_every_shard_holds_clips_of_every_split(self, demo, table):
        split_of = dict(zip(table.audio_filename, table.split, strict=True))
        for k in range(2):
            with tarfile.open(demo[0] / "sonyc_ust" / f"audio-{k}.tar.gz") as file:
                splits = {split_of[Path(name).name] for name in file.getnames()}
            assert splits == {"train", "validate", "test"}

    def test_the_table_has_the_columns_of_the_genuine_one(self, table):
        names = yaml.safe_load(TAXONOMY.read_text())
        fine = [f"{c}-{f}_{name}" for c, g in names["fine"].items() for f, name in g.items()]
        assert list(table)[:12] == [
            *("split", "sensor_id", "audio_filename", "annotator_id", "year", "week", "day"),
            *("hour", "borough", "block", "latitude", "longitude"),
        ]
        assert list(table)[12:41] == [f"{name}_presence" for name in fine]
        assert list(table)[41:70] == [f"{name}_proximity" for name in fine]
        assert list(table)[70:] == [
            *("1_engine_presence", "2_machinery-impact_presence"),
            *("3_non-machinery-impact_presence", "4_powered-saw_presence"),
            *("5_alert-signal_presence", "6_music_presence"),
            *("7_human-voice_presence", "8_dog_presence"),
        ]

    def test_coarse_presence_follows_from_fine_presence(self, table):
        for column in list(table)[70:]:
            fine = table.filter(regex=rf"^{column[0]}-.*_presence$")
            assert (table[column] == fine.max(axis=1)).all()

    def test_volunteers_miss_sounds_and_the_team_leaves_classes_out(self, table):
        coarse = list(table)[70:]
        volunteers = table[table.annotator_id > 0]
        assert (volunteers.groupby("audio_filename").size() == 3).all()
        heard = volunteers.groupby("audio_filename")[coarse].sum()
        assert set(np.unique(heard)) == {0, 1, 2, 3}
        team = table[table.annotator_id < 0]
        assert ((team[coarse] == -1).sum(axis=1) == 7).all()
        members = team.groupby("audio_filename").annotator_id
        assert (members.nunique() == 2).all() and (members.size() == 8).all()
        assert team.groupby(["audio_filename", "annotator_id"]).size().max() > 1

    def test_who_annotates_what_is_as_in_the_genuine_table(self, table):
        agreed = set(table.audio_filename[table.annotator_id == 0])
        by_split = table.groupby("split").audio_filename.agg(set)
        assert by_split["test"] <= agreed
        assert len(by_split["validate"] - agreed) == 2
        assert 0 < len(by_split["train"] & agreed) < 10
        assert set(table.audio_filename[table.annotator_id < 0]) == agreed
        first = table.groupby("audio_filename").head(1)
        assert first.audio_filename.is_unique
        runs = (table.audio_filename != table.audio_filename.shift()).sum()
        assert runs == len(first) + len(agreed)  # rows of one clip are not all together

    def test_only_volunteers_say_how_near_a_sound_is(self, table):
        proximity = table.filter(regex="_proximity$")
        presence = table.filter(regex=r"^\d-.*_presence$")
        assert set(np.unique(proximity)) == {"-1", "near", "far", "notsure"}
        said = (proximity != "-1").to_numpy()
        volunteer = (table.annotator_id > 0).to_numpy()
        assert (said == ((presence == 1).to_numpy() & volunteer[:, None])).all()

    def test_some_sounds_are_of_no_known_fine_class(self, table):
        agreed = table[table.annotator_id == 0]
        unknown = agreed.filter(regex=r"^1-X_.*_presence$").iloc[:, 0] == 1
        known = agreed.filter(regex=r"^1-\d_.*_presence$").max(axis=1) == 1
        assert (unknown & ~known & (agreed["1_engine_presence"] == 1)).any()

    def test_two_recordings_are_the_same_and_of_one_sensor(self, table, installed):
        groups: dict[str, list[str]] = {}
        for path in sorted((installed / "sonyc_ust" / "audio").iterdir()):
            groups.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), []).append(path.name)
        (pair,) = [group for group in groups.values() if len(group) > 1]
        assert len(pair) == 2
        rows = table[table.audio_filename.isin(pair)]
        assert rows.sensor_id.nunique() == 1 and set(rows.split) == {"train"}

    def test_sensors_of_validation_are_met_nowhere_else_and_those_of_test_are(self, table):
        sensors = table.groupby("split").sensor_id.agg(set)
        assert not sensors["validate"] & (sensors["train"] | sensors["test"])
        assert sensors["test"] & sensors["train"]
        assert (table.audio_filename.str[:2].astype(int) == table.sensor_id.astype(int)).all()
