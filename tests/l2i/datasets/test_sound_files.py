from __future__ import annotations

import logging
import os

import pytest

from l2i.checks import InputError
from l2i.datasets.sound_files import audio_files, unmatched


def touch(folder, *names):
    for name in names:
        path = folder / "audio" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_clips_are_found_in_folders_of_their_own(tmp_path):
    touch(tmp_path, "a.wav", "fold1/b.wav", "x/y/c.ogg", ".DS_Store", "._a.wav", ".hidden/d.wav")
    files, problems = audio_files(tmp_path)
    assert files == {
        "a.wav": "audio/a.wav",
        "b.wav": "audio/fold1/b.wav",
        "c.ogg": "audio/x/y/c.ogg",
    }
    assert problems == []


def test_links_are_followed_and_circles_left(tmp_path):
    touch(tmp_path / "elsewhere", "b.wav")
    touch(tmp_path, "a.wav")
    (tmp_path / "audio" / "linked").symlink_to(tmp_path / "elsewhere" / "audio")
    (tmp_path / "audio" / "back").symlink_to(tmp_path / "audio")
    (tmp_path / "audio" / "c.wav").symlink_to(tmp_path / "elsewhere" / "audio" / "b.wav")
    files, problems = audio_files(tmp_path)
    assert files == {
        n: f"audio/{p}"
        for n, p in {"a.wav": "a.wav", "b.wav": "linked/b.wav", "c.wav": "c.wav"}.items()
    }
    assert problems == []


def test_a_linked_audio_folder_is_one(tmp_path):
    touch(tmp_path / "elsewhere", "b.wav")
    (tmp_path / "audio").symlink_to(tmp_path / "elsewhere" / "audio")
    assert audio_files(tmp_path)[0] == {"b.wav": "audio/b.wav"}


def test_two_files_of_one_name_are_a_problem(tmp_path):
    touch(tmp_path, "1/a.wav", "2/a.wav", "1/notes.txt", "2/notes.txt")
    _, problems = audio_files(tmp_path)
    assert problems == ["a.wav is the name of 2 files, audio/1/a.wav and audio/2/a.wav; keep one"]


def test_names_are_found_however_their_letters_are_composed(tmp_path):
    touch(tmp_path, "Flo\u0308te.wav")
    assert audio_files(tmp_path)[0] == {"Flöte.wav": "audio/Flo\u0308te.wav"}


def test_no_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="audio: no such folder"):
        audio_files(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list any folder")
def test_a_folder_that_may_not_be_listed_is_named(tmp_path):
    touch(tmp_path, "shut/a.wav")
    (tmp_path / "audio" / "shut").chmod(0)
    with pytest.raises(InputError, match="shut: cannot be listed"):
        audio_files(tmp_path)


class TestUnmatched:
    def test_both_sides_are_told_and_no_advice_loses_a_clip(self):
        files = {"a.wav": "audio/a.wav", "b.WAV": "audio/1/b.WAV"}
        problems = unmatched({"a.wav", "c.wav"}, files, "t.csv")
        assert problems == [
            "audio/1/b.WAV has no row in t.csv; add its row, or move it out of audio",
            "c.wav has a row in t.csv and no file below audio; put it there",
        ]

    def test_what_is_no_sound_is_told_once(self, caplog):
        names = ["Thumbs.db", "desktop.ini", "notes.txt", "evil\x1b[2J.txt"]
        with caplog.at_level(logging.WARNING):
            assert unmatched(set(), {name: f"audio/{name}" for name in names}, "t.csv") == []
        assert "4 files below audio are no clips and are passed over" in caplog.text
        assert len(caplog.records) == 1 and "\x1b" not in caplog.text

    def test_a_clip_may_have_any_suffix(self):
        assert unmatched({"a.xyz"}, {"a.xyz": "audio/a.xyz"}, "t.csv") == []
