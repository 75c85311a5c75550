from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.project import load_script
from l2i.checks import InputError
from l2i.datasets.sonyc_ust import (
    CLASSES,
    COLUMNS,
    PRESENCE,
    SENSOR,
    agreed_labels,
    training_labels,
)
from l2i.datasets.sonyc_ust import index_corpus as index_sonyc

RATE = 8000
INDEX_COLUMNS = (
    *("clip", "path", "source", "split"),
    *(f"label_{name}" for name in CLASSES),
    *("n_samples", "sample_rate", "n_channels", "duration_seconds", "maximum", "sha256"),
)
ALL, NONE = (1,) * 8, (0,) * 8


def said(*present):
    """What a volunteer says who hears these classes."""
    return tuple(int(name in present) for name in CLASSES)


def looked(**values):
    """What a member of the team says, who looks at a few classes."""
    return tuple(values.get(name, -1) for name in CLASSES)


# Rows of one clip are not neighbours, and the order of clips is not that of names.
ROWS = [  # split, clip, annotator, values
    ("train", "10_000003", 5, NONE),
    ("train", "10_000001", 5, ALL),
    ("train", "10_000002", 5, said("dog")),  # one of three
    ("train", "10_000002", -1, looked(dog=0)),
    ("validate", "20_000001", 5, ALL),
    ("validate", "20_000001", 0, said("music")),
    ("validate", "20_000002", 5, ALL),  # not agreed upon
    ("train", "10_000002", 6, NONE),
    ("train", "10_000003", 6, NONE),
    ("train", "10_000002", -2, looked(dog=-1, engine=1)),
    ("train", "10_000002", 0, said("engine")),
    ("test", "05_000001", 7, NONE),
    ("test", "05_000001", 0, said("engine", "dog")),
    ("train", "10_000002", 7, NONE),
]
RULES_DIFFER = 2  # 10_000002: dog, 1 against 1 - 1; engine, 0 against -1 + 1 + 1


def table_of(rows):
    cells = [
        dict(zip(COLUMNS, (split, f"{clip}.wav", annotator, *values), strict=True))
        for split, clip, annotator, values in rows
    ]
    # Other columns stand before and between, as in the genuine table.
    table = pd.DataFrame(cells).assign(**{"8-1_dog-barking-whining_presence": 1, "year": 2019})
    return table.assign(**{SENSOR: table.audio_filename.str.partition("_")[0]})


def write_table(folder, table):
    table[sorted(table)].to_csv(folder / "annotations.csv", index=False)


def write_clip(path, seed):
    x = 0.1 * np.random.default_rng(seed).standard_normal(800)
    soundfile.write(path, x, RATE)


@pytest.fixture
def table():
    return table_of(ROWS)


@pytest.fixture
def corpus(tmp_path, table):
    folder = tmp_path / "sonyc"
    (folder / "audio").mkdir(parents=True)
    for seed, name in enumerate(sorted(set(table.audio_filename))):
        write_clip(folder / "audio" / name, seed)
    write_table(folder, table)
    return folder


def labels_of(index, clip):
    row = index.set_index("clip").loc[clip]
    return {name for name in CLASSES if row[f"label_{name}"] == 1}


