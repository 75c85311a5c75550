"""What is said once when a run begins."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

import beginning
from beginning import tell_of_no_gpu
from harness.log import NO_GPU, SAID, copied_into


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(beginning, "logger", SimpleNamespace(info=lines.append))
    monkeypatch.setenv(SAID, "of an earlier run")
    return lines


def jobs(**resources):
    return [SimpleNamespace(resources=each) for each in ({"mem_mb": 7}, resources)]


@pytest.mark.parametrize("resources", [{"gpu": 1}, {"gres": "gpu:a100:1"}])
def test_no_gpu_is_said_once_and_jobs_keep_it_for_their_logs(said, tmp_path, capsys, resources):
    tell_of_no_gpu(SimpleNamespace(local_exec=True), jobs(**resources), tmp_path)
    assert said == [NO_GPU] and os.environ[SAID] == NO_GPU
    with copied_into(tmp_path / "job.log", "train: "):
        print(f"{NO_GPU}\nepoch 1")
    assert capsys.readouterr().out == "train: epoch 1\n"
    assert (tmp_path / "job.log").read_text().endswith(f"{NO_GPU}\nepoch 1\n")


def test_where_nothing_was_said_a_job_says_so_itself(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv(SAID, raising=False)
    with copied_into(tmp_path / "job.log", "train: "):
        print(NO_GPU)
    assert capsys.readouterr().out == f"train: {NO_GPU}\n"


@pytest.mark.parametrize(
    ("local", "device", "resources"),
    [
        (False, None, {"gpu": 1}),  # jobs run elsewhere
        (True, "nvidiactl", {"gpu": 1}),  # there may be one
        (True, None, {"gpu": 0}),  # machine.device: cpu
    ],
)
def test_else_nothing_is_said(said, tmp_path, local, device, resources):
    if device:
        (tmp_path / device).touch()
    tell_of_no_gpu(SimpleNamespace(local_exec=local), jobs(**resources), tmp_path)
    assert said == [] and SAID not in os.environ
