"""l2i.reporting.conditions: keys of rows in words."""

from __future__ import annotations

import pytest

from l2i.reporting.conditions import in_words, settings_of, values_in

TITLES = {"l2i_att": "L2I w/ ATT", "l2i_max": "L2I w/ MAX", "random_all": "random, among all"}


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("", ""),
        ("minus=l2i_max", "less L2I w/ MAX"),
        ("of=l2i_att, threshold=0.1", "of the components of L2I w/ ATT, τ = 0.1"),
        ("minus=random_all, threshold=0.1", "less random, among all, τ = 0.1"),
        ("classes=all", "all classes"),
        ("excluded=a_b+c, d", "without a b, c, d"),
        ("labels=observed", "labelled clips alone"),
        ("fold=1, taps=B4+B5+B6", "fold 1, from B4+B5+B6"),
        ("fold=1, taps=input", "fold 1, from the input"),
        ("reconstruction_weight=10, sparsity_weight=0.08", "α = 10.0, β = 0.08"),
        ("from_epoch=21", "from epoch 21"),
        ("kind=noise, snr_db=-10", "with white noise, at -10 dB"),
        ("operator=log_magnitude", "by log magnitude"),
        ("shuffled=nothing", "intact"),
        ("shuffled=head+B6", "shuffled: head, B6"),
        ("targets=shuffled", "trained on shuffled targets"),
        ("some_new=thing_2", "some new thing 2"),
    ],
)
def test_in_words(condition, words):
    assert in_words(condition, TITLES) == words


def test_settings_are_taken_apart_whatever_commas_their_values_hold():
    assert settings_of("excluded=a, b, threshold=0.1") == ["excluded=a, b", "threshold=0.1"]
    assert values_in("excluded=a=b, of=c") == {"excluded": "a=b", "of": "c"}
