"""l2i.disk: what is told of errors that libraries raise."""

from __future__ import annotations

import errno

import pytest
from safetensors import SafetensorError

from l2i import disk
from l2i.checks import InputError


def error_of(number, filename=None):
    return OSError(number, "reason", filename)


class TestRefusal:
    @pytest.mark.parametrize(
        ("number", "words"),
        [
            (errno.ENOSPC, r"x: cannot be written, 1.5 MB are needed, and .* are free on the disk"),
            (errno.EDQUOT, r"x: cannot be written, the quota of user .* \(1.5 MB are needed\)"),
            (errno.EFBIG, r"x: cannot be written, it is too large \(1.5 MB\)"),
            (errno.EROFS, r"x: cannot be written, its file system is read-only; mount it"),
            (errno.EACCES, r"x: access is denied to user .*; grant it"),
        ],
    )
    def test_each_is_told_with_what_to_do(self, tmp_path, number, words):
        told = disk.refusal(error_of(number), tmp_path / "x", n_bytes=1_500_000, elsewhere="go")
        assert isinstance(told, InputError)
        assert told.args[0].endswith(", or go")
        with pytest.raises(disk.Refused, match=words):
            raise told

    def test_other_errors_say_nothing_of_disks(self, tmp_path):
        behind = ValueError("a bug")
        behind.__context__ = error_of(errno.EACCES)  # which was dealt with before
        for error in (error_of(errno.EIO), error_of(errno.ENOENT), KeyError("x"), behind):
            assert disk.refusal(error, tmp_path) is None

    def test_errors_behind_others(self, tmp_path):
        of_torch = RuntimeError("unexpected pos 576 vs 534")
        of_torch.__context__ = error_of(errno.ENOSPC)
        of_rust = SafetensorError("I/O error: No space left on device (os error 28)")
        for error in (of_torch, of_rust):
            assert "x: cannot be written" in str(disk.refusal(error, tmp_path / "x"))

    def test_files_have_the_names_that_their_users_know(self, tmp_path):
        names = {".part-x.csv": "x.csv", ".part-sounds/a.wav": "sounds/a.wav", ".lock-x-1a": ""}
        for hidden, shown in names.items():
            error = error_of(errno.ENOSPC, str(tmp_path / hidden))
            told = str(disk.refusal(error, tmp_path / "else"))
            assert told.startswith(f"{(tmp_path / shown)}: ")


class TestWriting:
    def test_a_file_that_may_not_be_touched_stays(self, tmp_path):
        path = tmp_path / "x"
        path.write_text("theirs")
        with pytest.raises(disk.Refused), disk.writing(path):
            raise error_of(errno.EACCES, str(path))
        assert path.read_text() == "theirs"

    def test_half_a_file_goes_and_other_errors_pass(self, tmp_path):
        path = tmp_path / "x"
        with pytest.raises(disk.Refused), disk.writing(path):
            path.write_text("ha")
            raise error_of(errno.ENOSPC)
        assert not path.exists()
        for error in (ZeroDivisionError(), InputError("a clip is bad")):
            with pytest.raises(type(error)), disk.writing(path):
                raise error


def test_room_is_there_or_asked_for(tmp_path):
    disk.require_room(tmp_path / "not" / "yet", 1, "the corpus")
    words = r"^the corpus: 1e\+06 TB are needed, and .* are free on the disk of .*; make room"
    with pytest.raises(disk.Refused, match=words):
        disk.require_room(tmp_path, 10**18, "the corpus")


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (999_600, "1 MB"), (35e9, "35 GB")],
)
def test_units(n_bytes, words):
    assert disk.in_units(n_bytes) == words


class TestReplacing:
    def test_a_file_is_whole_or_as_it_was(self, tmp_path, monkeypatch):
        path = tmp_path / "x"
        disk.replace_text(path, "then")

        def full(part, content):
            part.write_bytes(content[:1])
            raise error_of(errno.ENOSPC, str(part))

        monkeypatch.setattr(disk, "write_bytes", full)
        with pytest.raises(OSError):
            disk.replace_text(path, "now")
        assert path.read_text() == "then" and [*tmp_path.iterdir()] == [path]

    def test_what_is_there_is_replaced(self, tmp_path):
        disk.replace_bytes(tmp_path / "x", b"then")
        disk.replace_bytes(tmp_path / "x", b"now")
        assert (tmp_path / "x").read_bytes() == b"now"
