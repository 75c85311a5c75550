"""Published weights: fetched once, alone and side by side."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import pytest

from helpers.fetching import run_two, visible
from helpers.project import load_module
from l2i.checks import InputError

UNREACHABLE = "file:absent.zip"


@pytest.fixture
def data(tmp_path):
    return tmp_path / "d"


class TestWeights:
    CONTENT = b"a published pickle" * 10_000

    @pytest.fixture
    def fetch(self, data, tmp_path, monkeypatch):
        script = load_module("fetch_weights")
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
