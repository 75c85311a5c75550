"""l2i.datasets.storage: one run at a time, and what a disk refuses."""

import errno
import fcntl
import logging
import subprocess
import sys
import threading

import pytest

from helpers.project import PROJECT
from l2i.checks import InputError
from l2i.datasets.storage import one_at_a_time

HOLD = """
import sys
from l2i.datasets.storage import one_at_a_time
with one_at_a_time(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "corpus"


@pytest.fixture
def other_run(path):
    """A process that holds the lock until it ends."""
    command = [sys.executable, "-c", HOLD, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=PROJECT / "workflow", **pipes) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


class TestOneAtATime:
    def test_what_exists_needs_no_lock(self, path):
        path.mkdir(parents=True)
        with one_at_a_time(path):
            assert [p.name for p in path.parent.iterdir()] == ["corpus"]

    def test_one_run_waits_for_the_other_and_says_so_once(self, path, caplog):
        caplog.set_level(logging.INFO)
        entered, leave, order = threading.Event(), threading.Event(), []

        def first():
            with one_at_a_time(path):
                entered.set()
                leave.wait(20)
                order.append("first")

        def second():
            with one_at_a_time(path):
                order.append("second")

        threads = [threading.Thread(target=target) for target in (first, second)]
        threads[0].start()
        assert entered.wait(20)
        threads[1].start()
        threads[1].join(0.3)
        assert order == []
        leave.set()
        for thread in threads:
            thread.join(20)
        assert order == ["first", "second"]
        assert caplog.messages == [f"waiting for another run that is fetching {path}"]

    def test_a_lock_ends_with_its_process_however_that_ends(self, path, other_run, caplog):
        caplog.set_level(logging.INFO)
        threading.Timer(0.3, other_run.kill).start()
        with one_at_a_time(path):
            assert other_run.wait(20) == -9
        assert "waiting for another run" in caplog.text
        assert [p.name for p in path.parent.iterdir()] == [".corpus.lock"]

    def test_it_is_free_again_after_an_error(self, path, caplog):
        caplog.set_level(logging.INFO)
        with pytest.raises(ZeroDivisionError), one_at_a_time(path):
            raise ZeroDivisionError
        with one_at_a_time(path):
            assert not caplog.messages

    def test_what_the_disk_refuses_is_named_with_the_remedy(self, path):
        with (
            pytest.raises(InputError, match=r"corpus: cannot be written, more is.*machine\.data"),
            one_at_a_time(path),
        ):
            raise OSError(errno.ENOSPC, "No space left on device")

    def test_a_disk_without_locks_is_refused(self, path, monkeypatch):
        def refuse(*_):
            raise OSError(errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr(fcntl, "flock", refuse)
        with (
            pytest.raises(InputError, match=r"corpus: cannot be made .*not implemented"),
            one_at_a_time(path),
        ):
            pass
