"""How far a run has come, and how long the rest may take."""

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakemake_logger_plugin_l2i.run import ENOUGH_JOBS, Job, Run, about, clock


def job(rule, began):
    return Job(rule, rule, {}, None, began)


def simulated(durations, n_workers, share):
    """A run in which jobs of (rule, seconds) are worked off in order: left, said and true."""
    counts = {}
    for rule, _ in durations:
        counts[rule] = counts.get(rule, 0) + 1
    run, now, free, ends, upcoming = Run(0.0), 0.0, n_workers, [], [*enumerate(durations)]
    run.plan(counts)
    said = at = None
    while upcoming or ends:
        while free and upcoming:
            number, (rule, seconds) = upcoming.pop(0)
            run.start(number, job(rule, now))
            heapq.heappush(ends, (now + seconds, number))
            free -= 1
        now, number = heapq.heappop(ends)
        run.finish(number, now)
        free += 1
        if said is None and run.done >= share * len(durations):
            said, at = run.seconds_left(now), now
    return said, now - at


@pytest.mark.parametrize("n_workers", [1, 2, 8])
def test_the_time_that_is_left_is_right_where_jobs_last_as_those_before_them(n_workers):
    durations = [("short", 4.0), ("long", 40.0)] * 40
    said, true = simulated(durations, n_workers, 0.4)
    # At the end some have nothing to do.
    assert said == pytest.approx(true, rel=0.1 if n_workers < 8 else 0.15)


def test_a_rule_that_comes_only_at_the_end_does_not_count_as_those_before_it_alone():
    said, _ = simulated([("long", 40.0)] * 20 + [("table", 4.0)] * 20, 2, 0.4)
    assert said == pytest.approx((4 * 40 + 20 * 40) / 2, rel=0.1)  # as nobody knows better


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.1, 1e4)), min_size=1, max_size=40),
    st.integers(1, 10),
    st.floats(0.01, 1),
)
def test_it_is_never_less_than_nothing_and_nothing_at_the_end(durations, n_workers, share):
    said, _ = simulated(durations, n_workers, share)
    assert said is None or said >= 0
    said, _ = simulated(durations, n_workers, 1.0)
    assert said in (None, 0)


def test_nothing_is_guessed_of_a_few_jobs_or_seconds():
    jobs = [("a", 100.0)] * (ENOUGH_JOBS - 1)
    assert simulated(jobs, 1, 1.0)[0] is None
    assert simulated([("a", 0.1)] * 20, 1, 1.0)[0] is None


def test_a_job_that_failed_and_is_tried_again_is_still_to_come():
    run = Run(0.0)
    run.plan({"a": 2, "total": 2})
    run.start(1, job("a", 0.0))
    assert run.fail(1).rule == "a" and not run.under_way and len(run.failed) == 1
    run.start(1, job("a", 5.0))
    run.finish(1, 9.0)
    assert (run.done, run.total) == (1, 2)
    assert run.fail(7) is None, "a job that nobody has heard of"


def test_the_time_that_is_left_is_also_of_jobs_that_are_tried_again():
    run = Run(0.0)
    run.plan({"a": 8})
    for number in range(7):
        run.start(number, job("a", 10.0 * number))
        if number < 6:
            run.finish(number, 10.0 * (number + 1))
    run.fail(6)
    assert run.seconds_left(70.0) == pytest.approx(20)


@pytest.mark.parametrize(
    ("seconds", "told"), [(7.9, "0:07"), (61, "1:01"), (3600 + 62, "1:01:02"), (0, "0:00")]
)
def test_a_time_that_has_passed(seconds, told):
    assert clock(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        *((None, ""), (20, "less than a minute left"), (70, "about 1 min left")),
        *((250, "about 4 min left"), (3 * 3600, "about 3 h left")),
    ],
)
def test_a_time_that_is_guessed(seconds, told):
    assert about(seconds) == told
