"""Jobs that get too little memory: what they say, and whether a cluster tries them again."""

from __future__ import annotations

import errno
import os
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import cluster
from harness import perform
from helpers.users import run_python
from l2i import limits
from l2i.saved_state import readable

pytestmark = pytest.mark.usefixtures("torch_as_before")
CUDA = (
    "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.10 GiB of "
    "which 1.20 GiB is free. Including non-PyTorch memory, this process has 77.9 GiB in use."
)
TOO_MUCH = 10**15  # bytes
AMOUNT = r"\d[\d.e+]* (bytes|kB|MB|GB|TB)"


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    return SimpleNamespace(
        rule="learn_dictionary",
        input={},
        output={"result": str(tmp_path / "x")},
        params=SimpleNamespace(settings="{}", code="c" * 64, env="{}"),
        wildcards={},
        log=[str(tmp_path / "job.log")],
        threads=1,
        resources={"mem_mb": 4000},
        config={"machine": {"device": "cpu"}},
    )


def said_of(job, action, capsys):
    def work(path_to_result):
        action()

    with pytest.raises(SystemExit) as end:
        perform(job, work)
    assert end.value.code == 1 and not os.path.exists(job.output["result"])
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said.strip().removeprefix("learn_dictionary: ")  # whose lines these are


def raising(error):
    def action():
        raise error

    return action


def read_checkpoint(tmp_path):
    with readable(tmp_path / "x.pt"):
        np.empty(TOO_MUCH, dtype="u1")


ACTIONS = {
    "NumPy": (lambda: np.empty(TOO_MUCH, dtype="u1"), "Unable to allocate 909. TiB"),
    "torch": (lambda: torch.empty(TOO_MUCH, dtype=torch.uint8), "1e+03 TB could not be had"),
    "Python": (lambda: bytearray(TOO_MUCH), "no memory could be had"),
    "the system": (raising(OSError(errno.ENOMEM, "Cannot allocate memory")), "Cannot allocate"),
}


@pytest.mark.parametrize("kind", ACTIONS)
class TestMainMemory:
    def test_it_is_told_in_one_line_with_numbers_and_remedy(self, kind, job, capsys):
        action, needed = ACTIONS[kind]
        said = said_of(job, action, capsys)
        assert said.count("\n") == 0
        assert said.startswith("job ended: out of memory: ") and needed in said
        assert re.search(rf"Of main memory .* {AMOUNT}, {AMOUNT} of it free: .*--cores 1$", said)

    def test_a_cluster_gives_it_more(self, kind, job, capsys, monkeypatch):
        monkeypatch.setenv("SLURM_JOB_ID", "7")
        said = said_of(job, ACTIONS[kind][0], capsys)
        assert "the job was given 4 GB" in said
        assert said.endswith("--set-resources learn_dictionary:mem_mb=8000")
        assert not cluster._tells_of_bad_input(job.log[0])


def test_a_reader_that_gets_none_does_not_blame_its_file(job, tmp_path, capsys):
    said = said_of(job, lambda: read_checkpoint(tmp_path), capsys)
    assert said.startswith("job ended: out of memory") and "delete it" not in said


def test_memory_of_a_gpu(job, capsys, monkeypatch):
    said = said_of(job, raising(torch.OutOfMemoryError(CUDA)), capsys)
    assert "Tried to allocate 20.00 GiB" in said and "1.20 GiB is free" in said
    assert "--resources gpu=1" in said and "Including" not in said and "main memory" not in said
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    said = said_of(job, raising(torch.OutOfMemoryError(CUDA)), capsys)
    assert "L2I_GPU_GRES" in said


def test_other_errors_say_nothing_of_memory():
    for error in (ValueError("x"), OSError(errno.ENOSPC, "full"), RuntimeError("shape"), None):
        assert limits.shortage(error) is None


WORK = """
import resource, sys
from types import SimpleNamespace
import numpy as np
from harness import perform
from l2i import limits

def work(path_to_result):
    blocks = [np.ones(10**8, dtype="u1") for _ in range(100)]

job = SimpleNamespace(
    rule="work", input={}, output={"result": FOLDER + "/x"}, wildcards={}, threads=1,
    params=SimpleNamespace(settings="{}", code="c" * 64, env="{}"),
    log=[FOLDER + "/log"], config={"machine": {}},
)
resource.setrlimit(resource.RLIMIT_AS, (3 * 10**9, 3 * 10**9))
assert limits.free_main_memory() < 3 * 10**9
perform(job, work)
"""


def test_a_worker_under_ulimit(tmp_path):
    said = run_python(WORK.replace("FOLDER", repr(str(tmp_path))))
    assert "job ended: out of memory: Unable to allocate 95.4 MiB" in said
    assert "ulimit -v allows 3 GB" in said and "raise ulimit -v, or " in said
    assert "Traceback" not in said
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".log-")] == ["log"]
