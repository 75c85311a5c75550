from __future__ import annotations

import hashlib
import logging

import numpy as np
import pytest
import soundfile

from l2i.checks import InputError
from l2i.datasets.clips import audio_files, examine, identical_groups, read_table

RATE = 8000


def write(path, x):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, x, RATE)


@pytest.fixture
def folder(tmp_path):
    x = 0.1 * np.random.default_rng(0).standard_normal((800, 2))
    write(tmp_path / "audio/000/a.ogg", x)
    write(tmp_path / "audio/b.wav", x[:, :1])
    return tmp_path


class TestExamine:
    def test_facts_are_given_by_path_whatever_the_folder(self, folder):
        facts, problems = examine(folder, ["audio/b.wav", "audio/000/a.ogg"])
        assert problems == []
        assert list(facts) == ["audio/b.wav", "audio/000/a.ogg"]
        assert facts["audio/b.wav"] == {
            "n_samples": 800,
            "sample_rate": RATE,
            "n_channels": 1,
            "duration_seconds": 0.1,
            "sha256": hashlib.sha256((folder / "audio/b.wav").read_bytes()).hexdigest(),
        }
        assert facts["audio/000/a.ogg"]["n_channels"] == 2

    def test_each_bad_clip_is_one_problem_and_has_no_facts(self, folder):
        write(folder / "silent.wav", np.zeros(800))
        (folder / "text.wav").write_text("no sound")
        names = ["silent.wav", "text.wav", "absent.wav", "audio/b.wav"]
        facts, problems = examine(folder, names)
        assert list(facts) == ["audio/b.wav"]
        reasons = ("silent throughout", "cannot be decoded", "no such file")
        for name, reason, problem in zip(names, reasons, problems, strict=False):
            assert name in problem and reason in problem
        assert len(problems) == 3

    def test_a_demanded_length_is_checked(self, folder):
        assert examine(folder, ["audio/b.wav"], n_samples=800)[1] == []
        _, problems = examine(folder, ["audio/b.wav"], n_samples=801)
        assert "has 800 samples, the pinned corpus has 801" in problems[0]

    def test_silence_that_is_allowed_is_warned_of_and_its_length_still_checked(
        self, folder, caplog
    ):
        write(folder / "silent.wav", np.zeros(800))
        with caplog.at_level(logging.WARNING):
            facts, problems = examine(folder, ["silent.wav"], silence_allowed=True)
        assert facts["silent.wav"]["n_samples"] == 800 and not problems
        assert "silent.wav: is silent throughout, as published" in caplog.text
        _, problems = examine(folder, ["silent.wav"], n_samples=1, silence_allowed=True)
        assert len(problems) == 1

    def test_of_no_clips_nothing_is_told(self, folder):
        assert examine(folder, []) == ({}, [])


def test_identical_files_are_grouped():
    hashes = {"d": "2", "c": "1", "a": "3", "b": "1", "e": "2", "f": "2"}
    facts = {path: {"sha256": digest} for path, digest in hashes.items()}
    assert identical_groups(facts) == [["b", "c"], ["d", "e", "f"]]


class TestTables:
    @pytest.fixture
    def csv(self, tmp_path):
        return tmp_path / "t.csv"

    def test_columns_are_found_by_name_and_cells_are_text(self, csv):
        csv.write_text('b,x,a\n01,,"NA"\n,,1.50\n')
        table = read_table(csv, ("a", "b"))
        assert list(table) == ["a", "b"]
        assert table.to_numpy().tolist() == [["NA", "01"], ["1.50", ""]]

    def test_cells_that_a_short_row_lacks_are_empty(self, csv):
        csv.write_text("a,b\n1\n")
        assert read_table(csv, ("a", "b")).to_numpy().tolist() == [["1", ""]]

    @pytest.mark.parametrize(
        ("content", "match"),
        [
            (b"a,x\n", "lacks the columns b, c; restore it"),
            (b"", "is no csv table"),
            (b'"a,b\n\xff\xfe', "is no csv table"),
            (b"a,b,c\n1,2,3\n1,2,3,4\n", "is no csv table"),
        ],
    )
    def test_what_is_no_such_table_is_refused(self, csv, content, match):
        csv.write_bytes(content)
        with pytest.raises(InputError, match=match):
            read_table(csv, ("a", "b", "c"))

    def test_a_missing_table_and_a_missing_folder_are_named(self, tmp_path):
        with pytest.raises(InputError, match=r"t\.csv: no such file.*machine\.data"):
            read_table(tmp_path / "t.csv", ("a",))
        with pytest.raises(InputError, match="audio: no such folder"):
            audio_files(tmp_path)


def test_hidden_files_are_no_audio(folder):
    (folder / "audio" / ".DS_Store").touch()
    assert audio_files(folder) == {"000", "b.wav"}
