from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from configuration.reading import pins_of
from l2i.checks import InputError
from l2i.datasets.esc50 import COLUMNS, check_table
from l2i.datasets.esc50 import index_corpus as index_esc50
from l2i.hashing import file_sha256

RATE = 8000
CLIPS = [  # name, category, esc10
    ("1-100-A-0", "dog", "True"),
    ("1-101-A-7", "rooster", "False"),
    ("1-101-B-7", "rooster", "False"),
    ("2-102-A-0", "dog", "True"),
    ("2-103-A-7", "rooster", "False"),
    ("2-104-A-41", "chainsaw", "True"),
]
NO_GROUPS = {"n_identical_groups": 0, "n_identical_groups_across_splits": 0}
INDEX_COLUMNS = (
    *("clip", "path", "source", "fold", "label", "category"),
    *("n_samples", "sample_rate", "n_channels", "duration_seconds", "maximum", "sha256"),
)


def rows(suffix="wav"):
    for name, category, esc10 in CLIPS:
        fold, source, take, target = name.split("-")
        yield [f"{name}.{suffix}", fold, target, category, esc10, source, take]


def write_table(folder, table):
    (folder / "meta").mkdir(exist_ok=True)
    table.to_csv(folder / "meta" / "esc50.csv", index=False)


def make_corpus(folder, suffix="wav"):
    (folder / "audio").mkdir(parents=True)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rows(suffix), columns=COLUMNS)
    for name in table.filename:
        soundfile.write(folder / "audio" / name, 0.1 * rng.standard_normal(800), RATE)
    write_table(folder, table)
    return folder


@pytest.fixture
def corpus(tmp_path):
    return make_corpus(tmp_path / "esc50")


@pytest.fixture
def table(corpus):
    return pd.read_csv(corpus / "meta" / "esc50.csv", dtype=str)


def data_folder(name: str) -> Path:
    root = os.environ.get("L2I_DATA")
    if not root:
        pytest.skip("L2I_DATA is not set: it names a folder of real corpora")
    if not (Path(root) / name).exists():
        pytest.skip(f"{root} holds no {name}")
    return Path(root) / name


