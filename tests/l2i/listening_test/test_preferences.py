"""Means, votes and differences of ratings, against counting by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.rated_tests import SYSTEMS, answers_to, small_test
from helpers.tables import one
from l2i.checks import InputError
from l2i.listening_test.preferences import numbers_of, trials_of

PAIRS = st.lists(
    st.tuples(st.integers(0, 100), st.integers(0, 100), st.sampled_from(["dog", "music"])),
    min_size=1,
    max_size=12,
)


def rated(pairs, per_person=3):
    """Ratings (slime, l2i_att) of trials, by as many people as it takes."""
    rows = []
    for i, (first, second, name) in enumerate(pairs):
        person, stimulus = i // per_person, f"s{i % per_person}-{name}"
        for system, rating in zip(SYSTEMS, (first, second), strict=True):
            rows.append((person, stimulus, name, system, rating))
    columns = ["participant", "stimulus", "class", "system", "rating"]
    return pd.DataFrame(rows, columns=columns)


def numbers(ratings, **options):
    return pd.DataFrame(numbers_of(ratings, SYSTEMS, **{"confidence": 0.95} | options))


@given(PAIRS)
@settings(max_examples=15, deadline=None)
def test_they_are_what_counting_gives(pairs):
    table = numbers(rated(pairs))
    for name in (*sorted({of for *_, of in pairs}), "all classes"):
        part = [pair for pair in pairs if name in (pair[2], "all classes")]
        n = len(part)
        expected = {
            ("slime", "mean_rating"): sum(a for a, *_ in part) / n,
            ("l2i_att", "mean_rating"): sum(b for _, b, _ in part) / n,
            ("slime", "votes"): 100 * len([1 for a, b, _ in part if a > b]) / n,
            ("l2i_att", "votes"): 100 * len([1 for a, b, _ in part if b > a]) / n,
            ("", "ties"): 100 * len([1 for a, b, _ in part if a == b]) / n,
            ("l2i_att", "rating_difference"): sum(b - a for a, b, _ in part) / n,
        }
        for (system, metric), mean in expected.items():
            row = one(table, **{"class": name, "system": system, "metric": metric})
            assert row["mean"] == pytest.approx(mean) and row["n"] == n
            inside = row["low"] - 1e-9 <= mean <= row["high"] + 1e-9
            assert inside or np.isnan([row["low"], row["high"]]).all()


def test_a_number_by_hand():
    table = numbers(rated([(40, 60, "dog"), (50, 50, "dog"), (30, 20, "dog"), (10, 80, "dog")]))
    row = one(table, **{"class": "dog", "metric": "rating_difference"})
    assert row["mean"] == 20 and row["spread"] == pytest.approx(np.std([20, 0, -10, 70]))
    assert row["condition"] == "minus=slime"
    assert one(table, **{"class": "dog", "metric": "ties"})["mean"] == 25
    assert one(table, **{"class": "dog", "metric": "votes", "system": "l2i_att"})["mean"] == 50


def test_exchanging_the_systems_exchanges_all_numbers(tmp_path):
    answers = answers_to(small_test(tmp_path))
    there = numbers(answers)
    back = pd.DataFrame(numbers_of(answers, SYSTEMS[::-1], confidence=0.95))
    for metric in ("rating_difference", "rating_effect"):
        ours, theirs = (each[each["metric"] == metric] for each in (there, back))
        assert np.allclose(ours["mean"], -theirs["mean"], atol=1e-6)
        assert np.allclose(ours["low"], -theirs["high"], atol=1e-3)
    votes = [
        each[each["metric"] == "votes"].sort_values(["class", "system"]) for each in (there, back)
    ]
    assert np.allclose(*(each[["mean", "low", "high"]] for each in votes))


def test_who_did_not_finish_counts_with_what_was_rated(tmp_path):
    answers = answers_to(small_test(tmp_path))
    part = answers[~((answers["participant"] == 1) & (answers["position"] > 1))]
    row = one(numbers(part), **{"class": "all classes", "metric": "ties"})
    assert row["n"] == 21 and row["n_participants"] == 6


def test_one_participant_has_numbers_and_no_intervals():
    table = numbers(rated([(40, 60, "dog"), (50, 55, "dog")]))
    assert table["low"].isna().all()
    effect = one(table, metric="rating_effect")
    assert np.isnan(effect["mean"]) and effect["note"].startswith("not fitted")


def test_ratings_of_other_systems_are_refused():
    ratings = rated([(1, 2, "dog")])
    with pytest.raises(InputError, match="ratings are of l2i_att, slime, and slime and other"):
        trials_of(ratings, ["slime", "other"])
    with pytest.raises(InputError, match="both in each trial"):
        trials_of(pd.concat([ratings, rated([(1, 2, "dog")] * 2).iloc[3:]]), SYSTEMS)
