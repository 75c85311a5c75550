"""The display on a terminal; what passes through above it is in test_passing.py."""

import io
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from harness.log import prefix_of
from snakemake_logger_plugin_l2i.display import MOST_ROWS, Display, _Shown, _without_graph, rendered
from snakemake_logger_plugin_l2i.run import Job, Run


def run_of(n_jobs, words="Training l2i_att (default) on esc50, fold 1, run 0", n_failed=0, bar=""):
    run = Run(0.0)
    run.plan({"train": 100})
    for number in range(n_jobs):
        run.start(number, Job("train", words, {}, None, 10.0 * number, bar))
    run.failed = [Job("train", words, {}, None, 0.0)] * n_failed
    return run


def shown(run, width, height=24, now=100.0):
    stream = io.StringIO()
    console = Console(file=stream, width=width, height=height, force_terminal=False)
    console.print(rendered(run, now, console.size))
    return stream.getvalue().splitlines()


def test_it_says_how_far_the_run_is_and_what_is_under_way():
    run = run_of(2, bar="Train 7/40", n_failed=1)
    run.done = 50
    assert shown(run, 80) == [
        f"50 of 100 jobs, 1:40, 1 failed {'━' * 40}",
        "    1:40  Training l2i_att (default) on esc50, fold 1, run 0  Train 7/40",
        "    1:30  Training l2i_att (default) on esc50, fold 1, run 0  Train 7/40",
    ]


@given(st.integers(8, 200), st.integers(2, 60), st.integers(0, 40), st.text("aé漢 ", max_size=90))
def test_it_is_never_wider_or_higher_than_the_terminal(width, height, n_jobs, words):
    lines = shown(run_of(n_jobs, words, bar="Compute features 34/80"), width, height)
    assert all(cell_len(line) <= width for line in lines)
    assert len(lines) <= max(height - 1, 3)


def test_jobs_that_find_no_room_are_counted():
    assert shown(run_of(30), 80)[-1] == f"  and {30 - MOST_ROWS} more under way"


@pytest.mark.parametrize(
    ("bar", "told"),
    [
        ("Train:  18%|██▌     | 7/40 [00:01<00:05,  5.6epoch/s]", "Train 7/40"),
        ("Explain by SLIME: 0it [00:00, ?it/s]", "Explain by SLIME 0it"),
        ("odd", "odd"),
    ],
)
def test_a_bar_in_words(bar, told):
    assert _without_graph(bar) == told


def test_a_bar_belongs_to_the_job_whose_prefix_it_has():
    of_run = {"dataset": "esc50", "fold": "1", "system": "l2i", "variant": "default", "run": "0"}
    of_other = of_run | {"variant": "taps-B6"}
    jobs = [Job("train", "", each, None, 0.0) for each in (of_run, of_other)]
    found = _Shown.__new__(_Shown)
    found._run = Run(0.0, under_way=dict(enumerate(jobs)))
    for job in jobs:
        found._note_bar(f"{prefix_of(job.rule, job.wildcards)}Train: 50%|█ | 1/2 [0:1<0:1]")
        assert job.bar == "Train 1/2"
        job.bar = ""
    found._note_bar("wget: 50%")
    assert not any(job.bar for job in jobs)


def test_what_several_jobs_say_is_shown_once_and_all_that_others_say():
    jobs = [Job("train", "", {"fold": fold}, None, 0.0) for fold in "12"]
    stream, found = io.StringIO(), _Shown.__new__(_Shown)
    found._run, found._said = Run(0.0, under_way=dict(enumerate(jobs))), set()
    found._live = SimpleNamespace(console=Console(file=stream, width=80))
    for line in ("train fold 1: no font", "train fold 2: no font", "wget: 404", "wget: 404"):
        found._pass_on(line)
    assert stream.getvalue().splitlines() == ["train fold 1: no font", "wget: 404", "wget: 404"]


def test_there_is_none_on_a_terminal_that_cannot_move_its_cursor(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    for term, possible in (("dumb", False), ("xterm", True)):
        monkeypatch.setenv("TERM", term)
        assert Display.is_possible() is possible
