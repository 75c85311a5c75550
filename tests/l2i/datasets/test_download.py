from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import shutil
import signal
import socket
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.kills import die, killed, moments
from l2i import disk
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
        if isinstance(what, tuple):  # code, body, headers
            return self.answer(*what)
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


class TestKilled:
    """A process that downloads, killed: the next one goes on, and has the whole file."""

    @pytest.mark.parametrize("n_blocks", [1, 2, 7, 15])
    def test_while_blocks_arrive_what_has_come_stays(self, server, path, monkeypatch, n_blocks):
        real, arrived = module._blocks, itertools.count()

        def dies(response):
            for block in real(response):
                if next(arrived) == n_blocks:
                    os.kill(os.getpid(), signal.SIGKILL)
                yield block

        with monkeypatch.context() as context:
            context.setattr(module, "_blocks", dies)
            killed(lambda: fetch(server, path))
        assert leftovers(path) == ["file.bin.part"]
        n_bytes = path.with_name("file.bin.part").stat().st_size
        fetch(server, path)
        assert path.read_bytes() == CONTENT and leftovers(path) == ["file.bin"]
        assert server.requests[-1].get("Range") == (f"bytes={n_bytes}-" if n_bytes else None)

    def test_at_any_change_of_the_disk(self, server, path, tmp_path):
        lived = [*moments(lambda: fetch(server, path), tmp_path)]
        for moment in lived:
            shutil.rmtree(path.parent)
            die(lambda: fetch(server, path), tmp_path, moment)
            assert not path.exists(), "it has its name when it is whole and right"
            with contextlib.suppress(InputError):  # what had been damaged is deleted
                fetch(server, path)
            fetch(server, path)
            assert path.read_bytes() == CONTENT and leftovers(path) == ["file.bin"]
        assert len(lived) > 3, "else nothing is tried"


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
        free = len(CONTENT) - 1000
        monkeypatch.setattr(disk, "free_bytes", lambda _: free)
        match = rf"{disk.in_units(len(CONTENT))} are needed, and {disk.in_units(free)} are free"
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


ADDRESS = "http://me:s3cret@127.0.0.1:9/x?token=s3cret"


class TestServersThatLie:
    @pytest.mark.parametrize("code", [201, 202, 203, 226, 299])
    def test_bytes_of_other_codes_never_become_a_part(self, server, path, code):
        server.script.append((code, CONTENT, {}))
        with pytest.raises(InputError, match=rf"answers {code} .*brings no file.*by hand"):
            fetch(server, path)
        assert leftovers(path) == []

    @pytest.mark.parametrize("code", [204, 304, 400, 404, 500])
    def test_nor_does_what_they_say_spoil_a_part_that_is_there(self, server, path, code):
        path.parent.mkdir()
        path.with_name("file.bin.part").write_bytes(CONTENT[:1000])
        server.script.append((code, b"", {}))
        with pytest.raises(InputError, match=str(code)):
            fetch(server, path, n_attempts=1)
        fetch(server, path)
        assert server.requests[-1]["Range"] == "bytes=1000-"

    def test_a_part_of_another_file_is_dropped_at_once(self, server, path):
        path.parent.mkdir()
        path.with_name("file.bin.part").write_bytes(CONTENT[:1000])
        server.script.append((206, b"x" * 500, {"Content-Range": "bytes 1000-1499/1500"}))
        with pytest.raises(InputError, match=rf"holds 1500 bytes, pinned are {len(CONTENT)}; the"):
            fetch(server, path)
        assert leftovers(path) == [] and len(server.requests) == 1

    def test_a_file_that_is_announced_with_another_size_is_not_waited_for(self, server, path):
        server.script.append((200, CONTENT * 20, {}))
        with pytest.raises(InputError, match=rf"holds \d+ bytes, pinned are {len(CONTENT)}; the"):
            fetch(server, path)
        assert leftovers(path) == [] and len(server.requests) == 1

    def test_a_range_that_is_given_in_pieces_is_put_together(self, server, path):
        half, total = len(CONTENT) // 2, len(CONTENT)
        piece = {"Content-Range": f"bytes 0-{half - 1}/{total}"}
        server.script.append((206, CONTENT[:half], piece))
        fetch(server, path)
        assert path.read_bytes() == CONTENT

    @pytest.mark.parametrize(
        "headers",
        [
            {"Content-Range": "bytes 1000-x/1"},
            {"Content-Range": "\xb2"},
            {"Content-Range": f"bytes {'9' * 5000}-1/2"},
            {"Content-Range": f"bytes 1000-{len(CONTENT) - 1}/*", "Content-Encoding": "gzip"},
            {},
        ],
        ids=range(5),
    )
    def test_a_range_that_means_nothing_starts_the_download_again(self, server, path, headers):
        path.parent.mkdir()
        path.with_name("file.bin.part").write_bytes(CONTENT[:1000])
        server.script.append((206, b"y" * 1000, headers))
        fetch(server, path)
        assert path.read_bytes() == CONTENT and "Range" not in server.requests[-1]

    @pytest.mark.parametrize("length", ["abc", "-5", "", "9" * 5000, "1, 2", "\xb2"])
    def test_a_length_that_is_none_is_passed_over(self, server, path, length, monkeypatch):
        def answer(handler, status, body, headers, cut=False, told=True):
            handler.send_response(status)
            handler.send_header("Content-Length", length)
            handler.send_header("Connection", "close")
            handler.end_headers()
            handler.wfile.write(body)
            handler.close_connection = True

        monkeypatch.setattr(Handler, "answer", answer)
        try:
            fetch(server, path, n_attempts=2)
            assert path.read_bytes() == CONTENT
        except InputError as error:
            assert "check the url and the connection" in str(error)

    @pytest.mark.parametrize(
        "target", ["file:///etc/passwd", "ftp://x/y", "http://[::1", "data:,x"]
    )
    def test_a_redirection_leads_to_no_file_of_ours(self, server, path, target):
        server.script.append((302, b"", {"Location": target}))
        with pytest.raises(InputError, match="check the url and the connection"):
            fetch(server, path, n_attempts=1)
        assert not path.exists() and leftovers(path) == []

    def test_a_redirection_in_a_circle_ends(self, server, path):
        server.script.extend([(302, b"", {"Location": server.url})] * 40)
        with pytest.raises(InputError, match="30 redirects"):
            fetch(server, path)

    def test_a_server_that_drips_is_given_up(self, server, path, monkeypatch):
        monkeypatch.setattr(module, "PATIENCE", -1.0)
        monkeypatch.setattr(module, "SLOWEST", 10**9)
        with pytest.raises(InputError, match=r"only \d+ bytes came in 0 s"):
            fetch(server, path, n_attempts=1, size_bytes=None)


