"""How long jobs take together: worked out by hand, and held between bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.schedule import Timed, makespan

CHAIN = [Timed(3, 1, []), Timed(4, 1, [0]), Timed(5, 1, [1])]
# Two that may begin at once, and the long way behind the second.
FORK = [Timed(2, 1, []), Timed(2, 1, []), Timed(2, 1, []), Timed(6, 1, [2])]


@pytest.mark.parametrize(
    ("jobs", "n_cores", "seconds"),
    [
        ([], 2, 0),
        (CHAIN, 1, 12),
        (CHAIN, 8, 12),
        (FORK, 1, 12),
        (FORK, 2, 8),  # the third comes first: behind it is most
        (FORK, 3, 8),
        ([Timed(5, 2, []), Timed(5, 2, [])], 2, 10),
        ([Timed(5, 2, []), Timed(5, 2, [])], 4, 5),
        ([Timed(5, 9, []), Timed(1, 1, [])], 2, 6),  # more than there are: all of them
        ([Timed(4, 1, []), Timed(3, 2, []), Timed(1, 1, [])], 2, 7),
    ],
)
def test_known_answers(jobs, n_cores, seconds):
    assert makespan(jobs, n_cores) == seconds


@pytest.mark.parametrize(("n_gpus", "seconds"), [(1, 12), (2, 7), (3, 5), (9, 5)])
def test_jobs_take_turns_on_a_gpu_however_many_cores_there_are(n_gpus, seconds):
    jobs = [Timed(n, 1, [], 1) for n in (5, 4, 3)] + [Timed(5, 1, [])]
    assert makespan(jobs, 16, n_gpus) == seconds


@st.composite
def plans(draw):
    n = draw(st.integers(1, 12))
    return [
        Timed(
            draw(st.integers(0, 20)),
            draw(st.integers(1, 3)),
            sorted(draw(st.sets(st.integers(0, place - 1), max_size=3))) if place else [],
        )
        for place in range(n)
    ]


def longest_way(jobs):
    ends = []
    for job in jobs:
        ends.append(job.seconds + max((ends[other] for other in job.waits_for), default=0))
    return max(ends)


@given(plans())
def test_one_core_does_one_after_the_other_and_many_are_held_up_by_the_longest_way(jobs):
    assert makespan(jobs, 1) == sum(job.seconds for job in jobs)
    assert makespan(jobs, 100) == longest_way(jobs)


@given(plans(), st.integers(2, 4))
def test_it_is_never_less_than_the_work_allows_nor_more_than_waiting_explains(jobs, n_cores):
    took = makespan(jobs, n_cores)
    held = [job._replace(n_cores=min(job.n_cores, n_cores)) for job in jobs]
    work = sum(job.seconds * job.n_cores for job in held)
    assert max(longest_way(jobs), work / n_cores) <= took <= sum(job.seconds for job in jobs)
    alone = [job._replace(n_cores=1) for job in jobs]  # Graham's bound
    work = sum(job.seconds for job in jobs)
    assert makespan(alone, n_cores) <= work / n_cores + longest_way(jobs)
