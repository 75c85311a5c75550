"""What starts with a job: no package that takes long to load and is not computed with."""

from __future__ import annotations

import ast
import functools
import inspect
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler

import scheduling
from helpers.project import PROJECT
from scheduling import _look_again, look_no_oftener_than_needed

WORKFLOW = PROJECT / "workflow"
SCRIPTS = sorted(path.stem for path in (WORKFLOW / "scripts").glob("*.py"))

HEAVY = ("pandas", "torch", "scipy.stats", "scipy.signal", "sklearn", "matplotlib", "seaborn")
HEAVY += ("statsmodels", "librosa", "numba", "captum")

NETWORKS = {"torch", "pandas"}
# What starts with the scripts, by their verbs; those below differ, and say why.
OF_VERB = {
    **dict.fromkeys(("check", "import", "index", "tabulate", "compare"), {"pandas"}),
    **dict.fromkeys(("cache", "measure", "train", "interpret", "sound", "explain"), NETWORKS),
    "choose": NETWORKS,  # a fold hands out tensors
    "draw": {"pandas", "matplotlib"},
    **dict.fromkeys(("list", "trace", "fetch"), set()),
}
OF_SCRIPT = {
    "compose_index": {"pandas"},
    "compose_listening": {"torch"},  # loudness, by torchaudio
    "compose_listening_test": NETWORKS,
    # Peaks of columns are found by scipy.signal, which loads scipy.stats by itself.
    "compose_atlas": {*NETWORKS, "scipy.signal"},
    "sample_pictures": {*NETWORKS, "scipy.signal"},
    "draw_relevance_map": {"pandas", "matplotlib", "seaborn"},
    "fetch_weights": {"torch"},  # reads published weights
    "learn_dictionary": {*NETWORKS, "numba"},
    "measure_corruption_references": {*NETWORKS, "numba"},  # learns dictionaries
    "project_relevances": {"pandas", "sklearn"},  # t-SNE
}


def run_at_import(node):
    """Import statements below a node that run when it is imported: not those inside functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from (each for other in child.orelse for each in run_at_import(other))
        elif not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from run_at_import(child)


@functools.cache
def imported(path):
    """Names of modules that a file imports at its head."""
    found = set()
    for node in run_at_import(ast.parse(path.read_text(encoding="utf-8"))):
        found |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        if isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def heavy_of(script):
    """Heavy packages that a script and what it imports of ours load before it computes."""
    pending, seen, heavy = {WORKFLOW / f"scripts/{script}.py"}, set(), set()
    while pending:
        path = pending.pop()
        seen.add(path)
        names = imported(path)
        heavy |= {name for name in HEAVY for each in names if f"{each}.".startswith(f"{name}.")}
        bases = {WORKFLOW.joinpath(*each.split(".")) for each in names}
        files = {file for base in bases for file in (base.with_suffix(".py"), base / "__init__.py")}
        pending |= {file for file in files if file.is_file()} - seen
    return heavy


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_loads_what_it_computes_with(script):
    assert heavy_of(script) == OF_SCRIPT.get(script, OF_VERB.get(script.split("_")[0]))


def test_what_a_light_script_has_loaded_is_what_its_sources_say():
    probe = "import sys; sys.path[:0] = sys.argv[1:3]; import tabulate_cost; print(*sys.modules)"
    command = [sys.executable, "-c", probe, WORKFLOW, WORKFLOW / "scripts"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {*HEAVY} & {*done.stdout.split()} == heavy_of("tabulate_cost") == {"pandas"}


class Clock:
    """Stands for the clock and the timers that scheduling.py sets by it."""

    def __init__(self):
        self.now, self.timers = 0.25, []

    def monotonic(self):
        return self.now

    def timer(self, delay, function):
        self.timers.append((self.now + delay, function))
        return SimpleNamespace(start=lambda: None)

    def go_on_to(self, now):
        """Let timers up to a time go off, and tell when they did."""
        went_off = []
        while due := sorted((each for each in self.timers if each[0] <= now), key=lambda e: e[0]):
            self.timers.remove(due[0])
            self.now = due[0][0]
            due[0][1]()
            went_off.append(self.now)
        self.now = now
        return went_off


class TestScheduler:
    @pytest.fixture
    def clock(self, monkeypatch):
        clock = Clock()
        monkeypatch.setattr(scheduling.time, "monotonic", clock.monotonic)
        monkeypatch.setattr(scheduling.threading, "Timer", clock.timer)
        return clock

    @pytest.fixture
    def scheduler(self):
        return SimpleNamespace(_open_jobs=threading.Semaphore(0))

    def test_it_is_the_one_that_snakemake_uses(self, monkeypatch):
        # These fail where a newer Snakemake has it no more, or calls it otherwise: see then whether
        # it still looks a hundred times a second.
        published = JobScheduler._schedule_reevalutation
        assert "self._schedule_reevalutation(" in inspect.getsource(JobScheduler.schedule)
        assert "_open_jobs.acquire()" in inspect.getsource(JobScheduler.schedule)
        monkeypatch.setattr(JobScheduler, "_schedule_reevalutation", published)
        look_no_oftener_than_needed()
        assert JobScheduler._schedule_reevalutation is _look_again

    def test_a_snakemake_without_it_is_left_as_it_is(self, monkeypatch):
        monkeypatch.delattr(JobScheduler, "_schedule_reevalutation")
        look_no_oftener_than_needed()
        assert not hasattr(JobScheduler, "_schedule_reevalutation")

    def test_many_who_ask_for_another_look_get_one_a_second(self, clock, scheduler):
        for i in range(100):
            clock.now = 0.25 + i / 200
            _look_again(scheduler, 1)
        assert clock.go_on_to(60) == [2]
        assert scheduler._open_jobs._value == 1
        _look_again(scheduler, 1)
        assert clock.go_on_to(100) == [61]

    def test_nobody_is_answered_too_soon_or_more_than_a_second_late(self, clock, scheduler):
        """Else what `--max-jobs-per-timespan 10/1m` lets begin would wait a minute longer."""
        asked = {(0.25, 60), (0.75, 1), (30.5, 60), (31.25, 10), (31.5, 60)}
        for now, delay in sorted(asked):
            clock.now = now
            _look_again(scheduler, delay)
        looks = clock.go_on_to(200)
        for now, delay in asked:
            assert any(0 <= look - now - delay < 1 for look in looks)
        assert scheduler._open_jobs._value == len(looks) == 5
        assert not scheduler.looks_again_at  # none is remembered that has been

    def test_the_timer_is_a_real_one_that_a_run_does_not_wait_for(self, scheduler):
        _look_again(scheduler, 0)
        (timer,) = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
        assert timer.daemon
        assert scheduler._open_jobs.acquire(timeout=60)