class TestIndex:
    def test_rows_are_sorted_and_say_what_the_files_are(self, corpus):
        index, classes, _ = index_sonyc(corpus, labels="dcase")
        assert tuple(index) == INDEX_COLUMNS
        assert list(index["clip"]) == sorted(index["clip"])
        assert classes == [
            *("engine", "machinery-impact", "non-machinery-impact", "powered-saw"),
            *("alert-signal", "music", "human-voice", "dog"),
        ]
        row = index.set_index("clip").loc["05_000001"]
        assert row[["path", "split"]].tolist() == ["audio/05_000001.wav", "test"]
        assert row[["n_samples", "sample_rate", "n_channels"]].tolist() == [800, RATE, 1]
        content = (corpus / "audio/05_000001.wav").read_bytes()
        assert row.sha256 == hashlib.sha256(content).hexdigest()

    def test_one_of_three_volunteers_is_enough_and_the_team_is_not_asked(self, corpus):
        index, *_ = index_sonyc(corpus, labels="dcase")
        assert labels_of(index, "10_000001") == set(CLASSES)
        assert labels_of(index, "10_000002") == {"dog"}
        assert labels_of(index, "10_000003") == set()

    def test_the_authors_sum_lets_the_team_cancel_volunteers(self, corpus):
        index, *_ = index_sonyc(corpus, labels="authors")
        assert labels_of(index, "10_000001") == set(CLASSES)
        assert labels_of(index, "10_000002") == {"engine"}
        assert labels_of(index, "10_000003") == set()

    @pytest.mark.parametrize("rule", ["dcase", "authors"])
    def test_validate_and_test_have_the_agreed_labels_or_are_left_out(self, corpus, rule):
        index, _, facts = index_sonyc(corpus, labels=rule)
        assert labels_of(index, "20_000001") == {"music"}
        assert labels_of(index, "05_000001") == {"engine", "dog"}
        assert "20_000002" not in set(index["clip"])
        assert facts == {
            "n_clips_left_out": 1,
            "n_training_clips_without_volunteer": 0,
            "n_labels_differing_between_rules": RULES_DIFFER,
            "n_identical_groups": 0,
            "n_identical_groups_across_splits": 0,
            "n_sources": 3,
            "sources_share": "sensor or file",
        }

    def test_a_source_is_a_sensor_with_all_that_share_a_file_with_it(self, corpus):
        source = index_sonyc(corpus, labels="dcase")[0].set_index("clip")["source"]
        assert source.to_dict() == {
            **dict.fromkeys(("10_000001", "10_000002", "10_000003"), "10"),
            **{"05_000001": "05", "20_000001": "20"},
        }
        audio = corpus / "audio"
        shutil.copy(audio / "05_000001.wav", audio / "10_000002.wav")
        index, _, facts = index_sonyc(corpus, labels="dcase")
        assert index["source"].tolist() == ["05"] * 4 + ["20"]
        assert facts["n_sources"] == 2

    def test_without_sensors_identical_files_are_one_source_and_the_record_says_so(
        self, corpus, table
    ):
        write_table(corpus, table.drop(columns=SENSOR))
        audio = corpus / "audio"
        shutil.copy(audio / "10_000001.wav", audio / "10_000003.wav")
        index, _, facts = index_sonyc(corpus, labels="dcase")
        alone = index.set_index("clip")["source"].drop("10_000003")
        assert (alone == alone.index).all()
        assert index.set_index("clip")["source"]["10_000003"] == "10_000001"
        assert (facts["n_sources"], facts["sources_share"]) == (
            4,
            "file; annotations.csv has no sensor_id",
        )

    def test_a_cell_without_sensor_leaves_the_clip_alone(self, corpus, table):
        table.loc[table.audio_filename == "10_000001.wav", SENSOR] = ""
        write_table(corpus, table)
        source = index_sonyc(corpus, labels="dcase")[0].set_index("clip")["source"]
        assert source[["10_000001", "10_000002"]].tolist() == ["10_000001", "10"]

    def test_facts_are_logged_and_can_be_recorded(self, corpus, caplog):
        with caplog.at_level(logging.INFO):
            _, _, facts = index_sonyc(corpus, labels="dcase")
        assert "1 clips of validate and test are left out" in caplog.text
        assert f"{RULES_DIFFER} labels of training clips differ" in caplog.text
        json.dumps(facts)

    def test_labels_that_nobody_looked_for_are_missing_and_written_as_nothing(self, corpus, table):
        table.loc[table.annotator_id == 0, "6_music_presence"] = -1
        quiet = table.audio_filename == "10_000003.wav"
        table.loc[quiet, "annotator_id"] = -3
        write_table(corpus, table)
        index, _, facts = index_sonyc(corpus, labels="dcase")
        assert facts["n_training_clips_without_volunteer"] == 1
        text = index.set_index("clip").filter(like="label_").to_csv()
        assert "20_000001,0,0,0,0,0,,0,0\n" in text
        assert "10_000003,,,,,,,,\n" in text
        assert "10_000001,1,1,1,1,1,1,1,1\n" in text

    def test_order_of_rows_and_columns_and_hidden_files_change_nothing(self, corpus, table):
        before = index_sonyc(corpus, labels="dcase")
        table[::-1][sorted(table, reverse=True)].to_csv(corpus / "annotations.csv", index=False)
        (corpus / "audio" / "._10_000001.wav").touch()
        after = index_sonyc(corpus, labels="dcase")
        pd.testing.assert_frame_equal(before[0], after[0])
        assert before[1:] == after[1:]

    def test_two_equal_agreed_rows_are_as_good_as_one(self, corpus, table):
        write_table(corpus, pd.concat([table, table[table.annotator_id == 0]]))
        index, *_ = index_sonyc(corpus, labels="dcase")
        assert labels_of(index, "20_000001") == {"music"}

    def test_identical_clips_are_warned_of_and_kept(self, corpus, caplog):
        audio = corpus / "audio"
        shutil.copy(audio / "10_000001.wav", audio / "10_000002.wav")
        shutil.copy(audio / "20_000001.wav", audio / "10_000003.wav")
        with caplog.at_level(logging.WARNING):
            index, _, facts = index_sonyc(corpus, labels="dcase")
        assert len(index) == 5
        assert (facts["n_identical_groups"], facts["n_identical_groups_across_splits"]) == (2, 1)
        assert (
            "2 groups of identical clips, 1 of them across splits or folds, are kept" in caplog.text
        )
        worse, better = "10_000003.wav = audio/20_000001.wav", "10_000001.wav = audio/10_000002.wav"
        assert 0 < caplog.text.index(worse) < caplog.text.index(better)

    def test_clips_that_are_left_out_are_not_listened_to(self, corpus):
        (corpus / "audio" / "20_000002.wav").write_text("no sound")
        assert len(index_sonyc(corpus, labels="dcase")[0]) == 5

    def test_two_readers_write_the_same_table(self, corpus):
        first, second = (index_sonyc(corpus, labels="dcase")[0].to_csv() for _ in range(2))
        assert first == second

    def test_adpcm_files_may_be_padded(self, corpus):
        path = corpus / "audio" / "10_000001.wav"
        x = 0.1 * np.random.default_rng(9).standard_normal(4800)
        soundfile.write(path, x, RATE, subtype="IMA_ADPCM")
        index, *_ = index_sonyc(corpus, labels="dcase")
        assert index.set_index("clip").n_samples["10_000001"] >= 4800


