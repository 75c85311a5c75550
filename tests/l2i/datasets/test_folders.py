"""l2i.datasets.folders: any folder of sounds."""

from __future__ import annotations

import logging
import os
import shutil

import numpy as np
import pytest
import soundfile

from l2i.checks import InputError
from l2i.datasets.folders import COLUMNS, index_corpus
from l2i.datasets.layouts import require_layout

RATE = 8000
CLIP = 400  # samples, of 0.05 seconds


def write(path, n_samples=CLIP, rate=RATE, silent=()):
    """Noise of its own for each file; `silent` are numbers of pieces."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = list(path.as_posix().encode()[-40:])
    x = 0.5 * np.random.default_rng(seed).uniform(-1, 1, n_samples)
    for i in silent:
        x[i * CLIP : (i + 1) * CLIP] = 0
    soundfile.write(path, x, rate)


@pytest.fixture
def corpus(tmp_path):
    """Three classes of five files, one of them long."""
    folder = tmp_path / "recordings"
    for name in ("kettle", "tap", "toaster"):
        for i in range(5):
            write(folder / name / f"take {i}.wav")
    write(folder / "tap/long.wav", 1100)
    return folder


def index(folder, n_folds=5, seed=0, clip_seconds=CLIP / RATE):
    return index_corpus(folder, n_folds=n_folds, seed=seed, clip_seconds=clip_seconds)


def refused(folder, *lines, **options):
    """The message, which must hold these lines and no other ones."""
    with pytest.raises(InputError) as error:
        index(folder, **options)
    told = str(error.value).splitlines()[1:]
    assert len(told) == len(lines), told
    for line, found in zip(lines, told, strict=True):
        assert line in found


class TestClips:
    def test_every_file_is_found_and_named_by_where_it_lies(self, corpus):
        write(corpus / "kettle/monday/kitchen.flac")
        rows, classes, facts = index(corpus)
        assert classes == ["kettle", "tap", "toaster"]
        assert list(rows.columns) == COLUMNS
        row = rows[rows["clip"] == "kettle_monday_kitchen"].iloc[0]
        assert row["path"] == "kettle/monday/kitchen.flac"
        assert (row["category"], row["label"]) == ("kettle", 0)
        assert facts["n_files"] == facts["n_sources"] == 17

    def test_long_files_are_cut_and_their_pieces_stay_together(self, corpus):
        rows, *_ = index(corpus)
        pieces = rows[rows["path"] == "tap/long.wav"]
        assert pieces["clip"].tolist() == [f"tap_long_00{i}" for i in (1, 2, 3)]
        assert pieces["first_sample"].tolist() == [0, 400, 800]
        assert pieces["n_samples"].tolist() == [400, 400, 300]
        assert pieces["fold"].nunique() == pieces["source"].nunique() == 1
        samples, _ = soundfile.read(corpus / "tap/long.wav", dtype="float32")
        maxima = [samples[i : i + 400].max() for i in (0, 400, 800)]
        assert pieces["maximum"].tolist() == maxima

    def test_a_rest_of_less_than_half_a_clip_is_left_out(self, corpus):
        write(corpus / "tap/long.wav", 2 * CLIP + 199)
        rows, *_ = index(corpus)
        assert rows[rows["path"] == "tap/long.wav"]["n_samples"].tolist() == [400, 400]

    def test_a_little_more_than_a_clip_is_a_clip_without_a_number(self, corpus):
        write(corpus / "tap/take 0.wav", CLIP + 10)
        write(corpus / "tap/take 1.wav", 7)  # very short, and all there is
        rows = index(corpus)[0].set_index("clip")
        assert rows.loc["tap_take 0", "n_samples"] == CLIP
        assert rows.loc["tap_take 1", "n_samples"] == 7

    def test_lengths_are_those_of_each_file_at_its_own_rate(self, corpus):
        write(corpus / "tap/long.wav", 6 * CLIP, rate=3 * RATE)
        pieces = index(corpus)[0].query("path == 'tap/long.wav'")
        assert pieces["n_samples"].tolist() == [3 * CLIP, 3 * CLIP]

    def test_silent_pieces_are_left_out_counted_and_told(self, corpus, caplog):
        write(corpus / "tap/long.wav", 4 * CLIP, silent=[1, 2])
        with caplog.at_level(logging.WARNING):
            rows, _, facts = index(corpus)
        assert rows.query("path == 'tap/long.wav'")["first_sample"].tolist() == [0, 1200]
        assert facts["n_silent_pieces"] == 2
        assert "2 of 19 pieces of files are silent throughout and are left out" in caplog.text

    def test_what_is_no_sound_is_passed_over(self, corpus, caplog):
        for name in ("Thumbs.db", ".DS_Store", "kettle/Thumbs.db", "kettle/._take 1.wav"):
            (corpus / name).write_bytes(b"x")
        for name in ("empty", ".hidden", "__MACOSX/kettle"):
            (corpus / name).mkdir(parents=True)
        (corpus / ".hidden/x.wav").write_bytes(b"x")
        (corpus / "kettle/take 9.WAV").write_bytes((corpus / "kettle/take 0.wav").read_bytes())
        with caplog.at_level(logging.WARNING):
            rows, classes, _ = index(corpus)
        assert classes == ["kettle", "tap", "toaster"] and "kettle_take 9" in set(rows["clip"])
        assert "1 files below recordings are no clips and are passed over" in caplog.text
        assert "__MACOSX, empty: no sounds in it, so it is no class" in caplog.text

    def test_a_class_behind_a_link_is_one(self, corpus):
        elsewhere = corpus.parent / "elsewhere"
        (corpus / "tap").rename(elsewhere)
        (corpus / "tap").symlink_to(elsewhere)
        (elsewhere / "back").symlink_to(corpus)
        assert len(index(corpus)[0].query("category == 'tap'")) == 8

    def test_a_name_depends_on_no_other_file(self, corpus):
        before = set(index(corpus)[0]["clip"])
        write(corpus / "toaster/long.wav")
        write(corpus / "tap/more/take 1.wav")
        assert before < set(index(corpus)[0]["clip"])

    @pytest.mark.parametrize("name", ["Kessel, groß", "=1+1", "大提琴", "a\\b", "NA"])
    def test_classes_are_called_as_their_folders(self, corpus, name):
        (corpus / "kettle").rename(corpus / name)
        assert name in index(corpus)[1]


class TestFolds:
    def test_no_source_is_in_two_and_each_tests_every_class(self, corpus):
        rows, *_ = index(corpus)
        assert rows.groupby("source")["fold"].nunique().max() == 1
        assert (rows.groupby("fold")["category"].nunique() == 3).all()
        assert sorted(set(rows["fold"])) == [1, 2, 3, 4, 5]

    def test_equal_files_share_a_source(self, corpus, caplog):
        shutil.copy(corpus / "tap/take 0.wav", corpus / "tap/the same.wav")
        rows, _, facts = index(corpus)
        assert rows[rows["clip"].isin(["tap_take 0", "tap_the same"])]["source"].nunique() == 1
        assert facts["n_identical_groups"] == 1
        assert facts["n_identical_groups_across_splits"] == 0

    def test_too_few_recordings_are_told_with_what_would_do(self, corpus):
        for i in (0, 1):
            (corpus / f"kettle/take {i}.wav").unlink()
        refused(
            corpus,
            "class kettle has 3 sources (files, or what clips.csv and equal files make one), and "
            "each of 5 folds needs one: add recordings, or set corpus.n_folds to 3",
        )
        assert index(corpus, n_folds=3)[0]["fold"].max() == 3

    def test_one_recording_is_never_enough(self, corpus):
        for i in range(1, 5):
            (corpus / f"kettle/take {i}.wav").unlink()
        refused(corpus, "class kettle has 1 source (", n_folds=2)

    def test_seed_and_names_decide(self, corpus):
        rows = index(corpus)[0]
        assert index(corpus)[0].equals(rows)
        assert index(corpus, seed=1)[0]["fold"].tolist() != rows["fold"].tolist()


class TestTable:
    """clips.csv"""

    @pytest.fixture
    def table(self, corpus):
        """Write the table; by default all that is there, of one source and fold each."""
        files = sorted(path.relative_to(corpus).as_posix() for path in corpus.rglob("*.wav"))

        def write_table(columns, row, more=()):
            lines = [",".join(["file", *columns]), *(f"{f},{row(f)}" for f in files), *more]
            (corpus / "clips.csv").write_text("\n".join(lines) + "\n")

        return write_table

    def test_sources_that_it_names_are_never_parted(self, corpus, table):
        table(["source"], lambda file: "monday" if file[-5] in "01" else "")
        rows, *_ = index(corpus, n_folds=4)
        of_monday = rows[rows["source"] == "monday"]
        assert len(of_monday) == 6 and of_monday["fold"].nunique() == 1
        assert set(rows["source"]) >= {"tap_long", "kettle_take 4"}

    def test_its_folds_come_before_any_draw(self, corpus, table):
        table(["fold"], lambda file: "1.0" if file[-5] in "01" else "2")
        rows, *_ = index(corpus, n_folds=2)
        assert rows.groupby("fold").size().to_dict() == {1: 6, 2: 12}

    def test_a_source_in_two_folds_is_refused(self, corpus, table):
        table(["fold", "source"], lambda file: f"{1 + int(file[-5] in '01')},{file[:5]}")
        refused(corpus, *["of one source, "] * 3, n_folds=2)

    def test_equal_files_in_two_folds_are_refused(self, corpus, table):
        shutil.copy(corpus / "tap/take 0.wav", corpus / "tap/take 1.wav")
        table(["fold"], lambda file: 1 if file[-5] in "024g" else 2)
        refused(corpus, "tap/take 0.wav and tap/take 1.wav are of one source", n_folds=2)

    def test_all_that_does_not_fit_is_told_at_once(self, corpus, table):
        table(["fold"], lambda file: "x" if "long" in file else 1, ["tap/gone.wav,2", "a/b.wav,2"])
        write(corpus / "tap/new.wav")
        refused(
            corpus,
            "tap/new.wav has no row in clips.csv",
            "a/b.wav has a row in clips.csv and is no sound",
            "tap/gone.wav has a row",
            "tap/long.wav: its fold in clips.csv is 'x', not 1 to 3",
            "tap/new.wav: its fold in clips.csv is '', not",
            "clips.csv puts nothing into fold 2, 3; set n_folds to what it has",
            n_folds=3,
        )

    def test_it_must_say_something(self, corpus, table):
        table(["remark"], lambda file: "x")
        with pytest.raises(InputError, match=r"clips\.csv: has neither a source nor a fold column"):
            index(corpus)


class TestFaults:
    """Each is a line, and all are told at once."""

    def test_of_one_file_each(self, corpus):
        write(corpus / "tap/take 0.wav", silent=[0])
        (corpus / "tap/take 1.wav").write_bytes(b"")
        (corpus / "tap/take 2.wav").write_text("<html>")
        (corpus / "tap/take 3.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
        (corpus / "tap/take 3.wav").unlink()
        (corpus / "tap/take 4.wav").unlink()
        (corpus / "tap/take 4.wav").symlink_to("nowhere.wav")
        write(corpus / "tap/a\x1bb.wav")
        write(corpus / "beside.wav")
        shutil.copy(corpus / "tap/long.wav", corpus / "kettle/same.wav")
        refused(
            corpus,
            "beside.wav lies beside the folders of the classes; move it into the one of its class",
            "tap/take 0.wav: is silent throughout; move it out of the corpus",
            "tap/take 1.wav: is an empty file",
            "tap/take 2.wav: is a web page and no sound",
            "tap/take 3.m4a: is MPEG-4 sound, which is not read; convert it",
            "tap/take 4.wav: is a link to nowhere.wav, where nothing is",
            "its name holds a character that cannot be printed; rename its file",
            "kettle/same.wav and tap/long.wav are the same file in several classes; keep one",
        )

    def test_sound_in_a_rest_that_is_no_clip(self, corpus):
        write(corpus / "tap/long.wav", 2 * CLIP + 100, silent=[0, 1])
        refused(corpus, "tap/long.wav: sounds at its end alone, which is no clip")

    def test_names_that_several_clips_would_have(self, corpus):
        shutil.copy(corpus / "tap/take 0.wav", corpus / "tap/take 0.flac.wav")
        x, rate = soundfile.read(corpus / "tap/take 0.wav")
        soundfile.write(corpus / "tap/take 0.flac", x, rate)
        write(corpus / "tap/long_002.wav")
        refused(corpus, "tap_long_002 would be the name of several", "tap_take 0 would be the name")

    @pytest.mark.parametrize("n_classes", [0, 1])
    def test_two_classes_are_needed(self, corpus, n_classes):
        for name in ("kettle", "tap", "toaster")[n_classes:]:
            shutil.rmtree(corpus / name)
        there = "there is kettle" if n_classes else "there is none"
        refused(corpus, f"two folders with sounds are needed, one for each class, and {there}")

    def test_one_class_linked_under_two_names_is_told(self, corpus):
        (corpus / "water").symlink_to("tap")
        refused(corpus, *["are the same file in several classes"] * 6)

    @pytest.mark.parametrize("name", ["all classes", "x" * 101, "a\nb"])
    def test_a_class_that_cannot_be_shown(self, corpus, name):
        (corpus / "kettle").rename(corpus / name)
        with pytest.raises(InputError, match=r"class .*: its name .*; rename its folder"):
            index(corpus)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may list any folder")
    def test_a_folder_that_may_not_be_listed(self, corpus):
        (corpus / "tap").chmod(0)
        with pytest.raises(InputError, match="tap: cannot be listed .*; grant access to it"):
            index(corpus)


class TestRecognition:
    def test_any_folder_is_in_the_layout_but_one_that_is_not_there(self, corpus):
        require_layout(corpus, "folders")
        with pytest.raises(InputError, match="nowhere: no such folder; put the corpus there"):
            require_layout(corpus / "nowhere", "folders")

    def test_a_corpus_in_another_layout_is_known_for_that(self, corpus):
        (corpus / "meta").mkdir()
        (corpus / "audio").mkdir()
        (corpus / "meta/esc50.csv").touch()
        with pytest.raises(InputError, match="not in the layout folders: it looks like .* esc50"):
            require_layout(corpus, "folders")
        require_layout(corpus, "esc50")

    def test_folders_are_not_taken_for_it_unasked(self, corpus):
        with pytest.raises(InputError, match=r"it has no meta/esc50.csv, audio; put the corpus"):
            require_layout(corpus, "esc50")
