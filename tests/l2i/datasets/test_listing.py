"""A corpus that changes is noticed, and one that does not is not read again."""

from __future__ import annotations

import errno
import os
import shutil
import time

import pytest

from l2i.checks import InputError
from l2i.datasets.listing import changes_since, stats_below, write_listing
from l2i.hashing import file_sha256
from l2i.provenance import hashes
from l2i.provenance.hashes import KnownHashes

NAMES = ["meta/clips.csv", "audio/a.wav", "audio/more/b.wav", "audio/odd \n\udce9 name.wav"]


@pytest.fixture
def corpus(tmp_path):
    """A folder with its listing beside it, as it was indexed."""
    folder = tmp_path / "corpus"
    for i, name in enumerate([*NAMES, ".fetched.json", ".git/config"]):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content %d" % i)
        os.utime(path, (1e9, 1e9))
    known = {NAMES[1]: file_sha256(folder / NAMES[1])}
    write_listing(tmp_path / "files.json", folder, stats_below(folder), known)
    return folder


@pytest.fixture
def changes(corpus, tmp_path):
    known = KnownHashes(tmp_path / ".hashes")
    sha256_of = lambda path: known.get(path).sha256  # noqa: E731
    return lambda: [*map(str, changes_since(tmp_path / "files.json", corpus, sha256_of))]


def test_what_is_as_it_was_is_not_read(corpus, changes, monkeypatch):
    monkeypatch.setattr(hashes, "file_sha256", None)
    assert changes() == []


@pytest.mark.parametrize("name", NAMES)
def test_files_that_are_lost_new_longer_or_other_ones_are_told(corpus, changes, name):
    path = corpus / name
    original = path.read_bytes()
    path.rename(path.with_name("moved"))
    moved = path.with_name("moved").relative_to(corpus).as_posix()
    assert changes() == [f"{moved} is new", f"{name} is lost"]
    path.with_name("moved").rename(path)
    assert changes() == []
    path.write_bytes(original + b"!")
    os.utime(path, (1e9, 1e9))
    assert changes() == [f"{name} is changed"]
    path.write_bytes(original[::-1])
    assert changes() == [f"{name} is changed"]
    path.write_bytes(original)
    assert changes() == []


def test_a_copy_with_other_times_is_read_once(corpus, changes, monkeypatch, tmp_path):
    for name in NAMES:
        os.utime(corpus / name, (2e9, 1e9 + 1))
    read, real = [], hashes.file_sha256
    monkeypatch.setattr(hashes, "file_sha256", lambda path: read.append(path) or real(path))
    assert changes() == changes() == []
    assert len(read) == len(NAMES)


def test_hidden_files_are_no_part_of_it(corpus, changes):
    (corpus / ".DS_Store").touch()
    (corpus / ".git/config").write_text("other")
    assert changes() == []


def test_links_are_followed_and_may_lead_back(corpus, changes, tmp_path):
    (corpus / "audio/round").symlink_to(corpus)
    (corpus / "audio/nowhere").symlink_to(tmp_path / "nothing")
    (corpus / "audio/itself").symlink_to("itself")
    assert changes() == []
    shutil.move(corpus / "audio/more", tmp_path / "elsewhere")
    (corpus / "audio/more").symlink_to(tmp_path / "elsewhere")
    assert changes() == []


def test_a_corpus_that_is_away_has_not_changed(corpus, changes):
    corpus.rename(corpus.with_name("elsewhere"))
    assert changes() == []


@pytest.mark.parametrize("damage", ["", "[]", '{"a": 1}', '{"a": [1]}', '{"a": [1, 2, 3, 4]}'])
def test_a_damaged_listing_means_to_index_anew(corpus, changes, tmp_path, damage):
    (tmp_path / "files.json").write_text(damage)
    assert changes() == [f"{tmp_path / 'files.json'} is damaged"]


@pytest.mark.slow
def test_twenty_thousand_clips_take_less_than_a_second(tmp_path):
    """The best of three, since other work may run beside it."""
    folder = tmp_path / "corpus/audio"
    folder.mkdir(parents=True)
    for i in range(20_000):
        (folder / f"{i}.wav").write_bytes(b"%d" % i)
    write_listing(tmp_path / "files.json", folder.parent, stats_below(folder.parent), {})
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        assert changes_since(tmp_path / "files.json", folder.parent) == []
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1


def test_a_folder_with_two_names_is_listed_under_both_in_any_order(tmp_path):
    (tmp_path / "corpus/b").mkdir(parents=True)
    (tmp_path / "corpus/b/x.wav").touch()
    for link in ("a", "c"):
        (tmp_path / "corpus" / link).symlink_to("b")
    assert [*stats_below(tmp_path / "corpus")] == ["a/x.wav", "b/x.wav", "c/x.wav"]


def test_what_cannot_be_listed_is_refused_in_words(tmp_path, monkeypatch):
    """As root may list any folder, the system is made to say so."""
    (tmp_path / "audio").mkdir()
    real = os.scandir

    def denied(path):
        if os.path.basename(path) == "audio":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(InputError, match=r"audio: cannot be read .*grant access"):
        stats_below(tmp_path)


def test_what_was_never_listed_has_not_changed(corpus, changes, tmp_path):
    (tmp_path / "files.json").unlink()
    assert changes() == []
