"""What others write passes through, on a terminal of our own making."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from contextlib import contextmanager

from helpers.project import PROJECT
from snakemake_logger_plugin_l2i.passing import PassingThrough

SAYS = """
import sys
from l2i.progress import bars_begin_with, progress
with bars_begin_with("train a: "):
    for i in progress(range(3), description="Train", unit="epoch"):
        print(f"train a: epoch {i}", file=sys.stderr, flush=True)
print("to output")
"""
HERE = os.environ | {"PYTHONPATH": str(PROJECT / "workflow")}


@contextmanager
def terminal():
    """Make standard output and error a terminal; yields what it has shown, in pieces."""
    kept, (master, slave) = [os.dup(1), os.dup(2)], pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    shown = []

    def read():
        while True:
            try:
                shown.append(os.read(master, 65536))
            except OSError:
                return

    reader = threading.Thread(target=read)
    reader.start()
    for n in (1, 2):
        os.dup2(slave, n)
    os.close(slave)
    try:
        yield shown
    finally:
        for n, before in zip((1, 2), kept, strict=True):
            os.dup2(before, n)
            os.close(before)
        reader.join(timeout=5)
        os.close(master)


def test_lines_come_whole_bars_apart_and_the_terminal_comes_back():
    lines, bars = [], []
    with terminal() as shown:
        before = os.fstat(2).st_rdev
        passing = PassingThrough(on_line=lines.append, on_bar=bars.append)
        during = os.fstat(2).st_rdev, os.isatty(1), os.isatty(2)
        started = [subprocess.Popen([sys.executable, "-c", SAYS], env=HERE) for _ in range(2)]
        codes = [each.wait(timeout=60) for each in started]
        os.write(2, b"half a line")
        passing.end()
        passing.terminal.write("shown")
        passing.close()
        after = os.fstat(2).st_rdev
    assert during == (during[0], True, True) and after == before != during[0]
    assert codes == [0, 0]
    said = [*(f"train a: epoch {i}" for i in range(3)), "to output"] * 2
    assert sorted(lines[:-1]) == sorted(said) and lines[-1].endswith("half a line")
    assert bars and all(bar.strip().startswith("train a: Train") for bar in bars)
    assert b"".join(shown) == b"shown"


def test_a_process_that_goes_on_is_not_waited_for():
    with terminal():
        passing = PassingThrough(on_line=lambda line: None, on_bar=lambda bar: None)
        late = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
        try:
            passing.end()
            passing.close()
            assert late.poll() is None
        finally:
            late.kill()
            late.wait()
