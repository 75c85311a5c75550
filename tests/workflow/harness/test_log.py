"""harness.log: logs of jobs that are started again, and of jobs that wait for each other."""

from __future__ import annotations

import re
import sys

import pytest

from harness import log as module
from harness.log import JobLog


@pytest.fixture
def path(tmp_path):
    return tmp_path / "train.log"


def started(path, identity="abc"):
    """A job that starts, after Snakemake has deleted the log."""
    path.unlink(missing_ok=True)
    log = JobLog(path)
    log.go_on(identity)
    return log


def names(path):
    return sorted(p.name for p in path.parent.iterdir())


def test_a_log_of_one_start_holds_what_was_said_and_has_one_name(path):
    log = started(path)
    log.file.write("epoch 1\n")
    log.close(succeeded=True)
    assert path.read_text() == "epoch 1\n" and names(path) == ["train.log"]


@pytest.mark.parametrize("killed", [False, True])
def test_a_job_that_is_started_again_goes_on_in_its_log(path, killed):
    for number in (1, 2):
        log = started(path)
        log.file.write(f"epoch {number}\n")
        if not killed:
            log.close(succeeded=False)
    last = started(path)
    last.file.write("epoch 3\n")
    last.close(succeeded=True)
    lines = path.read_text().splitlines()
    assert [line for line in lines if line.startswith("epoch")] == ["epoch 1", "epoch 2", "epoch 3"]
    assert len([line for line in lines if line.startswith("--- started again 20")]) == 2
    assert names(path) == ["train.log"]


def test_a_job_that_computes_something_else_begins_anew(path):
    log = started(path, "abc")
    log.file.write("before\n")
    log.close(succeeded=False)
    other = started(path, "def")
    other.close(succeeded=False)
    assert path.read_text() == "" and len(names(path)) == 2


def test_who_waited_for_a_job_goes_on_in_its_log(path):
    first = started(path)
    first.file.write("epoch 1\n")
    path.unlink()  # by Snakemake, for the second
    second = JobLog(path)
    second.file.write("waiting for the first\n")
    first.file.write("epoch 2\n")
    first.close(succeeded=True)
    second.go_on("abc")
    second.file.write("nothing is left to do\n")
    second.close(succeeded=True)
    said = re.sub("--- started again.*", "---", path.read_text()).split("\n")
    assert said == [
        *("epoch 1", "epoch 2", "", "---", "waiting for the first", "nothing is left to do", "")
    ]
    assert names(path) == ["train.log"]


def test_without_links_logs_begin_anew(path, monkeypatch):
    def refused(*paths):
        raise OSError("no links here")

    monkeypatch.setattr(module.os, "link", refused)
    for succeeded in (False, True):
        log = started(path)
        log.file.write("epoch 1\n")
        log.close(succeeded=succeeded)
        assert path.read_text() == "epoch 1\n" and names(path) == ["train.log"]


def test_under_slurm_the_first_line_names_the_job(path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    with module.copied_into(str(path)):
        print("epoch 1")
    first, second = path.read_text().splitlines()
    assert first.startswith("--- started 20") and first.endswith(", SLURM job 17")
    assert second == "epoch 1"


class Terminal:
    """What a terminal was given, each time."""

    def __init__(self):
        self.given = []

    def write(self, text):
        self.given.append(text)

    def flush(self):
        pass


def test_lines_on_the_terminal_say_whose_they_are_and_come_whole(path, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with module.copied_into(str(path), "train a: "):
        print("epoch", 1, file=sys.stderr)
        print("two\nlines\nand a beg", end="", file=sys.stderr)
        print("inning", end="", file=sys.stderr)
    shown = [text for text in terminal.given if text]
    assert all(text.endswith("\n") for text in shown)
    assert "".join(shown).splitlines() == [
        f"train a: {line}" for line in ("epoch 1", "two", "lines", "and a beginning")
    ]
    assert path.read_text() == "epoch 1\ntwo\nlines\nand a beginning\n"


def test_a_terminal_that_is_gone_ends_no_job(path, monkeypatch):
    class Gone(Terminal):
        def write(self, text):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("sys.stderr", Gone())
    with module.copied_into(str(path)):
        print("epoch 1", file=sys.stderr)
    assert path.read_text() == "epoch 1\n"


@pytest.mark.parametrize(
    ("wildcards", "prefix"),
    [
        ({}, "train: "),
        ({"dataset": "esc50", "fold": "1"}, "train esc50 fold 1: "),
        (
            {"fold": "1", "system": "l2i", "variant": "default", "run": "0"},
            "train fold 1 l2i run 0: ",
        ),
        ({"system": "l2i", "variant": "taps-B6", "number": "4"}, "train l2i taps-B6 number 4: "),
    ],
)
def test_a_prefix_names_rule_and_wildcards_but_what_is_default(wildcards, prefix):
    assert module.prefix_of("train", wildcards) == prefix


def test_a_history_lies_beside_its_log():
    assert str(module.history_path("r/logs/a/train.log")) == "r/logs/a/train.history.csv"
