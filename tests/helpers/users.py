"""Processes of another user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.project import PROJECT

NOBODY = 65534


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that other users can look into, which pytest's own is not."""
    with tempfile.TemporaryDirectory(prefix="l2i-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def run_python(code: str, *, as_nobody: bool = False) -> str:
    """What a process that runs `code` with the library prints and says."""
    command = [sys.executable, "-c", code]
    if as_nobody:
        if os.getuid() != 0 or not shutil.which("setpriv"):
            pytest.skip("only root, with setpriv, can be another user")
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        if subprocess.run([*user, sys.executable, "-c", "import torch"], cwd="/").returncode:
            pytest.skip("this Python is not there for other users")
        command = [*user, *command]
    environment = os.environ | {
        "PYTHONPATH": str(PROJECT / "workflow"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if as_nobody:
        environment |= {"HOME": "/", "USER": "nobody", "LOGNAME": "nobody"}
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr
