from __future__ import annotations

import hashlib
import shutil
import threading
from collections import deque, namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from l2i.checks import InputError
from l2i.datasets import download as module
from l2i.datasets.download import download

CONTENT = bytes(range(256)) * 4000
PINS = {"size_bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}


class Server(ThreadingHTTPServer):
    """Serves CONTENT; each entry of `script` spoils one answer, in order."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.requests = deque(), []
        self.url = f"http://127.0.0.1:{self.server_port}/file.bin"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        server.requests.append(dict(self.headers))
        what = server.script.popleft() if server.script else "whole"
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        if isinstance(what, int):
            return self.answer(what, b"busy", {"Retry-After": "0"})
        if what == "html":
            return self.answer(200, b"<!DOCTYPE html><p>Log in", {"Content-Type": "text/html"})
        if what == "other":
            return self.answer(200, CONTENT[::-1], {})
        if what == "hang up":
            return self.answer(200, CONTENT, {}, cut=True, told=False)
        if start >= len(CONTENT):
            return self.answer(416, b"", {"Content-Range": f"bytes */{len(CONTENT)}"})
        if "Range" in self.headers and "no ranges" not in str(what):
            place = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
            if what == "wrong range":
                place = place.replace(str(start), str(start + 1), 1)
            return self.answer(206, CONTENT[start:], {"Content-Range": place}, what == "cut")
        return self.answer(200, CONTENT, {}, "cut" in str(what))

    def answer(self, status, body, headers, cut=False, told=True):
        self.send_response(status)
        if told:
            headers = {**headers, "Content-Length": len(body)}
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "file.bin"


def fetch(server, path, **changes):
    return download(server.url, path, **{**PINS, "first_wait": 0.001, **changes})


def leftovers(path):
    return sorted(p.name for p in path.parent.iterdir())


class TestDownload:
    def test_the_file_arrives_with_its_facts_and_nothing_beside_it(self, server, path):
        assert fetch(server, path) == {"url": server.url, **PINS}
        assert path.read_bytes() == CONTENT
        assert leftovers(path) == ["file.bin"]

    def test_the_client_introduces_itself(self, server, path):
        fetch(server, path)
        assert server.requests[0]["User-Agent"].startswith("listen-to-interpret")

    def test_a_matching_file_is_not_fetched_again(self, server, path):
        fetch(server, path)
        fetch(server, path)
        assert len(server.requests) == 1

    def test_an_earlier_part_is_resumed_where_it_ends(self, server, path):
        path.parent.mkdir()
        path.with_name("file.bin.part").write_bytes(CONTENT[:1000])
        fetch(server, path)
        assert [r.get("Range") for r in server.requests] == ["bytes=1000-"]
        assert path.read_bytes() == CONTENT

    def test_a_broken_connection_is_resumed_as_often_as_it_brings_something(self, server, path):
        server.script.extend(["cut"] * 3)
        fetch(server, path, n_attempts=2)
        assert len(server.requests) == 4
        assert all("Range" in r for r in server.requests[1:])

    def test_a_server_that_hangs_up_without_having_told_the_length_is_asked_again(
        self, server, path
    ):
        server.script.append("hang up")
        fetch(server, path)
        assert server.requests[1]["Range"] == f"bytes={len(CONTENT) // 2}-"

    @pytest.mark.parametrize("spoiled", ["no ranges", "wrong range", 416])
    def test_a_server_that_cannot_resume_is_asked_for_the_whole_file(self, server, path, spoiled):
        path.parent.mkdir()
        path.with_name("file.bin.part").write_bytes(b"x" * 1000)
        server.script.append(spoiled)
        fetch(server, path)
        assert path.read_bytes() == CONTENT

    def test_a_complete_part_of_unknown_size_is_accepted(self, server, path):
        path.parent.mkdir()
        path.with_name("file.bin.part").write_bytes(CONTENT)
        fetch(server, path, size_bytes=None)
        assert path.read_bytes() == CONTENT

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_busy_servers_are_asked_again(self, server, path, status):
        server.script.extend([status, status])
        fetch(server, path)
        assert len(server.requests) == 3

    def test_retry_after_is_obeyed(self, monkeypatch):
        import requests

        response = requests.Response()
        for text, seconds in {"7": 7, "99999": 600, "soon": 0, "": 0}.items():
            response.headers["Retry-After"] = text
            assert module._retry_after(response) == seconds
        response.headers["Retry-After"] = "Fri, 31 Dec 2199 23:59:59 GMT"
        assert module._retry_after(response) == 600

    def test_a_complete_part_needs_no_server(self, path):
        path.parent.mkdir()
        path.with_name("file.bin.part").write_bytes(CONTENT)
        download("http://127.0.0.1:9/x", path, **PINS, n_attempts=1)
        assert path.read_bytes() == CONTENT

    def test_without_a_hash_an_old_part_is_not_trusted(self, server, path):
        path.parent.mkdir()
        path.with_name("file.bin.part").write_bytes(b"x" * 1000)
        fetch(server, path, sha256=None, size_bytes=None)
        assert path.read_bytes() == CONTENT


class TestFileUrls:
    def test_absolute_and_relative_urls_are_copied(self, tmp_path, monkeypatch):
        (tmp_path / "a b.bin").write_bytes(CONTENT)
        monkeypatch.chdir(tmp_path)
        for i, url in enumerate([(tmp_path / "a b.bin").as_uri(), "file:a%20b.bin"]):
            download(url, tmp_path / f"{i}.bin", **PINS)
            assert (tmp_path / f"{i}.bin").read_bytes() == CONTENT

    def test_a_missing_source_is_named(self, tmp_path):
        with pytest.raises(InputError, match=r"file:absent\.bin: no such file .*make it"):
            download("file:absent.bin", tmp_path / "x", **PINS)


class TestMisuse:
    def test_wrong_content_is_deleted_and_named(self, server, path):
        server.script.append("other")
        with pytest.raises(InputError, match=r"sha256 is .*, pinned is .*deleted"):
            fetch(server, path)
        assert leftovers(path) == []

    def test_a_stale_part_with_a_wrong_hash_is_deleted_and_the_next_run_succeeds(
        self, server, path
    ):
        path.parent.mkdir()
        path.with_name("file.bin.part").write_bytes(b"x" * 1000)
        with pytest.raises(InputError, match="sha256 is .*deleted"):
            fetch(server, path)
        fetch(server, path)
        assert path.read_bytes() == CONTENT

    @pytest.mark.parametrize("size", [None, len(CONTENT)])
    def test_a_web_page_is_named_as_such(self, server, path, size):
        server.script.append("html")
        with pytest.raises(InputError, match="HTML page instead of the file"):
            fetch(server, path, size_bytes=size)
        assert len(server.requests) == 1
        assert leftovers(path) == []

    def test_a_server_that_never_recovers_is_given_up_with_a_remedy(self, server, path):
        server.script.extend([500] * 9)
        with pytest.raises(InputError, match=r"500 .*file\.bin by hand"):
            fetch(server, path, n_attempts=3)
        assert len(server.requests) == 3

    def test_the_remedy_may_name_another_place(self, server, path):
        server.script.append(404)
        with pytest.raises(InputError, match=r"put the file at there\.zip by hand"):
            fetch(server, path, by_hand="there.zip")

    def test_a_disk_without_room_is_noticed_before_the_server_is_asked(
        self, server, path, monkeypatch
    ):
        usage = namedtuple("usage", "total used free")(10, 10, len(CONTENT) - 1000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        match = rf"needs {len(CONTENT)} bytes and .*folder has {usage.free} free.*machine\.data"
        with pytest.raises(InputError, match=match):
            fetch(server, path)
        assert not server.requests
        path.with_name("file.bin.part").write_bytes(CONTENT[:1000])
        fetch(server, path)  # what is there already needs no room

    def test_a_missing_page_is_not_asked_for_twice(self, server, path):
        server.script.append(404)
        with pytest.raises(InputError, match="404"):
            fetch(server, path)
        assert len(server.requests) == 1

    def test_a_download_that_always_breaks_at_one_place_ends(self, server, path):
        server.script.extend(["cut, no ranges"] * 9)
        with pytest.raises(InputError, match="Connection broken"):
            fetch(server, path, n_attempts=3)
        assert len(server.requests) == 3

    def test_an_unreachable_server_is_reported(self, path):
        with pytest.raises(InputError, match="check the url and the connection"):
            download("http://127.0.0.1:9/x", path, n_attempts=2, first_wait=0.001)

    def test_another_file_in_the_place_is_kept_and_named(self, server, path):
        path.parent.mkdir()
        path.write_bytes(b"mine")
        with pytest.raises(InputError, match="exists but is not the pinned file"):
            fetch(server, path)
        assert path.read_bytes() == b"mine"

    def test_other_protocols_are_refused(self, path):
        with pytest.raises(InputError, match="https:, http: or file:"):
            download("ftp://example.org/x", path)


class TestHashes:
    @pytest.mark.parametrize("name", ["git_blob", "md5"])
    def test_a_wrong_hash_of_another_kind_is_refused(self, server, path, name):
        with pytest.raises(InputError, match=f"{name} is .*, pinned is 000"):
            fetch(server, path, sha256=None, **{name: "0" * 40})

    def test_where_two_hashes_are_pinned_both_must_be_right(self, server, path):
        md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
        fetch(server, path, md5=md5)
        path.unlink()
        with pytest.raises(InputError, match="md5 is"):
            fetch(server, path, md5="0" * 32)
        with pytest.raises(InputError, match="sha256 is"):
            fetch(server, path, md5=md5, sha256="0" * 64)

    def test_an_md5_is_enough_to_trust_an_earlier_part(self, server, path):
        path.parent.mkdir()
        path.with_name("file.bin.part").write_bytes(CONTENT[:1000])
        md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
        fetch(server, path, sha256=None, md5=md5)
        assert server.requests[0]["Range"] == "bytes=1000-"
