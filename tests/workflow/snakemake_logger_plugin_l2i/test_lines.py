"""A run in single lines."""

import io
import logging

import pytest

from helpers.snakemake_records import begun, failed, finished, group_failed, planned, record
from snakemake_logger_plugin_l2i.lines import Lines


@pytest.fixture
def said():
    stream = io.StringIO()
    lines = Lines(stream)

    def hear(*records):
        for each in records:
            lines.hear(each)
        lines.close()
        return stream.getvalue().splitlines()

    return hear


def test_a_job_is_one_line_which_says_how_far_the_run_has_come(said):
    assert said(
        planned(train=2, all=1),
        begun(1, words="Training l2i on esc50, fold 1", dataset="esc50"),
        finished(1),
        begun(2, fold="2"),
        finished(2),
        begun(0, "all"),
        finished(0),
    ) == [
        "3 jobs to run",
        "[0/3 0:00] Training l2i on esc50, fold 1",
        "[1/3 0:00] train: fold 2",
    ]


def test_what_killed_a_job_is_said_since_its_log_cannot(said):
    told = 'RuleException:\nCalledProcessError in file "x.smk", line 24:\n'
    told += "Command 'set -e;  python /a/.snakemake/scripts/tmp_1.train.py' died with "
    (line,) = said(record(f"{told}<Signals.SIGKILL: 9>.", logging.ERROR))
    assert line == "train: ended by SIGKILL, most often because memory ran out"


def test_one_job_is_one(said):
    assert said(planned(train=1)) == ["1 job to run"]


@pytest.mark.parametrize(
    "text",
    [
        *("Building DAG of jobs...", "Select jobs to execute...", "Execute 2 jobs...", "None"),
        *("Provided cores: 2", "Conda environments: ignored", "Using shell: /usr/bin/bash"),
        *("Complete log(s): /x/y.log", "Elapsed time: 0:00:12", "host: vm"),
    ],
)
def test_what_nobody_asks_for_is_not_said_unless_it_is_a_warning(said, text):
    assert said(record(text)) == []
    assert said(record(text, logging.WARNING)) == [text]


@pytest.mark.parametrize("text", ["Nothing to be done", "Job 3 has been submitted with SLURM 7"])
def test_all_else_is_said(said, text):
    assert said(record(text)) == [text]


def test_what_ends_because_the_run_is_stopped_has_not_failed(said):
    stopping = record("Terminating processes on user request, this might take some time.")
    told = said(
        planned(train=2), begun(1), stopping, failed(1), group_failed({(1, "train"): []}, [])
    )
    assert told[-1] == stopping.getMessage() and not any("FAILED" in line for line in told)


def test_a_failure_is_told_at_once_with_its_words_cause_and_log(said, tmp_path):
    log = tmp_path / "train.log"
    log.write_text("error: the loss is nan\nmore\n")
    lines = said(
        planned(train=1), begun(1, words="Training l2i", log=[log]), failed(1, log=[str(log)])
    )
    assert lines[2:] == ["FAILED: Training l2i", "    error: the loss is nan", f"    log: {log}"]


def test_of_a_job_in_a_group_the_group_tells(said):
    lines = said(planned(train=1), begun(1, words="Training l2i"), failed(1, indent=True))
    assert not [line for line in lines if "FAILED" in line]


def test_what_snakemake_says_of_that_is_left_to_its_log(said):
    text = 'RuleException:\nCalledProcessError in file "a.smk", line 3:\nCommand ... 1.'
    assert said(record(text, logging.ERROR)) == []
    assert said(record("RuleException:\nNameError in file", logging.ERROR)) != []
