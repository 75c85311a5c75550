"""A server that is slow, two jobs that meet at it, and what they leave in a folder."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class SlowServer(ThreadingHTTPServer):
    """Gives half of a file, waits to be told to `go_on`, and gives the rest."""

    daemon_threads = True

    def __init__(self, content):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.n_requests = content, 0
        self.asked, self.go_on = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/release"


class Handler(BaseHTTPRequestHandler):
    """What the slow server answers."""

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
    """Names in a folder, locks aside."""
    return sorted(p.name for p in folder.iterdir() if not p.name.endswith(".lock"))


def pinned(path, kind="sha256"):
    """The pins of a file."""
    digest = hashlib.new(kind, path.read_bytes(), usedforsecurity=False).hexdigest()
    return {"name": path.name, "size_bytes": path.stat().st_size, kind: digest}
