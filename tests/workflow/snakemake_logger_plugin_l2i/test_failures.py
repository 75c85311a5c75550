"""Which lines of a log tell why its job failed."""

import pytest

from helpers.snakemake_records import failed, group_failed
from snakemake_logger_plugin_l2i.failures import (
    N_BYTES,
    N_LINES,
    failure_of,
    failures_of_group,
    has_failed,
    telling_lines,
)

BEFORE = "epoch 1 of 3: total 1.0\nwarning: something\n"
TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 3\nl2i.x.OddError: no\n'


@pytest.fixture
def log(tmp_path):
    def write(text, name="train.log"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("error: the loss is nan\n  - lower it\n", ["error: the loss is nan", "  - lower it"]),
        (TRACEBACK, ["l2i.x.OddError: no"]),
        ("job ended: out of memory\n", ["job ended: out of memory"]),
        ("error: stopped with exit status 143\n", ["error: stopped with exit status 143"]),
        (f"error: old\n--- started again\n{TRACEBACK}", ["l2i.x.OddError: no"]),
    ],
)
def test_the_last_error_is_told_with_what_follows_it(log, text, told):
    path = log(BEFORE + text)
    assert telling_lines(path) == told and has_failed(path)


def test_without_an_error_the_last_lines_are_told(log):
    path = log("\n\n".join(map(str, range(20))))
    assert telling_lines(path) == [str(i) for i in range(20 - N_LINES, 20)]
    assert not has_failed(path)


def test_an_attempt_that_goes_well_makes_good_for_those_before_it(log):
    assert not has_failed(log("error: no node\n--- started again 2026\nepoch 1\n"))


def test_of_a_long_log_only_the_end_is_read(log):
    path = log("error: " + "x" * 2 * N_BYTES + "\nlast\n")
    assert telling_lines(path)[-1] == "last"


def test_a_log_that_is_not_there_tells_nothing(tmp_path):
    assert telling_lines(tmp_path / "none.log") == []


def test_a_job_is_told_by_its_words_with_its_logs_that_of_the_cluster_last(log):
    own, of_slurm = log("error: bad\n"), log("slurmstepd: killed\n", "7.log")
    told = vars(failed(1, log=[own, of_slurm], rule_msg="SLURM job 7 ended as FAILED. "))
    failure = failure_of(told, "Training l2i")
    assert str(failure).splitlines() == [
        "FAILED: Training l2i",
        "    SLURM job 7 ended as FAILED.",
        "    error: bad",
        f"    log: {own}",
        f"    log: {of_slurm}",
    ]
    assert failure.at_once.splitlines() == str(failure).splitlines()[:-1], "without the second log"


def test_a_job_that_left_no_log_is_told_by_that_of_the_cluster(log):
    told = vars(failed(1, log=["nowhere.log", log("slurmstepd: killed\n")]))
    assert failure_of(told).told == ["slurmstepd: killed"]


def test_of_a_group_those_are_told_that_failed(log):
    good, bad = log("done\n", "good.log"), log("error: bad\n", "bad.log")
    told = vars(group_failed({(1, "a"): [good], (2, "b"): [bad], (3, "c"): []}, ["slurm.log"]))
    (failure,) = failures_of_group(told, {2: "Measuring b"})
    assert failure.words == "Measuring b" and failure.told == ["error: bad"]
    assert failure.logs == [bad, "slurm.log"]


def test_of_a_group_that_was_killed_the_log_of_the_cluster_is_told(log):
    killed = log("oom-kill\n", "slurm.log")
    told = vars(group_failed({(n, "a"): [] for n in range(5)}, [killed]))
    (failure,) = failures_of_group(told, {0: "First"})
    assert failure.words == "First, a, a, and 2 more" and failure.told == ["oom-kill"]
