"""Intervals over participants and stimuli: by hand, by another way, and how often they hold."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.listening_test.participants import plan_participants
from l2i.reporting.crossed import crossed_mean, mean_interval, share_interval

ANSWERS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 100)),
    min_size=2,
    max_size=20,
    unique_by=lambda answer: answer[:2],
)


def by_pairs(values, people, stimuli):
    """The variance as a sum over all pairs of answers that have somebody or something in common."""
    n, mean = len(values), sum(values) / len(values)

    def summed(groups, names):
        g = len({*names})
        total = sum(
            (values[i] - mean) * (values[j] - mean)
            for i, j in itertools.product(range(n), repeat=2)
            if groups(i) == groups(j)
        )
        return total / n**2 * g / (g - 1) if g > 1 else 0.0

    one, other = summed(lambda i: people[i], people), summed(lambda i: stimuli[i], stimuli)
    both = summed(lambda i: i, range(n))
    return max(one + other - both, one, other)


@given(ANSWERS)
@settings(deadline=None)
def test_the_variance_is_that_of_pairs_with_something_in_common(answers):
    people, stimuli, values = map(list, zip(*answers, strict=True))
    found = crossed_mean(np.array(values), np.array(people), np.array(stimuli))
    assert found.mean == pytest.approx(np.mean(values))
    assert found.variance == pytest.approx(by_pairs(values, people, stimuli), abs=1e-9)
    assert found.n_clusters == min(len({*people}), len({*stimuli}))


def test_of_answers_with_nothing_in_common_it_is_that_of_a_mean():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    found = crossed_mean(values, np.arange(4), np.arange(4))
    assert found.variance == pytest.approx(values.var(ddof=1) / 4)
    low, high = mean_interval(found, confidence=0.95, within=(0, 100))
    half = 3.182446 * math.sqrt(found.variance)  # Student's t of 3 degrees of freedom
    assert (low, high) == (max(0, 4 - half), pytest.approx(4 + half))


def test_the_same_answer_again_by_the_same_person_tells_nothing_new():
    once = crossed_mean(np.array([1.0, 5.0, 9.0]), np.arange(3), np.arange(3))
    people = np.repeat(np.arange(3), 4)
    again = crossed_mean(np.repeat([1.0, 5.0, 9.0], 4), people, np.tile(np.arange(4), 3))
    assert again.variance >= once.variance


@pytest.mark.parametrize("interval", [mean_interval, share_interval])
def test_one_participant_gives_no_interval(interval):
    found = crossed_mean(np.array([0.0, 1.0, 1.0]), np.zeros(3), np.arange(3))
    within = {"within": (0, 1)} if interval is mean_interval else {}
    assert np.isnan(interval(found, confidence=0.95, **within)).all()


def test_a_share_of_all_has_an_interval_that_ends_there():
    found = crossed_mean(np.ones(12), np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4))
    low, high = share_interval(found, confidence=0.95)
    assert high == 1 and 0 < low < 0.7


@given(ANSWERS, st.booleans())
@settings(max_examples=50, deadline=None)
def test_a_share_and_the_rest_have_mirrored_intervals(answers, flipped):
    people, stimuli, values = map(np.array, zip(*answers, strict=True))
    votes = (values > 50) * 1.0
    ours, theirs = (
        share_interval(crossed_mean(v, people, stimuli), confidence=0.95)
        for v in (votes, 1 - votes)
    )
    assert np.allclose(ours, 1 - np.array(theirs)[::-1], equal_nan=True)


# Standard deviations over participants, stimuli and single answers, in units of a rating.
@pytest.mark.parametrize("spreads", [(10, 10, 15), (0, 0, 20), (15, 0, 10), (0, 15, 10)])
@pytest.mark.parametrize("of_class", [False, True])
def test_intervals_hold_the_mean_as_often_as_they_say(spreads, of_class):
    """By simulation on the paper's design: 15 participants, 10 of 36 stimuli, 7 classes."""
    classes = {f"s{i}": f"c{i % 7}" for i in range(36)}
    plan = plan_participants(classes, ["a", "b"], n_participants=15, per_participant=10, seed=1)
    if of_class:
        plan = plan[plan["stimulus"].map(classes) == "c0"]
    people, stimuli = (
        plan[name].astype("category").cat.codes for name in ("participant", "stimulus")
    )
    random, n = np.random.default_rng(3), 250
    held = 0
    for _ in range(n):
        draws = [random.normal(0, spread, 36) for spread in spreads[:2]]
        values = draws[0][people] + draws[1][stimuli] + random.normal(0, spreads[2], len(plan))
        found = crossed_mean(values, people, stimuli)
        low, high = mean_interval(found, confidence=0.95, within=(-1e9, 1e9))
        held += low <= 0 <= high
    assert held / n >= 0.90


def test_intervals_of_votes_hold_their_share_as_often_as_they_say():
    random, n, held = np.random.default_rng(4), 300, 0
    people, stimuli = (
        np.repeat(np.arange(15), 10),
        random.permuted(np.tile(np.arange(36), (15, 1)), axis=1)[:, :10].ravel(),
    )
    for _ in range(n):
        lean = random.normal(0.5, 0.7, 15)[people] + random.normal(0, 0.7, 36)[stimuli]
        votes = (lean + random.normal(0, 1, len(people)) > 0) * 1.0
        low, high = share_interval(crossed_mean(votes, people, stimuli), confidence=0.95)
        held += low <= 0.6451 <= high  # Phi(0.5 / sqrt(0.7² + 0.7² + 1))
    assert 0.91 <= held / n <= 0.995
