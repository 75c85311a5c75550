"""How scripts are run: on frames made by hand, and against a server that is slow."""

from __future__ import annotations

import copy
import threading

import pandas as pd
import pytest

from configuration.job_settings import printed_in
from helpers.drawn import CAPTION
from helpers.fetching import SlowServer
from helpers.project import load_script
from helpers.tables import page_of, pages_in

TABLES = {"classification": 1, "hyperparameters": 2, "fidelity": 4, "faithfulness": 5}


@pytest.fixture
def write(tmp_path):
    """Write frames as the csv files of one input; their paths."""

    def write(name, frames):
        paths = [str(tmp_path / f"{name}-{i}.csv") for i in range(len(frames))]
        for path, frame in zip(paths, frames, strict=True):
            frame.to_csv(path, index=False)
        return paths

    return write


@pytest.fixture
def tabulate(tmp_path, write):
    """Write frames, run a script on them, read its table back; the page stays in the folder."""

    def run(name, frames=(), inputs=None, table=None, **settings):
        inputs = {f"path_to_{key}": write(key, each) for key, each in (inputs or {}).items()}
        inputs |= {"path_to_clips": write("clips", frames)} if frames else {}
        given = {"page": page_of(), **inputs, **settings}
        if name not in ("tabulate_classes", "compare_systems"):
            given["paper"] = printed_in(table or TABLES[name.removeprefix("tabulate_")])
        before = copy.deepcopy(given)
        load_script(name)(
            path_to_table=str(tmp_path / "table.csv"),
            path_to_pages=pages_in(tmp_path),
            **given,
        )
        assert given == before, "the record holds the settings as they were given"
        return pd.read_csv(tmp_path / "table.csv", keep_default_na=True)

    return run


@pytest.fixture
def page(tmp_path):
    """The page beside the table, as text."""
    return lambda: (tmp_path / "table.md").read_text(encoding="utf-8")


@pytest.fixture
def draw(tmp_path, write):
    """Run a drawing script on frames; give its table and the text of its svg."""

    def run(name, frames, **settings):
        inputs = {"path_to_clips": write("clips", frames)} if frames else {}
        outputs = {f"path_to_{s}": str(tmp_path / f"figure.{s}") for s in ("svg", "png")}
        table = str(tmp_path / "table.csv")
        given = {"titles": {}, "caption": CAPTION} | inputs | outputs | settings
        load_script(name)(path_to_table=table, **given)
        assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
        return pd.read_csv(table, dtype={"fold": str}), (tmp_path / "figure.svg").read_text()

    return run


@pytest.fixture
def serve(monkeypatch):
    """Start a slow server of some content."""
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
