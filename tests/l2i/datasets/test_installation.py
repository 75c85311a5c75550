"""A corpus made of several files, two shards and a table: whole, interrupted, and of wrong parts.

It is fetched by the script, which also looks at what an earlier run has installed.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from helpers.fetching import pinned, visible
from helpers.kills import die, moments
from helpers.project import load_script
from l2i import disk
from l2i.checks import InputError
from l2i.datasets import installation
from l2i.datasets.installation import require_as_installed

NOWHERE = "file:absent/{name}"
CLIPS = ({"a.wav": b"a" * 500, "b.wav": b"b"}, {"c.wav": b"c", "._c.wav": b"shadow"})


@pytest.fixture
def data(tmp_path):
    return tmp_path / "d"


@pytest.fixture
def published(tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    for i, clips in enumerate(CLIPS):
        write_shard(folder, i, clips)
    (folder / "annotations.csv").write_text("a,b\n")
    return folder


def write_shard(folder, i, clips):
    (folder / f"audio-{i}").mkdir(exist_ok=True)
    for name, content in clips.items():
        (folder / f"audio-{i}" / name).write_bytes(content)
    with tarfile.open(folder / f"audio-{i}.tar.gz", "w:gz") as file:
        file.add(folder / f"audio-{i}", f"audio-{i}")


@pytest.fixture
def pins(published):
    kinds = {"audio-0.tar.gz": "sha256", "audio-1.tar.gz": "md5", "annotations.csv": "md5"}
    return {"files": [pinned(published / n, k) for n, k in kinds.items()], "n_clips": 3}


@pytest.fixture
def fetch(tmp_path, published, data):
    fetch_dataset = load_script("fetch_dataset")

    def fetch(pins, url=None):
        url = url or f"{published.as_uri()}/{{name}}"
        out = tmp_path / "fetched.json"
        where = {"dataset": "sonyc", "data": str(data), "urls": {"sonyc_ust": url}}
        facts = fetch_dataset(path_to_fetched=str(out), download="sonyc_ust", pins=pins, **where)
        assert json.loads(out.read_text()) == pins
        return facts

    return fetch


def test_shards_are_flattened_and_other_files_kept(fetch, pins, data):
    assert fetch(pins)["url"] == "file:{name}", "where it lay on this machine is nobody's business"
    assert visible(data) == ["sonyc"]
    assert visible(data / "sonyc") == [".content.json", ".fetched.json", "annotations.csv", "audio"]
    assert visible(data / "sonyc" / "audio") == ["a.wav", "b.wav", "c.wav"]
    assert (data / "sonyc" / "audio" / "a.wav").read_bytes() == b"a" * 500
    fetch(pins, NOWHERE)  # nothing is left to download


def test_no_archive_outlives_its_unpacking(fetch, pins, data, monkeypatch):
    seen = []

    def look(url, path, **options):
        seen.append([p.name for p in (data / ".sonyc.fetching").rglob("*.tar.gz")])
        return download(url, path, **options)

    download = installation.download
    monkeypatch.setattr(installation, "download", look)
    fetch(pins)
    assert seen == [[], [], []]


def test_an_interrupted_run_goes_on_with_the_files_that_are_missing(fetch, pins, published, data):
    away = published / "away"
    (published / "audio-1.tar.gz").rename(away)
    with pytest.raises(InputError, match=r"audio-1\.tar\.gz: no such file"):
        fetch(pins)
    assert visible(data) == [".sonyc.fetching"]
    away.rename(published / "audio-1.tar.gz")
    (published / "audio-0.tar.gz").unlink()
    fetch(pins)
    assert visible(data / "sonyc" / "audio") == ["a.wav", "b.wav", "c.wav"]


def test_the_beginning_of_a_file_is_kept_for_the_next_run(fetch, pins, published, data):
    for file in pins["files"]:
        place = data / ".sonyc.fetching" / (file.get("sha256") or file["md5"])
        place.mkdir(parents=True)
        shutil.copy(published / file["name"], place / f"{file['name']}.part")
    fetch(pins, "http://127.0.0.1:9/{name}")  # parts that are whole need no server
    assert visible(data) == ["sonyc"]


@pytest.mark.parametrize("n_moved", [0, 1, 3])
def test_a_run_killed_while_it_puts_files_together_is_finished(
    fetch, pins, published, data, monkeypatch, n_moved
):
    kill_after_moving(fetch, pins, monkeypatch, n_moved)
    fetch(pins, NOWHERE)
    assert visible(data) == ["sonyc"]
    assert visible(data / "sonyc" / "audio") == ["a.wav", "b.wav", "c.wav"]


def test_a_run_killed_at_any_moment_is_finished(fetch, pins, data, tmp_path):
    """Downloading, unpacking or putting together: half of a file never bears a name."""
    lived = [*moments(lambda: fetch(pins), data)]
    whole = contents(data / "sonyc")
    for moment in lived:
        shutil.rmtree(data)
        die(lambda: fetch(pins), data, moment)
        assert not (data / "sonyc").exists() or contents(data / "sonyc") == whole, moment
        fetch(pins)
        assert contents(data / "sonyc") == whole, moment
        assert visible(data) == ["sonyc"], moment
    assert len(lived) > 50, "else nothing is tried"


def contents(corpus):
    """Bytes of all files, but for the listing, which tells of times."""
    files = [path for path in corpus.rglob("*") if path.is_file() and path.name != ".content.json"]
    return {path.relative_to(corpus): path.read_bytes() for path in files}


def test_what_was_put_together_for_other_files_is_not_taken_over(
    fetch, pins, published, data, monkeypatch
):
    kill_after_moving(fetch, pins, monkeypatch, 2)
    write_shard(published, 0, {"a.wav": b"new"})
    pins["files"][0] = pinned(published / "audio-0.tar.gz")
    fetch(pins)
    assert (data / "sonyc" / "audio" / "a.wav").read_bytes() == b"new"


def kill_after_moving(fetch, pins, monkeypatch, n):
    replace, left = Path.replace, [n]

    def stop(path, target):
        if "unpacked" in path.parts and not left[0]:
            raise KeyboardInterrupt
        left[0] -= "unpacked" in path.parts
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        fetch(pins)
    monkeypatch.setattr(Path, "replace", replace)


def test_files_put_there_by_hand_are_used_and_kept(fetch, pins, published, data):
    names = sorted(file["name"] for file in pins["files"])
    (data / "sonyc.downloads").mkdir(parents=True)
    for name in names:
        shutil.copy(published / name, data / "sonyc.downloads")
    fetch(pins, NOWHERE)
    assert visible(data / "sonyc.downloads") == names
    assert visible(data / "sonyc") == [".content.json", ".fetched.json", "annotations.csv", "audio"]


def test_a_hash_learned_later_needs_no_new_download(fetch, pins, published):
    fetch(pins)
    pins["files"][1] |= pinned(published / "audio-1.tar.gz")
    fetch(pins, NOWHERE)


def test_a_list_with_a_file_less_or_more_is_another_corpus(fetch, pins):
    *fewer, last = pins["files"]
    fetch(pins)
    for files in (fewer, [*pins["files"], {**last, "name": "more.csv"}]):
        with pytest.raises(InputError, match="not come from the files of sonyc_ust, pinned"):
            fetch({**pins, "files": files})


def test_a_path_that_two_files_bring_is_refused_and_named(fetch, pins, published, data):
    write_shard(published, 1, {"b.wav": b"another"})
    pins["files"][1] = pinned(published / "audio-1.tar.gz")
    with pytest.raises(InputError, match=r"1 problem\n.*audio/b\.wav is in more than one"):
        fetch(pins)
    assert visible(data) == [".sonyc.fetching"]


def test_one_address_cannot_stand_for_several_files(fetch, pins, data):
    with pytest.raises(InputError, match=r"one address for 3 files; put {name} into it"):
        fetch(pins, "https://example.org/corpus")
    assert not (data / ".sonyc.fetching").exists()


def test_a_changed_or_missing_file_that_is_no_archive_is_noticed(fetch, pins, data):
    fetch(pins)
    (data / "sonyc" / "annotations.csv").write_text("a,c\n")
    with pytest.raises(InputError, match=r"annotations\.csv: md5 is"):
        fetch(pins)
    (data / "sonyc" / "annotations.csv").unlink()
    with pytest.raises(InputError, match=r"annotations\.csv: is missing"):
        fetch(pins)


def test_room_for_all_files_is_asked_for_before_the_first(fetch, pins, monkeypatch):
    needed = sum(file["size_bytes"] for file in pins["files"])
    monkeypatch.setattr(disk, "free_bytes", lambda _: needed - 1)
    with pytest.raises(InputError, match=r"unpacking 3 files: .* are needed.*machine\.data"):
        fetch(pins)


class TestAsInstalled:
    @pytest.fixture
    def corpus(self, fetch, pins, data):
        fetch(pins)
        require_as_installed(data / "sonyc")
        return data / "sonyc"

    @pytest.mark.parametrize("name", ["audio/a.wav", "annotations.csv"])
    def test_a_file_that_was_changed_or_lost_is_refused(self, corpus, name):
        size = (corpus / name).stat().st_size
        (corpus / name).write_bytes(b"?" * size)
        with pytest.raises(InputError, match=rf"sonyc/{name} is changed") as error:
            require_as_installed(corpus)
        assert "move it away and add --forcerun fetch_dataset" in str(
            error.value
        ) and "source to local" in str(error.value)
        (corpus / name).unlink()
        with pytest.raises(InputError, match=rf"sonyc/{name} is lost"):
            require_as_installed(corpus)

    def test_what_lies_there_too_is_not_its_business(self, corpus):
        (corpus / "notes.txt").touch()
        require_as_installed(corpus)

    def test_what_was_installed_without_a_listing_cannot_be_judged(self, corpus):
        (corpus / ".content.json").unlink()
        (corpus / "audio/a.wav").unlink()
        require_as_installed(corpus)
