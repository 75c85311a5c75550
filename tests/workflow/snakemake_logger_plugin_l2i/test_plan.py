"""What a dry run prints."""

import io

import pytest

from helpers.snakemake_records import begun, planned, record
from snakemake_logger_plugin_l2i.plan import Plan, why

PARAMS = (
    "Params have changed since last execution: Union of exclusive params before and now across "
    "all output: before: {} now: {} "
)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Missing output files: a, b; Updated input files: c", "not made yet"),
        ("Input files updated by another job: x", "what it reads is made anew"),
        ("Updated input files: x", "newer input"),
        ("Forced execution", "forced"),
        (PARAMS.format("code 1a", "code 2b"), "changed: code"),
        (PARAMS.format("seed 0; code 1a", "seed 1; code 2b"), "changed: seed, code"),
        (
            PARAMS.format("a.x 1; b 2; c 3; d 4; e 5", "a.x 2"),
            "changed: a.x, b, c and 2 more",
        ),
        (f"Input files updated by another job: x; {PARAMS.format('code 1', 'code 2')}",) * 1
        + ("changed: code",),
        (PARAMS.format("", "seed 1"), "changed: settings"),  # what was not there has no name before
        ("Something new: x", "Something new"),
        ("", "asked for"),
    ],
)
def test_a_reason_in_a_few_words(reason, told):
    assert why(reason) == told


def plan(*records):
    stream = io.StringIO()
    speaker = Plan(stream)
    for each in records:
        speaker.hear(each)
    speaker.close()
    speaker.close()  # as Snakemake does
    return stream.getvalue()


def test_each_rule_is_a_line_with_its_number_and_reasons():
    text = plan(
        record("Building DAG of jobs..."),
        planned(train=3, table=1),
        begun(1, reason="Missing output files: x"),
        begun(2, reason="Missing output files: y"),
        begun(3, reason="Forced execution"),
        begun(4, "table", reason="Input files updated by another job: x"),
        planned(train=3, table=1),
        record("Reasons:\n    (check individual jobs above for details)\n ..."),
        record("This was a dry-run (flag -n). The order of jobs ..."),
    )
    assert text.splitlines() == [
        "Job stats:",
        "job    count  why",
        "-----  -----  ---",
        "train      3  not made yet (2); forced (1)",
        "table      1  what it reads is made anew",
        "total      4",
        "",
        "Nothing was run (-n). Each job with its reason in full: with -p too.",
    ]


def test_where_nothing_would_run_there_is_no_table():
    assert plan(record("Nothing to be done (all is there).")) == (
        "Nothing to be done (all is there).\n"
    )