class TestIndex:
    def test_rows_are_sorted_and_say_what_the_files_are(self, corpus):
        index, classes, facts = index_esc50(corpus, subset="all")
        assert facts == {"n_sources": 5} | NO_GROUPS
        assert tuple(index) == INDEX_COLUMNS
        assert list(index["clip"]) == sorted(name for name, *_ in CLIPS)
        assert classes == ["dog", "rooster", "chainsaw"]  # in the order of targets 0, 7, 41
        row = index.set_index("clip").loc["2-104-A-41"]
        assert row[["path", "fold", "label"]].tolist() == ["audio/2-104-A-41.wav", 2, 2]
        assert row[["n_samples", "sample_rate", "n_channels"]].tolist() == [800, RATE, 1]
        assert row.duration_seconds == 0.1

    def test_clips_of_one_recording_have_one_source(self, corpus):
        index, *_ = index_esc50(corpus, subset="all")
        assert index["source"].tolist() == ["100", "101", "101", "102", "103", "104"]

    def test_so_have_identical_files(self, corpus):
        audio = corpus / "audio"
        shutil.copy(audio / "1-100-A-0.wav", audio / "2-102-A-0.wav")
        index, _, facts = index_esc50(corpus, subset="all")
        assert index.set_index("clip")["source"][["1-100-A-0", "2-102-A-0"]].tolist() == ["100"] * 2
        assert facts["n_sources"] == 4
        assert facts["n_identical_groups_across_splits"] == 1

    def test_a_subset_is_renumbered_and_tolerates_the_files_of_the_whole(self, corpus):
        index, classes, _ = index_esc50(corpus, subset="esc10")
        assert classes == ["dog", "chainsaw"]
        assert sorted(set(index.label)) == [0, 1]
        assert len(index) == 3

    def test_a_subset_does_not_look_at_clips_outside(self, corpus):
        (corpus / "audio" / "1-101-A-7.wav").unlink()
        (corpus / "audio" / "1-101-B-7.wav").write_bytes(b"")
        assert len(index_esc50(corpus, subset="esc10")[0]) == 3

    @pytest.mark.parametrize("suffix", ["flac", "ogg"])
    def test_other_containers_are_read(self, tmp_path, suffix):
        index, *_ = index_esc50(make_corpus(tmp_path / suffix, suffix), subset="all")
        assert index.path.str.endswith(suffix).all()
        assert list(index["clip"]) == sorted(name for name, *_ in CLIPS)

    def test_local_clips_may_have_any_length_rate_and_number_of_channels(self, corpus):
        soundfile.write(corpus / "audio" / "1-100-A-0.wav", np.ones((500, 2)) / 2, 48_000)
        row = index_esc50(corpus, subset="all")[0].iloc[0]
        assert (row.n_samples, row.sample_rate, row.n_channels) == (500, 48_000, 2)

    def test_order_of_rows_and_hidden_files_change_nothing(self, corpus, table):
        before = index_esc50(corpus, subset="all")
        write_table(corpus, table[::-1])
        (corpus / "audio" / ".DS_Store").touch()
        after = index_esc50(corpus, subset="all")
        pd.testing.assert_frame_equal(before[0], after[0])
        assert before[1] == after[1]

    def test_sources_in_two_folds_are_warned_of_and_kept(self, corpus, table, caplog):
        (corpus / "audio" / "2-103-A-7.wav").rename(corpus / "audio" / "2-101-A-7.wav")
        table.loc[4, ["filename", "src_file"]] = ["2-101-A-7.wav", "101"]
        write_table(corpus, table)
        with caplog.at_level(logging.WARNING):
            assert len(index_esc50(corpus, subset="all")[0]) == len(CLIPS)
        assert "1 recordings have clips in more than one fold, as published: 101" in caplog.text


