"""The whole demo, today's and that of an older commit, one after the other on this machine.

Both are computed from nothing, each in a working tree of its own below the scratch folder, by this
environment: what it has installed is not measured. What the working tree holds beyond its last
commit is left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from machine import PROJECT, cpu_seconds
from parts import Given
from rows import Row, at_most_of

from l2i.checks import InputError

BAR = 0.6  # of the older demo's time
MAKE = (
    ("workflow/demo/make_corpus.py", "results/demo/corpora"),
    ("-m", "snakemake", "--cores", "all", "--configfile", "config/demo.yaml", "--quiet", "all"),
)
# Enough of Snakemake to see that both commits plan and start, where sizes are tiny.
TINY = (MAKE[0], (*MAKE[1], "--dry-run"))


class Took(NamedTuple):
    """Seconds of a demo: on the clock, and of all cores together."""

    wall: float
    cpu: float


def measure(given: Given) -> list[Row]:
    """Both demos, the older one first."""
    commands = TINY if given.tiny else MAKE
    theirs, ours = (
        time_of(PROJECT, commit, given.scratch, commands) for commit in (given.commit, "HEAD")
    )
    note = f"against {given.commit}"
    return [
        at_most_of("demo: time", "s", ours.wall, theirs.wall, BAR, note=note),
        at_most_of("demo: CPU seconds", "s", ours.cpu, theirs.cpu, BAR, note=note),
    ]


def time_of(
    project: Path, commit: str, scratch: Path, commands: Sequence[Sequence[str]] = MAKE
) -> Took:
    """Give Python these commands in a fresh working tree of a commit, and take the time.

    Raises
    ------
    InputError
        Git has no such commit, or a command fails; its last words are told.
    """
    with working_tree(project, commit, scratch) as tree:
        began, used = time.perf_counter(), cpu_seconds()
        for command in commands:
            _do([sys.executable, *command], tree, _environment(tree))
        return Took(time.perf_counter() - began, cpu_seconds() - used)


@contextmanager
def working_tree(project: Path, commit: str, scratch: Path) -> Iterator[Path]:
    """A working tree of a commit while the body runs; it is removed with all that was computed."""
    tree = scratch / f"demo-{commit}"
    git = ["git", "-C", str(project), "worktree"]
    _do([*git, "add", "--detach", str(tree), commit], scratch)
    try:
        yield tree
    finally:
        _do([*git, "remove", "--force", str(tree)], scratch)


def _environment(tree: Path) -> dict[str, str]:
    """In which Python finds the library and the plugin of that tree, and not those installed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return os.environ | {"PYTHONPATH": str(tree / "workflow"), "PATH": path}


def _do(command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        last = " / ".join(done.stdout.strip().splitlines()[-3:])
        raise InputError(f"{' '.join(map(str, command))} in {folder} failed: {last}")
