"""l2i.interpretation.occasions: which clips are interpreted, and for what."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from l2i.checks import InputError
from l2i.interpretation.occasions import Corruption, Entry, read_entries, write_entries

NOISY = {"kind": "noise", "snr_db": 0.0, "seed": 3}


@pytest.fixture
def written(tmp_path):
    """The entries of a list that is written by hand."""

    def read(*entries):
        (tmp_path / "clips.json").write_text(json.dumps(entries))
        return read_entries(tmp_path / "clips.json")

    return read


def test_each_kind_of_entry_says_what_is_interpreted(written):
    assert written(
        {"clip": "a"}, {"clip": "b", "class": "dog"}, {"clip": "b", "corruption": NOISY}
    ) == [
        Entry("a"),
        Entry("b", ("dog",)),
        Entry("b", (), Corruption("noise", 0.0, 3)),
    ]


def test_entries_that_differ_in_their_class_alone_are_one_clip(written):
    one = {"clip": "a", "corruption": NOISY}
    louder = one | {"corruption": NOISY | {"snr_db": 5.0}}
    entries = written(
        one | {"class": "dog"}, louder | {"class": "dog"}, one | {"class": "rain"}, one
    )
    assert [entry.classes for entry in entries] == [("dog", "rain"), ("dog",)]


NAMES = st.text(min_size=1, max_size=3)
ENTRIES = st.builds(
    Entry,
    NAMES,
    st.lists(NAMES, max_size=3, unique=True).map(tuple),
    st.none() | st.builds(Corruption, st.sampled_from(["noise", "class"]), st.floats(-9, 9), NAMES),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ENTRIES, max_size=5, unique_by=lambda entry: (entry.clip, entry.corruption)))
def test_what_is_written_is_read_again(tmp_path, entries):
    path = tmp_path / "clips.json"
    n = write_entries(path, entries)
    assert read_entries(path) == entries
    assert n == len(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "text",
    ["{", "3", '["a"]', '[{"class": "dog"}]', '[{"clip": "a", "corruption": {"kind": "noise"}}]'],
)
def test_a_damaged_list_is_named_with_its_remedy(tmp_path, text):
    (tmp_path / "clips.json").write_text(text)
    with pytest.raises(InputError, match=r"clips\.json names no clips .*; delete it"):
        read_entries(tmp_path / "clips.json")