ROW = st.tuples(
    st.sampled_from(["a.wav", "b.wav", "c.wav"]),
    st.integers(-2, 2),
    st.lists(st.sampled_from([-1, 0, 1]), min_size=8, max_size=8),
)


def by_hand(rows, rule):
    """Both rules as they are told, clip by clip and class by class."""
    labels = {}
    for clip in sorted({name for name, *_ in rows}):
        for i, name in enumerate(CLASSES):
            values = [
                value[i]
                for file, annotator, value in rows
                if file == clip and (rule == "authors" or annotator > 0)
            ]
            if rule == "authors":
                labels[clip, name] = float(sum(values) > 0.5)
            elif any(value >= 0 for value in values):
                labels[clip, name] = float(1 in values)
            else:
                labels[clip, name] = None
    return labels


class TestTrainingLabels:
    @settings(deadline=None, max_examples=50)
    @given(st.lists(ROW, min_size=1, max_size=12), st.sampled_from(["dcase", "authors"]))
    def test_the_rules_are_those_told_clip_by_clip(self, rows, rule):
        frame = pd.DataFrame(
            [(file, annotator, *values) for file, annotator, values in rows],
            columns=["audio_filename", "annotator_id", *CLASSES],
        )
        labels = training_labels(frame, rule)
        assert list(labels) == CLASSES
        expected = by_hand(rows, rule)
        assert list(labels.index) == sorted({clip for clip, _ in expected})
        for (clip, name), value in expected.items():
            got = labels.at[clip, name]
            assert pd.isna(got) if value is None else got == value

    def test_agreed_labels_are_those_of_annotator_0(self):
        frame = pd.DataFrame(
            [("b", 0, *NONE), ("a", 0, *looked(dog=1, music=0)), ("a", 3, *ALL), ("c", -1, *ALL)],
            columns=["audio_filename", "annotator_id", *CLASSES],
        )
        labels = agreed_labels(frame)
        assert list(labels.index) == ["a", "b"]
        assert labels.at["a", "dog"] == 1 and labels.at["a", "music"] == 0
        assert labels.loc["a"].isna().sum() == 6


