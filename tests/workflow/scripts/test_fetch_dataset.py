"""A corpus in `machine.data`: fetched once, alone, side by side and after a stop.

The server gives half of a file and then waits, so that a second run surely meets the first.
"""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import pytest

from helpers.fetching import pinned, run_two, visible
from helpers.project import load_script
from l2i.checks import InputError
from l2i.datasets import installation
from l2i.datasets.archive import unpack
from l2i.datasets.esc50 import index_corpus as index_esc50
from l2i.synthetic.esc50 import write_esc50_archive

OPTIONS = {"n_folds": 1, "classes": ["knock", "chirp"], "n_clips_per_fold_and_class": 1}
UNREACHABLE = "file:absent.zip"


def hidden(folder):
    return folder / ".esc50.fetching"


@pytest.fixture
def data(tmp_path):
    return tmp_path / "d"


@pytest.fixture
def pins(tmp_path):
    path = tmp_path / "published" / "release.zip"
    facts = write_esc50_archive(path, **OPTIONS, clip_seconds=1, sample_rate=8000, seed=0)
    content = ("csv_sha256", "n_clips", "n_clips_per_fold_and_class", "n_samples")
    return {"files": [pinned(path)], **{key: facts[key] for key in content}}


@pytest.fixture
def published(tmp_path, pins):
    return tmp_path / "published" / "release.zip"


@pytest.fixture
def fetch(tmp_path, published, data):
    fetch_dataset = load_script("fetch_dataset")

    def fetch(pins, url=None, data=data):
        url = url or published.as_uri()
        out = tmp_path / "fetched.json"
        where = {"dataset": "esc50", "data": str(data), "urls": {"release": url}}
        fetch_dataset(path_to_fetched=str(out), download="release", pins=pins, **where)
        return json.loads(out.read_text())

    return fetch


class TestCorpus:
    def test_it_is_installed_once_and_only_its_folder_stays(self, fetch, pins, published, data):
        facts = fetch(pins)
        assert facts == pins
        assert visible(data) == ["esc50"]
        published.unlink()
        assert fetch(pins) == facts  # nothing is left to download
        assert fetch(pins, "https://mirror.example/x.zip") == facts
        index, *_ = index_esc50(data / "esc50", subset="all", expect=facts)
        assert len(index) == pins["n_clips"]

    def test_an_archive_put_there_by_hand_is_used_and_kept(self, fetch, pins, published, data):
        place = hidden(data) / pins["files"][0]["sha256"]
        place.mkdir(parents=True)
        (data / "esc50.downloads").mkdir()
        shutil.copy(published, data / "esc50.downloads")
        (place / "release.zip.part").write_bytes(b"an interrupted download")
        fetch(pins, UNREACHABLE)
        assert visible(data) == ["esc50", "esc50.downloads"]
        assert visible(data / "esc50.downloads") == ["release.zip"]

    def test_the_message_names_the_place_for_an_archive_put_there_by_hand(self, fetch, pins, data):
        place = rf"put the file at {data}/esc50\.downloads/release\.zip by hand"
        with pytest.raises(InputError, match=place):
            fetch(pins, "http://no.such.place:bad/x")

    def test_an_interrupted_installation_is_finished_from_what_was_downloaded(
        self, fetch, pins, data, monkeypatch
    ):
        def stop(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr(installation, "unpack", stop)
        with pytest.raises(KeyboardInterrupt):
            fetch(pins)
        assert visible(data) == [".esc50.fetching"]
        monkeypatch.setattr(installation, "unpack", unpack)
        fetch(pins, UNREACHABLE)
        assert visible(data) == ["esc50"]

    def test_a_download_for_earlier_pins_is_not_in_the_way(self, fetch, pins, data):
        earlier = hidden(data) / ("0" * 64)
        (earlier / "unpacked").mkdir(parents=True)
        (earlier / "unpacked" / "stale").touch()
        (earlier / "release.zip").write_bytes(b"an earlier release")
        fetch(pins)
        assert visible(data) == ["esc50"]
        assert "stale" not in visible(data / "esc50")

    def test_a_home_folder_may_be_meant(self, fetch, pins, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.chdir(tmp_path)
        fetch(pins, data="~/corpora")
        assert visible(tmp_path / "home" / "corpora") == ["esc50"]
        assert not Path("~").exists()

    def test_two_runs_side_by_side_share_one_download(
        self, fetch, pins, published, data, serve, caplog
    ):
        server = serve(published.read_bytes())
        assert run_two(partial(fetch, pins, server.url), server, caplog) == (pins, pins)
        assert server.n_requests == 1
        assert f"waiting for another run that is fetching {data / 'esc50'}" in caplog.text
        assert visible(data) == ["esc50"]

    def test_a_corrected_side_pin_needs_no_new_download(self, fetch, pins):
        fetch({**pins, "n_clips_per_fold_and_class": 2})
        assert fetch(pins, UNREACHABLE) == pins


class TestCorpusMisuse:
    def test_a_folder_of_other_origin_is_refused_and_kept(self, fetch, pins, data):
        (data / "esc50").mkdir(parents=True)
        (data / "esc50" / "mine").touch()
        with pytest.raises(
            InputError, match=r"not come from the files of release, pinned .*to local"
        ):
            fetch(pins)
        assert visible(data / "esc50") == ["mine"]

    def test_a_changed_copy_is_noticed(self, fetch, pins, data):
        fetch(pins)
        other = {**pins, "files": [{**pins["files"][0], "sha256": "0" * 64}]}
        with pytest.raises(InputError, match="not come from the files of release, pinned"):
            fetch(other)
        clip = next((data / "esc50" / "audio").iterdir())
        content = clip.read_bytes()
        clip.unlink()
        with pytest.raises(InputError, match="holds 1 clips, pinned are 2"):
            fetch(pins)
        clip.write_bytes(content)
        assert fetch(pins) == pins  # what else is pinned of the content, the index checks

    def test_a_wrong_pin_of_the_content_is_named_and_its_correction_needs_no_download(
        self, fetch, pins, data
    ):
        with pytest.raises(InputError, match="holds 2 clips, pinned are 3"):
            fetch({**pins, "n_clips": 3})
        assert fetch(pins, UNREACHABLE) == pins
        assert visible(data) == ["esc50"]

    def test_wrong_pins_of_a_file_leave_no_folder(self, fetch, pins, data):
        with pytest.raises(InputError, match="sha256 is .* pinned is 000"):
            fetch({**pins, "files": [{**pins["files"][0], "sha256": "0" * 64}]})
        assert visible(data) == [".esc50.fetching"]
        assert fetch(pins) == pins

    def test_a_place_that_can_be_no_folder_is_named_with_the_remedy(self, fetch, pins, data):
        data.touch()
        with pytest.raises(InputError, match=rf"{data}/esc50: cannot be made .*machine\.data"):
            fetch(pins)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
    @pytest.mark.parametrize("scheme", ["file", "http"])
    def test_a_disk_that_fills_up_is_named_with_the_remedy(
        self, fetch, pins, data, published, serve, scheme
    ):
        place = hidden(data) / pins["files"][0]["sha256"]
        place.mkdir(parents=True)
        (place / "release.zip.part").symlink_to("/dev/full")
        server = serve(published.read_bytes())
        server.go_on.set()
        with pytest.raises(InputError, match=r"written, .* needed, .* free .*machine\.data"):
            fetch(pins, server.url if scheme == "http" else None)
