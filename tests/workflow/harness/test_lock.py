"""harness.lock: one job at a time for one result, whoever dies on the way."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time

import pytest

from harness import lock

DEAD = 2**22 + 1  # more than any pid


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(lock, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.02)


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".lock-table.csv"


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """A squeue that answers as told."""

    def answers(text="", error="", code=0):
        program = tmp_path / "bin/squeue"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho '{text}'\necho '{error}' >&2\nexit {code}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    return answers


def owner(**about):
    """An owner on another machine, as its lock tells."""
    known = {"token": "theirs", "host": "node7", "machine": "node7 x", "pid": 5, "process_start": 9}
    return known | {"slurm_job": None, "slurm_cluster": None, "since": "then"} | about


def me(**about):
    return owner(token="mine", host="node8", machine="node8 y", pid=6, **about)


class TestHolding:
    def test_a_lock_is_there_while_it_is_held_and_nothing_is_left(self, path):
        with lock.held(path, "table") as own:
            assert own.is_held() and json.loads(path.read_text())["pid"] == os.getpid()
            assert [p.name for p in path.parent.iterdir()] == [path.name]
        assert not list(path.parent.iterdir())

    def test_it_goes_with_an_error_too(self, path):
        with pytest.raises(RuntimeError), lock.held(path, "table"):
            raise RuntimeError
        assert not path.exists()

    def test_its_owner_gives_signs_of_life(self, path):
        with lock.held(path, "table"):
            os.utime(path, (0, 0))
            time.sleep(0.5)
            assert time.time() - path.stat().st_mtime < 100

    def test_without_hard_links_it_holds_too(self, path, monkeypatch):
        def refused(source, target):
            raise PermissionError("no links here")

        monkeypatch.setattr(lock.os, "link", refused)
        with lock.held(path, "table") as own:
            assert own.is_held()
            assert lock._made(path, lock._myself()) is not None
        assert not list(path.parent.iterdir())

    def test_one_that_was_taken_over_is_left_alone(self, path):
        with pytest.raises(lock.LostLock, match="taken .* over"), lock.held(path, "table") as own:
            path.write_text(json.dumps(owner()))
            os.utime(path, (0, 0))
            time.sleep(0.1)
            assert path.stat().st_mtime == 0, "no sign of life in another's lock"
            own.require_held()
        assert json.loads(path.read_text()) == owner()


def take_turns(path, tally, n):
    lock.POLL_SECONDS = 0.002
    for _ in range(n):
        with lock.held(path, "tally"):
            value = int(tally.read_text())
            time.sleep(0.001)
            tally.write_text(str(value + 1))


class TestTurns:
    def test_no_two_processes_hold_it_at_once(self, path, tmp_path):
        tally = tmp_path / "tally"
        tally.write_text("0")
        path.write_text(json.dumps(lock._myself() | {"pid": DEAD}))  # all find it stale at once
        fork = multiprocessing.get_context("fork")
        each = [fork.Process(target=take_turns, args=(path, tally, 10)) for _ in range(5)]
        for process in each:
            process.start()
        for process in each:
            process.join(60)
        assert tally.read_text() == "50"

    def test_who_waits_says_for_whom_and_what_to_type(self, path, caplog, monkeypatch, squeue):
        squeue("RUNNING")
        theirs = owner(slurm_job="17", slurm_cluster="lab")
        monkeypatch.setenv("SLURM_CLUSTER_NAME", "lab")
        path.write_text(json.dumps(theirs))
        monkeypatch.setattr(lock.time, "sleep", lambda seconds: path.unlink(missing_ok=True))
        with lock.held(path, "rule, table.csv"):
            pass
        assert "rule, table.csv: waiting for SLURM job 17, process 5 on node7" in caplog.text
        assert "end that one: scancel 17" in caplog.text

    def test_who_waits_asks_ever_less_often_up_to_once_a_minute(self, path, monkeypatch):
        path.write_text(json.dumps(owner()))
        monkeypatch.setattr(lock, "POLL_SECONDS", 10.0)
        monkeypatch.setattr(lock, "is_gone", lambda *_: False)
        pauses = []

        def wait(seconds):
            pauses.append(seconds)
            if len(pauses) == 8:  # another one holds it now
                path.write_text(json.dumps(owner(token="another")))
            if len(pauses) == 9:
                path.unlink()

        monkeypatch.setattr(lock.time, "sleep", wait)
        with lock.held(path, "table"):
            pass
        assert pauses[:3] == [10, 15, 22.5] and pauses[4:8] == [50.625, 60, 60, 60]
        assert pauses[8] == 10


class TestGone:
    def test_on_the_same_machine_its_process_tells(self):
        running = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        theirs = owner(machine="node8 y", pid=running.pid)
        theirs["process_start"] = lock._start_of(running.pid)
        assert not lock.is_gone(theirs, me(), silent=1e9)
        assert lock.is_gone(theirs | {"process_start": 1}, me(), 0.0), "another of the same number"
        running.kill()
        while lock._start_of(running.pid) is not None:
            time.sleep(0.01)  # its entry stays, as that of a zombie
        assert lock.is_gone(theirs, me(), 0.0)
        running.communicate()
        assert lock.is_gone(theirs, me(), 0.0)

    @pytest.mark.parametrize(
        ("state", "gone"),
        [
            *[("RUNNING", False), ("COMPLETING", False), ("SUSPENDED", False)],
            *[("PENDING", True), ("CANCELLED", True), ("NODE_FAIL", True), ("", True)],
        ],
    )
    def test_elsewhere_slurm_tells(self, squeue, state, gone):
        squeue(state)
        theirs = owner(slurm_job="17", slurm_cluster="lab")
        for silent in (0.0, 1e9):
            assert lock.is_gone(theirs, me(slurm_job="18", slurm_cluster="lab"), silent) == gone

    def test_a_job_that_slurm_has_forgotten_is_gone(self, squeue):
        squeue(error="slurm_load_jobs error: Invalid job id specified", code=1)
        theirs = owner(slurm_job="17", slurm_cluster="lab")
        assert lock.is_gone(theirs, me(slurm_job="18", slurm_cluster="lab"), 0.0)

    def test_the_same_job_on_another_node_is_an_earlier_start_of_it(self, squeue):
        squeue("RUNNING")
        theirs = owner(slurm_job="17", slurm_cluster="lab")
        assert lock.is_gone(theirs, me(slurm_job="17", slurm_cluster="lab"), 0.0)

    @pytest.mark.parametrize("how", ["no SLURM", "no answer", "another cluster"])
    def test_else_its_silence_tells(self, squeue, how):
        squeue("RUNNING", error="unable to contact", code=how == "no answer")
        theirs = owner(slurm_job=None if how == "no SLURM" else "17", slurm_cluster="lab")
        ours = me(slurm_cluster="other" if how == "another cluster" else "lab")
        assert not lock.is_gone(theirs, ours, silent=lock.SILENCE_SECONDS - 1)
        assert lock.is_gone(theirs, ours, silent=lock.SILENCE_SECONDS + 1)

    @pytest.mark.parametrize("content", ["", "{", "[]"])
    def test_a_damaged_lock_is_known_by_its_silence(self, path, content):
        path.write_text(content)
        os.utime(path, (0, 0))
        with lock.held(path, "table") as own:
            assert own.is_held()

    def test_a_lock_made_since_is_not_removed_as_that_of_the_dead(self, path):
        path.write_text(json.dumps(owner(token="of somebody alive")))
        lock._remove(path, owner())
        assert json.loads(path.read_text())["token"] == "of somebody alive"
        assert [p.name for p in path.parent.iterdir()] == [path.name]
