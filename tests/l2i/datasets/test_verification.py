"""l2i.datasets.verification: a corpus against its listing."""

from __future__ import annotations

import os

import pytest

from l2i.datasets.listing import stats_below, write_listing
from l2i.datasets.verification import open_corpus
from l2i.provenance.findings import Kind


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "esc50"
    (folder / "audio").mkdir(parents=True)
    for name in ("a.wav", "b.wav"):
        (folder / "audio" / name).write_bytes(name.encode() * 100)
    write_listing(tmp_path / "files.json", folder, stats_below(folder), {})
    return folder


def found(corpus, **how):
    verification = open_corpus(corpus.parent / "files.json", corpus, **how)
    findings = [*verification.findings(lambda n: None)]
    return {(each.kind, os.path.relpath(each.path, corpus)) for each in findings}


@pytest.mark.parametrize("is_quick", [False, True])
def test_as_it_was_listed_nothing_is_found(corpus, is_quick):
    assert found(corpus, is_quick=is_quick) == set()
    verification = open_corpus(corpus.parent / "files.json", corpus, is_quick=is_quick)
    assert verification.n_files == 2
    assert (verification.n_bytes, verification.n_known) == ((0, 2) if is_quick else (1000, 0))


def test_other_bytes_under_the_old_size_and_time_are_no_change_that_a_run_notices(corpus):
    path = corpus / "audio/a.wav"
    before = path.stat()
    path.write_bytes(b"x" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert found(corpus) == {(Kind.CLIP, "audio/a.wav")}
    assert found(corpus, is_quick=True) == set()


@pytest.mark.parametrize("is_quick", [False, True])
def test_what_a_run_notices_is_stale(corpus, is_quick):
    path = corpus / "audio/a.wav"
    path.write_bytes(b"x" * path.stat().st_size)
    os.utime(path, (1, 1))
    (corpus / "audio/b.wav").unlink()
    (corpus / "audio/c.wav").write_text("new")
    of_all = {(Kind.CORPUS, f"audio/{name}.wav") for name in "abc"}
    assert found(corpus, is_quick=is_quick) == of_all


def test_a_touched_file_is_read_and_found_the_same(corpus):
    os.utime(corpus / "audio/a.wav", (1, 1))
    assert found(corpus, is_quick=True) == set()


@pytest.mark.parametrize("text", ["{", "[]", '{"audio/a.wav": [1]}'])
def test_by_a_damaged_listing_nothing_can_be_verified(corpus, text):
    listing = corpus.parent / "files.json"
    listing.write_text(text)
    told = open_corpus(listing, corpus)
    assert told.kind is Kind.AWAY and str(listing) in told.what


def test_a_corpus_that_is_away_is_told(corpus):
    told = open_corpus(corpus.parent / "files.json", corpus / "no")
    assert told == (Kind.AWAY, str(corpus / "no"), "is not there")


def test_a_corpus_that_cannot_be_looked_at_is_told(corpus, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", os.fspath(folder))

    monkeypatch.setattr(os, "scandir", refuse)
    told = open_corpus(corpus.parent / "files.json", corpus)
    assert told.kind is Kind.UNREADABLE and "Permission denied" in told.what
