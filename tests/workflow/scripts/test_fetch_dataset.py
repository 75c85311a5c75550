"""The scripts that fetch: what they leave in `machine.data`, alone, side by side and when stopped.

The server gives half of a file and then waits, so that a second run surely meets the first.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from l2i.checks import InputError
from l2i.datasets import installation
from l2i.datasets.archive import unpack
from l2i.datasets.esc50 import index_esc50
from l2i.synthetic.esc50 import write_esc50_archive

OPTIONS = {"n_folds": 1, "classes": ["knock", "chirp"], "n_clips_per_fold_and_class": 1}
UNREACHABLE = "file:absent.zip"


class SlowServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, content):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.n_requests = content, 0
        self.asked, self.go_on = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/release"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        content, half = self.server.content, len(self.server.content) // 2
        self.server.n_requests += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:half])
        self.server.asked.set()
        self.server.go_on.wait(20)
        self.wfile.write(content[half:])

    def log_message(self, *_):
        pass


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    started = []

    def serve(content):
        started.append(SlowServer(content))
        threading.Thread(target=started[-1].serve_forever, args=(0.01,), daemon=True).start()
        return started[-1]

    yield serve
    for server in started:
        server.shutdown()
        server.server_close()


@pytest.fixture
def load(project):
    def load(name):
        path = project / "workflow" / "scripts" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        return script

    return load


def run_two(job, server, caplog):
    """Start a second job while the first is downloading; both results."""
    caplog.set_level(logging.INFO)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(job)
        assert server.asked.wait(20)
        second = pool.submit(job)
        until = time.monotonic() + 20
        while time.monotonic() < until and not second.done() and server.n_requests == 1:
            if "waiting for another run" in caplog.text:
                break
            time.sleep(0.005)
        server.go_on.set()
        return first.result(20), second.result(20)


def visible(folder):
    return sorted(p.name for p in folder.iterdir() if not p.name.endswith(".lock"))


def hidden(folder):
    return folder / ".esc50.fetching"


def pinned(path):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"name": path.name, "size_bytes": path.stat().st_size, "sha256": digest}


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
def script(load):
    return load("fetch_dataset")


@pytest.fixture
def fetch(script, tmp_path, published, data):
    def fetch(pins, url=None, data=data):
        url = url or published.as_uri()
        out = tmp_path / "fetched.json"
        where = {"dataset": "esc50", "data": str(data), "urls": {"esc50": url}}
        script.fetch_dataset(str(out), download=pins, **where)
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
        with pytest.raises(InputError, match=r"not come from the files pinned .*to local"):
            fetch(pins)
        assert visible(data / "esc50") == ["mine"]

    def test_a_changed_copy_is_noticed(self, fetch, pins, data):
        fetch(pins)
        other = {**pins, "files": [{**pins["files"][0], "sha256": "0" * 64}]}
        with pytest.raises(InputError, match="not come from the files pinned"):
            fetch(other)
        clip = next((data / "esc50" / "audio").iterdir())
        content = clip.read_bytes()
        clip.unlink()
        with pytest.raises(InputError, match="holds 1 clips, pinned are 2"):
            fetch(pins)
        clip.write_bytes(content)
        (data / "esc50" / "meta" / "esc50.csv").write_text("changed")
        with pytest.raises(InputError, match=r"1 problem\n.*esc50\.csv: sha256 is"):
            fetch(pins)
        (data / "esc50" / "meta" / "esc50.csv").unlink()
        with pytest.raises(InputError, match=r"esc50\.csv: is missing"):
            fetch(pins)

    def test_a_wrong_pin_of_the_content_is_named_and_its_correction_needs_no_download(
        self, fetch, pins, data
    ):
        with pytest.raises(InputError, match="pinned is 000.*"):
            fetch({**pins, "csv_sha256": "0" * 64})
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
        with pytest.raises(InputError, match=r"d/esc50: cannot be made .*No space.*machine\.data"):
            fetch(pins, server.url if scheme == "http" else None)


class TestWeights:
    CONTENT = b"a published pickle" * 10_000

    @pytest.fixture
    def fetch(self, load, data, tmp_path, monkeypatch):
        script = load("fetch_weights")
        monkeypatch.setattr(script, "load_published", Path.read_bytes)
        monkeypatch.setattr(script, "from_audioset", bytes)
        monkeypatch.setattr(script, "save_weights", lambda path, x, **_: path.write_bytes(x))
        blob = b"blob %d\0" % len(self.CONTENT) + self.CONTENT
        git_blob = hashlib.sha1(blob, usedforsecurity=False).hexdigest()

        def fetch(url, data=data):
            out = tmp_path / "converted"
            where = {"weights": "audioset", "data": str(data), "urls": {"audioset": url}}
            script.fetch_weights(out, git_blob=git_blob, **where)
            return out.read_bytes()

        return fetch

    def test_two_runs_side_by_side_share_one_download(self, fetch, data, serve, caplog):
        server = serve(self.CONTENT)
        results = run_two(partial(fetch, server.url), server, caplog)
        assert results == (self.CONTENT, self.CONTENT)
        assert server.n_requests == 1
        assert "waiting for another run that is fetching" in caplog.text
        assert visible(data / "weights") == ["audioset.pkl"]

    def test_weights_that_are_there_need_no_lock(self, fetch, data):
        (data / "weights").mkdir(parents=True)
        (data / "weights" / "audioset.pkl").write_bytes(self.CONTENT)
        fetch(UNREACHABLE)
        assert [p.name for p in (data / "weights").iterdir()] == ["audioset.pkl"]

    def test_a_home_folder_may_be_meant(self, fetch, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.chdir(tmp_path)
        (tmp_path / "published.pkl").write_bytes(self.CONTENT)
        fetch("file:published.pkl", data="~/corpora")
        assert (tmp_path / "home" / "corpora" / "weights" / "audioset.pkl").exists()

    def test_a_place_that_can_be_no_folder_is_named_with_the_remedy(self, fetch, data):
        data.touch()
        with pytest.raises(InputError, match=r"audioset\.pkl: cannot be made .*machine\.data"):
            fetch(UNREACHABLE)
