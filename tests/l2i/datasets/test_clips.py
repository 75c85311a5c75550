from __future__ import annotations

import hashlib
import logging

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.datasets.clips import common_sources, examine, identical_clips, identical_groups
from l2i.features import audio

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
            "maximum": pytest.approx(0.3, abs=0.15),
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

    def test_pieces_have_levels_of_their_own_wherever_blocks_end(self, folder, monkeypatch):
        monkeypatch.setattr(audio, "_BLOCK", 70)
        x = 0.1 * np.random.default_rng(1).standard_normal(1000)
        x[200:400] = 0
        write(folder / "long.wav", x)
        facts, _ = examine(folder, ["long.wav"], piece_seconds=0.025)  # 200 samples
        heard = soundfile.read(folder / "long.wav", dtype="float32")[0].reshape(5, 200)
        assert facts["long.wav"]["maximum"] == heard.max()
        assert facts["long.wav"]["pieces"] == [
            {
                "first_sample": 200 * i,
                "n_samples": 200,
                "duration_seconds": 0.025,
                "maximum": part.max(),
                "sounds": i != 1,
            }
            for i, part in enumerate(heard)
        ]

    def test_of_no_clips_nothing_is_told(self, folder):
        assert examine(folder, []) == ({}, [])


def test_identical_files_are_grouped():
    hashes = {"d": "2", "c": "1", "a": "3", "b": "1", "e": "2", "f": "2"}
    facts = {path: {"sha256": digest} for path, digest in hashes.items()}
    assert identical_groups(facts) == [["b", "c"], ["d", "e", "f"]]


def test_identical_files_in_two_folds_are_warned_of_and_counted(caplog):
    facts = {path: {"sha256": digest} for path, digest in {"a": "1", "b": "1", "c": "1"}.items()}
    with caplog.at_level(logging.WARNING):
        counts = identical_clips(facts, {"a": 1, "b": 1, "c": 2})
    assert counts == {"n_identical_groups": 1, "n_identical_groups_across_splits": 1}
    assert "a = b = c" in caplog.text
    assert set(identical_clips(facts, dict.fromkeys("abc", 1)).values()) == {0, 1}


def sources(*rows):
    """Sources of clips a, b, c, ... that share a place and a file; None: shared with nobody."""
    places, files = (pd.Series(column, dtype=object) for column in zip(*rows, strict=True))
    return common_sources(pd.Series([*"abcdefgh"[: len(rows)]]), places, files).tolist()


class TestSources:
    def test_what_is_shared_first_names_them(self):
        assert sources(("9", 1), ("9", 2), ("8", 3)) == ["9", "9", "8"]

    def test_a_shared_file_joins_places_and_the_smallest_names_them(self):
        assert sources(("9", 1), ("8", 1), ("8", 2), ("7", 3)) == ["8", "8", "8", "7"]

    def test_without_a_place_identical_files_are_one_source_and_others_their_own(self):
        assert sources((None, 1), (None, 2), (None, 2), (None, 3)) == ["a", "b", "b", "d"]

    def test_a_clip_without_place_may_share_the_file_of_one_that_has_one(self):
        assert sources((None, 1), ("9", 1), (None, 2)) == ["9", "9", "c"]

    def test_a_chain_is_followed_to_its_end(self):
        links = [(str(i // 2), (i + 1) // 2) for i in range(8)]
        assert sources(*links) == ["0"] * 8

    @given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=8))
    @settings(deadline=None)
    def test_they_are_the_connected_parts(self, rows):
        apart = [{i} for i in range(len(rows))]
        for i, a in enumerate(rows):
            for j, b in enumerate(rows[:i]):
                if a[0] == b[0] or a[1] == b[1]:
                    joined = apart[i] | apart[j]
                    apart = [joined if k in joined else s for k, s in enumerate(apart)]
        named = sources(*((str(a), b) for a, b in rows))
        same = {(i, j) for i, a in enumerate(named) for j, b in enumerate(named) if a == b}
        assert same == {(i, j) for i, part in enumerate(apart) for j in part}