@pytest.fixture(scope="module")
def raw_server():
    """A server that answers every connection with the bytes in `answers`, and hangs up."""
    answers = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.recv(1 << 16)
                    connection.sendall(answers[-1])

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/f", answers
        listener.shutdown(socket.SHUT_RDWR)


LINES = st.lists(
    st.sampled_from(
        [
            *(
                "Content-Length: 5",
                "Content-Length: x",
                "Content-Range: bytes 0-4/5",
                "Retry-After: x",
            ),
            *(
                "Content-Range: bytes 2-4/5",
                "Content-Range: bytes */5",
                "Transfer-Encoding: chunked",
            ),
            *(
                "Content-Encoding: gzip",
                "Location: file:///etc/passwd",
                "Location: http://[",
                "X: \xff",
            ),
            *("Retry-After: " + "9" * 400, ": x", "Content-Range: " + "b" * 70_000),
        ]
    ),
    max_size=4,
)


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=60)
    | st.builds(
        lambda code, lines, body: (
            f"HTTP/1.1 {code} x\r\n".encode()
            + "".join(f"{line}\r\n" for line in [*lines, "Connection: close"]).encode("latin-1")
            + b"\r\n"
            + body
        ),
        st.sampled_from([200, 206, 416, 302, 100, 204, 503, 999, "abc"]),
        LINES,
        st.sampled_from([b"", b"right", b"wrong", b"rightandmore", b"5\r\nright\r\n0\r\n\r\n"]),
    ),
    st.sampled_from([b"", b"ri", b"xx"]),
)
def test_whatever_a_server_says_the_file_is_right_or_there_is_a_message(
    raw_server, tmp_path_factory, answer, begun
):
    (url, answers), folder = raw_server, tmp_path_factory.mktemp("raw")
    answers.append(answer)
    (folder / "f.part").write_bytes(begun)
    sha256 = hashlib.sha256(b"right").hexdigest()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module.time, "sleep", lambda _: None)  # some ask for ten minutes
            download(url, folder / "f", size_bytes=5, sha256=sha256, n_attempts=2, first_wait=0.0)
        assert (folder / "f").read_bytes() == b"right"
    except InputError as error:
        assert str(error).startswith(url) and not (folder / "f").exists()


class TestAddresses:
    @settings(max_examples=200, deadline=None)
    @given(
        st.text(max_size=40)
        | st.builds("{}{}".format, st.sampled_from(["file:", "file://", "http://", "https://["]),
                    st.text("abc[]:@/%0?#.~\\\0\n é", max_size=20))
    )  # fmt: skip
    def test_whatever_is_no_address_is_told(self, tmp_path_factory, url):
        with pytest.raises(InputError), pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", offline)
            download(url, tmp_path_factory.getbasetemp() / "f", n_attempts=1, first_wait=0.0)

    def test_a_machine_in_the_address_of_a_file_is_explained(self, path):
        with pytest.raises(InputError, match="names the machine folder; write file:a/b"):
            download("file://folder/x", path)

    def test_a_file_of_another_size_is_not_copied(self, tmp_path):
        (tmp_path / "x").write_bytes(b"12")
        with pytest.raises(InputError, match="size_bytes is 2, pinned is 3"):
            download((tmp_path / "x").as_uri(), tmp_path / "y", size_bytes=3)
        assert leftovers(tmp_path / "y") == ["x"]


def offline(*_, **__):
    raise socket.gaierror("no network in this test")


class TestSecrets:
    @pytest.mark.parametrize(
        "address",
        [
            ADDRESS,
            ADDRESS.replace("http:", "ftp:"),
            ADDRESS.replace(":9", ":port"),
            "https://me:s3cret@[::1",
            "file://me:s3cret@host/x?token=s3cret",
        ],
    )
    def test_messages_and_logs_hold_none(self, path, address, caplog, monkeypatch):
        monkeypatch.setattr(socket, "getaddrinfo", offline)
        with pytest.raises(InputError) as raised:
            download(address, path, n_attempts=2, first_wait=0.0)
        assert "s3cret" not in str(raised.value) + caplog.text
        assert raised.value.__suppress_context__, "a traceback would print what it was raised from"

    def test_nor_do_facts_or_the_message_of_a_server(self, server, path):
        address = f"{server.url}?token=s3cret".replace("//", "//me:s3cret@")
        server.script.append(404)
        with pytest.raises(InputError, match=r"\*\*\*@127.0.0.1.*404") as raised:
            download(address, path, **PINS)
        assert "s3cret" not in str(raised.value)
        facts = download(address, path, **PINS)
        assert facts["url"] == server.url.replace("//", "//***@") + "?***"


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