class TestMisuse:
    def refused(self, corpus, match, **options):
        with pytest.raises(InputError, match=match):
            index_esc50(corpus, **{"subset": "all", **options})

    @pytest.mark.parametrize(
        ("column", "value", "match"),
        [
            ("fold", "6", "fold '6' is not 1 to 5"),
            ("fold", "", "fold '' is not 1 to 5"),
            ("target", "50", "target '50' is not 0 to 49"),
            ("target", "x", "target 'x' is not 0 to 49"),
            ("target", "3", "name and the other columns"),
            ("fold", "2", "name and the other columns"),
            ("src_file", "99", "name and the other columns"),
            ("take", "C", "name and the other columns"),
            ("esc10", "1", "neither True nor False"),
            ("category", "", "category is empty"),
            ("category", "cat", "target 0 stands with more than one category"),
            ("category", "rooster", "category rooster stands with more than one target"),
            ("filename", "../../x.wav", "is no name"),
            ("filename", "1-100-A-0.mp3", "is no name"),
        ],
    )
    def test_a_bad_cell_is_named(self, corpus, table, column, value, match):
        table.loc[0, column] = value
        write_table(corpus, table)
        self.refused(corpus, match)

    @pytest.mark.parametrize("column", COLUMNS)
    def test_a_missing_column_is_named(self, corpus, table, column):
        write_table(corpus, table.drop(columns=column))
        self.refused(corpus, f"lacks the columns {column}")

    def test_two_rows_for_one_clip_are_refused(self, corpus, table):
        write_table(corpus, pd.concat([table, table[:1]]))
        self.refused(corpus, "clip 1-100-A-0 has more than one row")

    def test_rows_without_file_and_files_without_row_are_listed_in_one_error(self, corpus):
        audio = corpus / "audio"
        (audio / "1-100-A-0.wav").rename(audio / "1-100-A-0.ogg")
        self.refused(corpus, r"2 problems(.|\n)*0\.ogg has no row(.|\n)*0\.wav has a row in")
        self.refused(corpus, r"0\.ogg has no row(.|\n)*0\.wav has a row", subset="esc10")

    def test_bad_audio_is_listed_with_its_reasons_in_one_error(self, corpus):
        audio = corpus / "audio"
        soundfile.write(audio / "1-100-A-0.wav", np.zeros(800), RATE)
        soundfile.write(audio / "1-101-A-7.wav", np.full(800, np.nan), RATE, subtype="FLOAT")
        soundfile.write(audio / "1-101-B-7.wav", np.zeros(0), RATE)
        (audio / "2-102-A-0.wav").write_text("no sound")
        whole = (audio / "2-103-A-7.wav").read_bytes()
        (audio / "2-103-A-7.wav").write_bytes(whole[:-100])
        with pytest.raises(InputError, match="5 problems") as error:
            index_esc50(corpus, subset="all")
        for reason in ("silent", "NaN", "no samples", "cannot be decoded", "truncated"):
            assert reason in str(error.value)

    def test_channels_that_cancel_in_the_mono_mix_are_silent(self, corpus):
        left = np.linspace(-0.5, 0.5, 800)
        path = corpus / "audio" / "1-100-A-0.wav"
        soundfile.write(path, np.stack([left, -left], axis=1), RATE, subtype="FLOAT")
        self.refused(corpus, r"1-100-A-0\.wav: is silent throughout")

    def test_the_first_release_and_missing_folders_are_told_apart(self, corpus):
        self.refused(corpus / "absent", "no such folder; put the corpus there")
        shutil.rmtree(corpus / "audio")
        self.refused(corpus, "audio: no such folder")
        shutil.rmtree(corpus / "meta")
        (corpus / "001 - Dog bark").mkdir()
        self.refused(corpus, "first release .* cannot be used")

    def test_no_table_an_empty_table_and_a_bad_subset_are_refused(self, corpus, table):
        self.refused(corpus, "subset must be all or esc10, got 'esc20'", subset="esc20")
        write_table(corpus, table.assign(esc10="False"))
        self.refused(corpus, "no row of esc50.csv belongs to subset esc10", subset="esc10")
        write_table(corpus, table[:0])
        self.refused(corpus, "no row")
        (corpus / "meta" / "esc50.csv").write_bytes(b'"a,b\n\xff\xfe')
        self.refused(corpus, "is no csv table")

    @pytest.mark.parametrize(
        ("expect", "match"),
        [
            ({"csv_sha256": "0" * 64}, "pinned is 000"),
            ({"n_clips": 7}, "6 rows, the pinned corpus has 7"),
            ({"n_clips_per_fold_and_class": 2}, "fold 2, target 41: 1 rows, 2 expected"),
            ({"n_samples": 801}, "has 800 samples, the pinned corpus has 801"),
        ],
    )
    def test_a_pinned_corpus_must_be_what_the_pins_say(self, corpus, expect, match):
        self.refused(corpus, match, expect=expect)


class TestGenuineCorpora:
    def test_the_real_esc10_recordings_are_indexed(self):
        index, classes, facts = index_esc50(data_folder("esc10"), subset="all")
        assert len(index) == 400
        assert facts["n_sources"] == 304
        assert index["source"].value_counts().max() == 7
        assert classes[:3] == ["dog", "rooster", "rain"]
        assert (index.groupby(["fold", "label"]).size() == 8).all()
        assert (index.label == index.category.map(classes.index)).all()

    def test_the_genuine_table_passes_all_checks(self):
        path = data_folder("genuine-metadata/esc50.csv")
        table = pd.read_csv(path, dtype=str)
        assert check_table(table, {"n_clips": 2000, "n_clips_per_fold_and_class": 8}) == []
        assert (table.esc10 == "True").sum() == 400

    def test_the_genuine_table_is_the_pinned_one(self):
        pins = pins_of("corpora", "esc50")
        path = data_folder("genuine-metadata/esc50.csv")
        assert file_sha256(path) == pins["csv_sha256"]
