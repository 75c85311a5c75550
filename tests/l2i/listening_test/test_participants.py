"""Who rates what in a listening test."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.listening_test.participants import plan_participants

SYSTEMS = ["slime", "l2i_att"]


def plan(n_classes, n_stimuli, n_participants, per_participant, seed=0):
    classes = {f"s{i:02d}": f"class {i % n_classes}" for i in range(n_stimuli)}
    how = {"n_participants": n_participants, "per_participant": per_participant, "seed": seed}
    return plan_participants(classes, SYSTEMS, **how), classes


def apart(numbers):
    return max(numbers) - min(numbers)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 10), st.integers(1, 40), st.integers(1, 20), st.integers(1, 12), st.integers(0)
)
def test_plans_are_balanced_whatever_their_size(n_classes, n_stimuli, n_people, share, seed):
    rows, _ = plan(n_classes, n_stimuli, n_people, share, seed)
    assert len(rows) == n_people * min(share, n_stimuli)
    for person, mine in rows.groupby("participant"):
        assert 1 <= person <= n_people and mine["stimulus"].is_unique
        assert mine["position"].tolist() == list(range(1, len(mine) + 1))
        assert apart([(mine["first"] == system).sum() for system in SYSTEMS]) <= 1
    rated = Counter(rows["stimulus"])
    assert apart([rated[f"s{i:02d}"] for i in range(n_stimuli)]) <= 1
    for _, mine in rows.groupby("stimulus"):
        assert apart([(mine["first"] == system).sum() for system in SYSTEMS]) <= 1


@pytest.mark.parametrize("n_classes", [3, 7, 10])
@pytest.mark.parametrize("seed", range(3))
def test_everybody_has_of_each_class_its_share_rounded_up_or_down(n_classes, seed):
    rows, classes = plan(n_classes, 36, 15, 10, seed)
    n_of = Counter(classes.values())
    of_class = rows["stimulus"].map(classes)
    for _, mine in of_class.groupby(rows["participant"]):
        assert all(abs((mine == name).sum() - 10 * n / 36) < 1 for name, n in n_of.items())


def test_orders_shares_and_names_of_systems_are_drawn_by_the_seed():
    first, again, other = (plan(7, 36, 15, 10, seed)[0] for seed in (1, 1, 2))
    assert first.equals(again) and not first.equals(other)
    shares = first.groupby("participant")["stimulus"].agg(tuple)
    assert shares.nunique() == 15  # everybody has an order of their own
    by_position = first.groupby("position")["first"].apply(lambda s: (s == "slime").mean())
    assert by_position.min() > 0.1 and by_position.max() < 0.9  # no place tells who is A
    n_first = Counter(first.loc[first["position"] == 1, "stimulus"])
    assert max(n_first.values()) <= 4


def test_one_more_participant_changes_no_share_of_the_others():
    fewer, more = plan(7, 36, 14, 10)[0], plan(7, 36, 15, 10)[0]
    kept = more[more["participant"] <= 14]
    columns = ["participant", "position", "stimulus"]
    assert fewer[columns].equals(kept[columns])


def test_nothing_to_rate_is_an_empty_plan():
    rows = plan_participants({}, SYSTEMS, n_participants=3, per_participant=10, seed=0)
    assert rows.empty and list(rows) == ["participant", "position", "stimulus", "first"]
