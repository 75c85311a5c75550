"""Which test clips are rated in a listening test."""

from __future__ import annotations

import itertools
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.listening_test.stimuli import candidates_by_class, draw_stimuli


def everything(clip):
    return True


def counts(drawn, candidates):
    n_of = Counter(name for name, _ in drawn)
    return {name: n_of[name] for name in candidates}


# ------------------------------------------------------------------ candidates


def test_of_one_class_a_clip_those_count_that_are_predicted_rightly():
    scores = pd.DataFrame({"clip": [*"abcd"], "label": [0, 0, 1, 2], "predicted": [0, 1, 1, 0]})
    found = candidates_by_class(scores, ["dog", "rain", "cat"])
    assert found == {"dog": ["a"], "rain": ["c"], "cat": []}
    assert candidates_by_class(scores, ["dog", "rain", "cat"], excluded=["dog"]) == {
        "rain": ["c"],
        "cat": [],
    }


def test_of_many_classes_a_clip_both_truth_and_decision_must_name_the_class():
    scores = pd.DataFrame(
        {
            "clip": [*"abcd"],
            "label_dog": [1, 1, 0, None],
            "decided_dog": [1, 0, 1, 1],
            "label_music": [1, 1, 1, 0],
            "decided_music": [1, 1, 0, 0],
        }
    )
    found = candidates_by_class(scores, ["dog", "music"])
    assert found == {"dog": ["a"], "music": ["a", "b"]}


# ------------------------------------------------------------------ the draw


def test_the_papers_36_of_seven_classes_are_five_or_six_of_each():
    candidates = {f"class {k}": [f"{k}-{i}" for i in range(40)] for k in range(7)}
    drawn = draw_stimuli(candidates, 36, everything, 0)
    assert sorted(counts(drawn, candidates).values()) == [5, 5, 5, 5, 5, 5, 6]
    assert len({clip for _, clip in drawn}) == 36
    sixes = {
        max(n, key=n.get)
        for seed in range(20)
        for n in [counts(draw_stimuli(candidates, 36, everything, seed), candidates)]
    }
    assert len(sixes) > 3  # by chance, not always the first


def test_of_ten_classes_they_are_three_or_four_and_few_of_one_are_made_up_by_the_others():
    candidates = {f"{k}": [f"{k}-{i}" for i in range(8)] for k in range(10)}
    n_of = counts(draw_stimuli(candidates, 36, everything, 0), candidates)
    assert Counter(n_of.values()) == {4: 6, 3: 4}
    candidates["8"] = ["8-0"]
    n_of = counts(draw_stimuli(candidates, 36, everything, 0), candidates)
    assert n_of["8"] == 1 and Counter(n_of.values()) == {4: 8, 3: 1, 1: 1}


def test_where_there_are_too_few_all_are_taken():
    candidates = {"dog": ["a", "b", "quiet"], "rain": ["b"], "cat": []}
    drawn = draw_stimuli(candidates, 36, lambda clip: clip != "quiet", 0)
    assert drawn == [("dog", "a"), ("rain", "b")]


def test_what_cannot_be_heard_is_never_taken_and_only_asked_of_what_might_be():
    candidates = {"dog": [f"{i}" for i in range(100)]}
    asked = []

    def is_audible(clip):
        asked.append(clip)
        return int(clip) % 2 == 0

    drawn = draw_stimuli(candidates, 6, is_audible, 3)
    assert all(int(clip) % 2 == 0 for _, clip in drawn) and len(drawn) == 6
    assert len(set(asked)) < 30


def test_the_draw_hangs_on_the_seed_and_on_names_alone():
    candidates = {"dog": [f"d{i}" for i in range(30)], "rain": [f"r{i}" for i in range(30)]}
    drawn = draw_stimuli(candidates, 9, everything, 1)
    turned = {name: clips[::-1] for name, clips in candidates.items()}
    assert draw_stimuli(turned, 9, everything, 1) == drawn
    assert draw_stimuli(candidates, 9, everything, 2) != drawn
    taken = {clip for _, clip in drawn}
    fewer = {n: [c for c in clips if c in taken or c[-1] != "7"] for n, clips in candidates.items()}
    assert draw_stimuli(fewer, 9, everything, 1) == drawn


INSTANCES = st.fixed_dictionaries(
    {
        "owners": st.lists(st.sets(st.sampled_from("xyz"), min_size=1), max_size=6),
        "n": st.integers(1, 6),
        "seed": st.integers(0, 99),
    }
)


@settings(deadline=None, max_examples=150)
@given(INSTANCES)
def test_no_other_choice_is_larger_or_more_even(instance):
    owners, n = instance["owners"], instance["n"]
    candidates = {c: [f"{i}" for i, o in enumerate(owners) if c in o] for c in "xyz"}
    drawn = draw_stimuli(candidates, n, everything, instance["seed"])
    assert all(clip in candidates[name] for name, clip in drawn)
    assert len({clip for _, clip in drawn}) == len(drawn)
    best = max(  # by trying everything: each clip to one of its classes, or to none
        (sum(n_of), sorted(n_of))
        for choice in itertools.product(*([None, *sorted(o)] for o in owners))
        if sum(n_of := [choice.count(c) for c in "xyz"]) <= n
    )
    assert (len(drawn), sorted(counts(drawn, candidates).values())) == best


@pytest.mark.parametrize("seed", range(5))
def test_a_clip_of_two_classes_goes_where_it_is_needed(seed):
    # Whoever takes the shared clip first must hand it on, since the other has no substitute.
    candidates = {"dog": ["both", "mine"], "music": ["both"]}
    drawn = draw_stimuli(candidates, 2, everything, seed)
    assert sorted(drawn) == [("dog", "mine"), ("music", "both")]