class TestMisuse:
    def refused(self, corpus, match, **options):
        with pytest.raises(InputError, match=match):
            index_sonyc(corpus, **{"labels": "dcase", **options})

    @pytest.mark.parametrize("column", COLUMNS)
    def test_a_missing_column_is_named(self, corpus, table, column):
        write_table(corpus, table.drop(columns=column))
        self.refused(corpus, f"lacks the columns {column}")

    @pytest.mark.parametrize(
        ("column", "value", "match"),
        [
            ("split", "dev", "split is 'dev', must be one of train, validate, test"),
            ("annotator_id", "x", "annotator_id is 'x', must be an integer"),
            ("annotator_id", "1.5", "annotator_id is '1.5', must be an integer"),
            ("annotator_id", "", "annotator_id is '', must be an integer"),
            ("8_dog_presence", "2", "8_dog_presence is '2', must be -1, 0 or 1"),
            ("8_dog_presence", "near", "8_dog_presence is 'near', must be -1, 0 or 1"),
            ("8_dog_presence", "", "8_dog_presence is '', must be -1, 0 or 1"),
        ],
    )
    def test_a_bad_cell_is_named_with_its_line(self, corpus, table, column, value, match):
        table = table.astype(str)
        table.loc[1, column] = value
        write_table(corpus, table)
        self.refused(corpus, f"annotations.csv, line 3: {match}")

    def test_a_clip_in_two_splits_is_refused(self, corpus, table):
        table.loc[0, "split"] = "test"
        write_table(corpus, table)
        self.refused(corpus, r"10_000003\.wav: is in more than one split")

    @pytest.mark.parametrize("split", ["validate", "test"])
    def test_agreed_rows_that_contradict_each_other_are_refused(self, corpus, table, split):
        again = table[(table.annotator_id == 0) & (table.split == split)]
        write_table(corpus, pd.concat([table, again.assign(**{"8_dog_presence": -1})]))
        name = again.audio_filename.iloc[0]
        self.refused(corpus, rf"1 problem\n.*{name}: has rows of annotator 0 that contradict")

    def test_two_files_of_one_clip_are_refused(self, corpus, table):
        table.loc[0, "audio_filename"] = "10_000001.flac"
        write_table(corpus, table)
        shutil.copy(corpus / "audio" / "10_000001.wav", corpus / "audio" / "10_000001.flac")
        self.refused(corpus, "clip 10_000001: has more than one file")

    def test_a_class_that_no_training_clip_has_is_refused(self, corpus, table):
        table.loc[table.split == "train", "6_music_presence"] = 0
        write_table(corpus, table)
        self.refused(corpus, r"1 problem\n.*no training clip is labelled with music")

    @pytest.mark.parametrize("split", ["train", "validate", "test"])
    def test_a_split_without_labelled_clips_is_refused(self, corpus, table, split):
        gone = set(table.audio_filename[table.split == split])
        for name in gone:
            (corpus / "audio" / name).unlink()
        write_table(corpus, table[table.split != split])
        self.refused(corpus, f"split {split} has no clip with labels")

    def test_everything_that_is_wrong_is_listed_in_one_error(self, corpus, table):
        audio = corpus / "audio"
        table.loc[table.split == "train", "6_music_presence"] = 0
        table.loc[0, "8_dog_presence"] = 7
        write_table(corpus, table)
        write_clip(audio / "99_000001.wav", 0)
        (audio / "10_000001.wav").unlink()
        soundfile.write(audio / "10_000002.wav", np.zeros(800), RATE)
        (audio / "10_000003.wav").write_text("no sound")
        whole = (audio / "20_000001.wav").read_bytes()
        (audio / "20_000001.wav").write_bytes(whole[:-100])
        with pytest.raises(InputError, match="7 problems") as error:
            index_sonyc(corpus, labels="dcase")
        for reason in (
            "line 2: 8_dog_presence is '7'",
            "audio/99_000001.wav has no row in annotations.csv; add its row",
            "10_000001.wav has a row in annotations.csv and no file below audio",
            "no training clip is labelled with music",
            "10_000002.wav: is silent throughout",
            "10_000003.wav: cannot be decoded",
            "20_000001.wav: is truncated",
        ):
            assert reason in str(error.value)

    def test_no_corpus_no_audio_and_no_such_rule_are_refused(self, corpus):
        self.refused(corpus, "labels must be dcase or authors, got 'any'", labels="any")
        self.refused(corpus.with_name("absent"), r"annotations\.csv: no such file")
        shutil.rmtree(corpus / "audio")
        self.refused(corpus, "audio: no such folder")


