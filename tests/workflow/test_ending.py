"""What is said when a run ends."""

import logging
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.logging import logger

from ending import (
    pages_of,
    tell_of_failure,
    tell_of_success,
    tell_when_nothing_is_to_be_done,
)

CONFIG = {"datasets": {"sonyc_ust": {"title": "SONYC-UST"}}}


def job(rule, output=None, *, log=(), message=None, **wildcards):
    return SimpleNamespace(
        rule=SimpleNamespace(name=rule),
        output=[output],
        log=[*log],
        message=message,
        wildcards_dict=wildcards,
        is_group=lambda: False,
    )


MADE = [
    job("compose_listening_test", "a/listening_test/sonyc_ust", dataset="sonyc_ust"),
    job("train_system", "r/systems/model"),
    job("compose_listening", "r/listen"),
    job("compose_index", "r/index.html"),
]


def address(path):
    return Path(path).resolve().as_uri()


PAGES = [
    f"Results: {address('r/index.html')}",
    f"To listen to: {address('r/listen/index.html')}",
    f"Listening test of SONYC-UST: {address('a/listening_test/sonyc_ust/index.html')}",
]


def workflow(jobs, failed=()):
    return SimpleNamespace(
        start_time=datetime.now() - timedelta(seconds=200),
        scheduler=SimpleNamespace(finished_jobs=12, failed=[*failed]),
        dag=SimpleNamespace(jobs=jobs),
    )


@pytest.fixture
def said(caplog, monkeypatch):
    monkeypatch.setattr(logger, "propagate", True)
    monkeypatch.setattr(logger, "handlers", [])
    caplog.set_level(logging.INFO, logger.name)
    return lambda: "\n".join(record.getMessage() for record in caplog.records).splitlines()


def test_the_pages_that_a_run_makes_are_named_the_first_one_first():
    assert pages_of(MADE, CONFIG) == PAGES
    assert pages_of(MADE[1:2], CONFIG) == []


def test_a_run_that_went_well_says_how_long_it_took_and_what_to_open(said):
    tell_of_success(workflow(MADE), CONFIG)
    assert said() == ["Done: 12 jobs in 3:20.", *PAGES]


def test_the_same_pages_are_named_where_nothing_was_to_be_done(said):
    for _ in range(2):  # a second workflow in one process takes the place of the first
        tell_when_nothing_is_to_be_done(workflow(MADE), CONFIG)
    logger.info("Building DAG of jobs...")
    assert len(said()) == 1
    logger.info("Nothing to be done (all requested files are present and up to date).")
    assert [line for line in said() if "file:" in line] == PAGES


def test_each_failure_is_told_with_its_cause_and_logs_and_what_to_type(said, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/x/snakemake", "--cores", "2", "--config", "a={b: 1}"])
    own, other = tmp_path / "a.log", tmp_path / "b.log"
    own.write_text("epoch 1\nerror: the loss is nan\n")
    other.write_text("Traceback (most recent call last):\nKeyError: 'x'\n")
    first = job("train_system", log=[str(own)], message="Training l2i")
    first.told_of_failure = ("SLURM job 7 ended as FAILED.", ["slurm/7.log"])
    tell_of_failure(workflow([], [first, job("draw", log=[str(other)])]))
    assert [line for line in said() if line] == [
        "2 failed, 12 done:",
        "FAILED: Training l2i",
        "    SLURM job 7 ended as FAILED.",
        "    error: the loss is nan",
        f"    log: {own}",
        "    log: slurm/7.log",
        "FAILED: draw",
        "    KeyError: 'x'",
        f"    log: {other}",
        "What is done stays done, and training goes on from where it was. With the cause removed:",
        "    snakemake --cores 2 --config 'a={b: 1}'",
    ]


def test_a_job_that_did_not_live_to_say_why_is_told_so(said, tmp_path):
    own = tmp_path / "a.log"
    own.write_text("epoch 1\n")
    tell_of_failure(workflow([], [job("train_system", log=[str(own)])]))
    at = said().index("FAILED: train_system")
    assert "was it killed, or was memory short?" in said()[at + 1] and "epoch 1" in said()[at + 2]


def test_of_jobs_that_ran_as_one_those_are_told_that_failed(said, tmp_path):
    good, bad = tmp_path / "good.log", tmp_path / "bad.log"
    good.write_text("done\n")
    bad.write_text("error: bad\n")
    members = [job("a", log=[str(good)]), job("b", log=[str(bad)]), job("c", log=["none.log"])]
    group = SimpleNamespace(jobs=members, is_group=lambda: True)
    tell_of_failure(workflow([], [group]))
    assert [line for line in said() if line.startswith("FAILED")] == ["FAILED: b"]


def test_of_jobs_that_ran_as_one_and_say_nothing_the_first_stands_for_all(said):
    members = [job(name, log=["none.log"]) for name in "abc"]
    tell_of_failure(workflow([], [SimpleNamespace(jobs=members, is_group=lambda: True)]))
    assert [line for line in said() if line.startswith("FAILED")] == ["FAILED: a"]


def test_a_run_that_was_stopped_says_how_to_go_on(said, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/x/snakemake", "--cores", "2"])
    tell_of_failure(workflow([]))
    assert said() == [
        "Stopped, 12 jobs done. To go on from there:",
        "    snakemake --cores 2",
    ]
