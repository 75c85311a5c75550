"""Runs of Snakemake that are killed, and go on by what a page tells their user to type."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.pages import section
from helpers.project import PROJECT
from helpers.toy_project import make_toy, run_snakemake

pytestmark = pytest.mark.slow
TARGET = "results/toy/scaled/a/fold1.txt"
# Writes half of its results, says so, and waits to be told to go on.
COUNT = '''
"""Count."""

import os
import time
from pathlib import Path

from harness import perform
from l2i.arithmetic import twice


def count(path_to_number, path_to_parts, *, start):
    Path(path_to_parts).mkdir()
    Path(path_to_number).write_text("half")
    with open("begun", "a") as begun:
        begun.write(f"{os.getpid()}\\n")
    while not Path("go").exists():
        time.sleep(0.02)
    Path(path_to_number).write_text(str(twice(start)))
    Path(path_to_parts, "part").write_text("part")


if __name__ == "__main__":
    perform(snakemake, count)
'''


def printed_commands() -> list[list[str]]:
    """What the page prints for whose run was killed, as arguments of Snakemake."""
    text = section(PROJECT / "docs/run/again.md", "Stop, go on")
    (block,) = re.findall(r"^```\n(.*?)^```$", text.partition("\n### ")[0], re.M | re.S)
    commands = [shlex.split(line) for line in block.splitlines()]
    assert commands and all(command[0] == "snakemake" for command in commands)
    return [command[1:] for command in commands]


class Run:
    """A run of the toy project in which a job has written half of its results."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_toy(folder, count=COUNT)
        self.edit("workflow/harness/lock.py", "POLL_SECONDS = 10.0", "POLL_SECONDS = 0.2")
        self.process = self.started()
        self.wait_for(lambda: self.begun())

    def edit(self, name: str, before: str, after: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after))

    def started(self) -> subprocess.Popen:
        with open(self.folder / "said", "w") as said:
            command = [sys.executable, "-m", "snakemake", "--cores", "1", TARGET]
            return subprocess.Popen(
                command, cwd=self.folder, stdout=said, stderr=said, start_new_session=True
            )

    def begun(self) -> list[int]:
        """The processes of the job that have begun, in their order."""
        path = self.folder / "begun"
        return [*map(int, path.read_text().split())] if path.exists() else []

    def kill(self, which: str) -> None:
        """Kill Snakemake alone, the job alone, or all."""
        if which == "all":
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            os.kill(self.process.pid if which == "Snakemake" else self.begun()[-1], signal.SIGKILL)
        self.process.wait(60)

    def wait_for(self, happens) -> None:
        until = time.monotonic() + 60
        while not happens():
            assert time.monotonic() < until, (self.folder / "said").read_text()
            time.sleep(0.02)

    def go(self) -> None:
        (self.folder / "go").touch()

    def unlock(self) -> None:
        """Type what the page prints."""
        for arguments in printed_commands():
            command = [sys.executable, "-m", "snakemake", *arguments]
            done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr

    def require_right(self, number: int) -> None:
        """All is made, of the settings of today, and there is nothing else."""
        results = self.folder / "results/toy"
        assert (self.folder / TARGET).read_text() == f"{2 * number} in fold 1"
        parts = (".part-", ".lock-", ".log-", ".before-", ".checkpoints-")
        assert not [path for path in results.rglob("*") if path.name.startswith(parts)]


@pytest.fixture
def run(tmp_path):
    """A run in the midst of its first job; what runs on at the end of the test is ended."""
    run = Run(tmp_path / "toy")
    yield run
    run.go()
    for pid in run.begun():
        run.wait_for(lambda pid=pid: not Path(f"/proc/{pid}/cwd").exists())


def test_the_page_of_clusters_prints_the_same():
    text = (PROJECT / "slurm/README.md").read_text(encoding="utf-8")
    printed = re.findall(r"`snakemake (--unlock[^`]*)`", text)
    assert printed and [*map(shlex.split, printed)] == printed_commands() * len(printed)


def test_where_a_job_was_killed_the_same_command_goes_on(run):
    run.kill("job")
    assert not [*run.folder.glob(".snakemake/locks/*")]
    run.go()
    done = run_snakemake(run.folder, TARGET)
    assert done.returncode == 0, done.stderr
    run.require_right(6)


def test_where_all_were_killed_it_does_after_what_the_page_prints(run):
    """By the configuration of today, whatever that of the killed run was."""
    run.kill("all")
    run.edit("config.yaml", "start: 3", "start: 4")
    refused = run_snakemake(run.folder, TARGET)
    assert refused.returncode != 0 and "LockException" in refused.stdout + refused.stderr
    run.unlock()
    run.go()
    done = run_snakemake(run.folder, TARGET)
    assert done.returncode == 0, done.stderr
    run.require_right(8)


@pytest.mark.parametrize("edited", [False, True])
def test_a_job_that_outlives_snakemake_is_waited_for(run, edited):
    """It and the new one never write at the same time, though both make the same files."""
    run.kill("Snakemake")
    if edited:
        run.edit("config.yaml", "start: 3", "start: 4")
    run.unlock()
    again = run.started()
    log = run.folder / "results/toy/logs/counted/a.log"
    run.wait_for(lambda: log.exists() and "waiting for process" in log.read_text())
    assert len(run.begun()) == 1
    assert (run.folder / "results/toy/counted/.part-a.txt").read_text() == "half"
    run.go()
    assert again.wait(60) == 0, (run.folder / "said").read_text()
    assert len(run.begun()) == (2 if edited else 1), "what it made is taken, if it is the same"
    run.require_right(8 if edited else 6)
    assert "Nothing to be done" in run_snakemake(run.folder, TARGET, "--dry-run").stdout


def test_a_job_that_ends_before_the_run_goes_on_is_not_done_again(run):
    run.kill("Snakemake")
    run.go()
    record = run.folder / "results/toy/counted/a.txt.digest"
    run.wait_for(record.exists)
    run.unlock()
    done = run_snakemake(run.folder, TARGET)
    assert done.returncode == 0, done.stderr
    assert len(run.begun()) == 1
    run.require_right(6)