class TestPins:
    @pytest.fixture
    def expect(self, corpus):
        content = (corpus / "annotations.csv").read_bytes()
        (corpus / "taxonomy.yaml").write_text("coarse:\n")
        files = [
            {"name": "annotations.csv", "md5": hashlib.md5(content).hexdigest()},
            {"name": "taxonomy.yaml", "sha256": hashlib.sha256(b"coarse:\n").hexdigest()},
            {"name": "audio-0.tar.gz", "sha256": "0" * 64},  # gone since it was unpacked
        ]
        counts = {"train": 3, "validate": 2, "test": 1}
        return {"files": files, "n_clips": 6, "n_clips_per_split": counts, "n_samples": 800}

    def test_counts_include_the_clips_that_are_left_out(self, corpus, expect):
        assert len(index_sonyc(corpus, labels="dcase", expect=expect)[0]) == 5

    @pytest.mark.parametrize(
        ("pin", "match"),
        [
            ({"n_clips": 7}, "6 clips, the pinned corpus has 7"),
            ({"n_clips_per_split": {"validate": 1}}, "split validate has 2 clips, .* has 1"),
            ({"n_clips_per_split": {"dev": 1}}, "split dev has 0 clips, .* has 1"),
            ({"n_samples": 801}, "has 800 samples, the pinned corpus has 801"),
            ({"files": [{"name": "annotations.csv", "md5": "0"}]}, r"annotations\.csv: md5 is"),
            ({"files": [{"name": "absent.yaml", "md5": "0"}]}, r"absent\.yaml: is missing"),
        ],
    )
    def test_a_pinned_corpus_must_be_what_the_pins_say(self, corpus, expect, pin, match):
        with pytest.raises(InputError, match=match):
            index_sonyc(corpus, labels="dcase", expect={**expect, **pin})

    def test_a_changed_taxonomy_is_noticed(self, corpus, expect):
        (corpus / "taxonomy.yaml").write_text("coarse: {}\n")
        with pytest.raises(InputError, match=r"taxonomy\.yaml: sha256 is"):
            index_sonyc(corpus, labels="dcase", expect=expect)

    def test_silence_as_published_is_kept(self, corpus, expect, caplog):
        soundfile.write(corpus / "audio" / "10_000002.wav", np.zeros(800), RATE)
        with caplog.at_level(logging.WARNING):
            assert len(index_sonyc(corpus, labels="dcase", expect=expect)[0]) == 5
        assert "10_000002.wav: is silent throughout, as published" in caplog.text


class TestScript:
    def test_the_table_the_classes_and_the_facts_are_written(self, corpus, tmp_path):
        index, classes = tmp_path / "index.csv", tmp_path / "classes.json"
        corpus_settings = {"layout": "sonyc_ust", "labels": "dcase"}
        facts = load_script("index_dataset")(
            path_to_fetched=[],
            path_to_index=index,
            path_to_classes=classes,
            path_to_files=tmp_path / "files.json",
            corpus=corpus_settings,
            dataset="sonyc",
            data=str(tmp_path),
        )
        assert json.loads(classes.read_text()) == CLASSES
        head = "clip,path,source,split,label_engine,label_machinery-impact,"
        assert index.read_text().startswith(head)
        assert facts["n_clips"] == 5 and facts["n_classes"] == 8
        assert facts["n_clips_left_out"] == 1


class TestGenuineTables:
    def test_a_corpus_made_from_real_recordings_is_indexed(self):
        root = os.environ.get("L2I_DATA")
        if not root or not (Path(root) / "sonyc_mini").exists():
            pytest.skip("L2I_DATA names no folder that holds sonyc_mini")
        index, classes, facts = index_sonyc(Path(root) / "sonyc_mini", labels="dcase")
        assert index.split.value_counts().to_dict() == {"train": 180, "test": 60, "validate": 35}
        assert facts["n_clips_left_out"] == 5
        assert facts["sources_share"] == "sensor or file"
        labels = index[[f"label_{name}" for name in classes]]
        assert labels.notna().all(axis=None) and len(PRESENCE) == len(classes)
