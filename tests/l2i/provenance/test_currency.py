"""What is current: settings, code, environment and inputs, then and now."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.records import write_record, write_result
from l2i.checks import InputError
from l2i.hashing import file_sha256
from l2i.provenance.currency import (
    Identity,
    KnownRecords,
    differences,
    require_untouched,
    with_records,
)
from l2i.provenance.records import record_path

MADE = Identity(
    rule="train",
    wildcards={"fold": "1"},
    settings={"dictionary": {"n_components": 10, "rate": 1.0}, "seed": 0},
    code="c" * 64,
    pins={"numpy": "2.4"},
    inputs=[("index", "index.csv", "a" * 64), ("clips", "x.npy", "b" * 64)],
)


def said(**changes):
    return [f"{d.then} -> {d.now}" for d in differences(MADE, MADE._replace(**changes))]


def test_the_same_is_current():
    assert said() == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rule": "fit"}, "rule train -> rule fit"),
        ({"wildcards": {"fold": "2"}}, 'wildcards {"fold": "1"} -> wildcards {"fold": "2"}'),
        ({"code": "d" * 64}, "code cccccccc -> code dddddddd"),
        ({"pins": {"numpy": "2.5"}}, "package numpy 2.4 -> package numpy 2.5"),
        ({"settings": MADE.settings | {"seed": 1}}, "seed 0 -> seed 1"),
        ({"settings": MADE.settings | {"new": None}}, "new (none) -> new null"),
        (
            {"settings": {"dictionary": {"n_components": 10, "rate": 1}, "seed": 0}},
            "dictionary.rate 1.0 -> dictionary.rate 1",
        ),
        (
            {"inputs": [MADE.inputs[0], ("clips", "x.npy", "9" * 64)]},
            "clips x.npy bbbbbbbb -> clips x.npy 99999999",
        ),
        (
            {"inputs": [MADE.inputs[0], ("clips", "x.npy", None)]},
            "clips x.npy bbbbbbbb -> clips x.npy no record",
        ),
        ({"inputs": MADE.inputs[:1]}, "clips x.npy bbbbbbbb -> clips x.npy (none)"),
        ({"inputs": MADE.inputs[::-1]}, "order of inputs another -> order of inputs this"),
    ],
)
def test_each_difference_is_told_in_words(changes, told):
    assert said(**changes) == [told]


def test_without_a_record_nothing_is_current():
    assert differences(None, MADE)


def test_long_values_are_cut_and_foreign_ones_escaped():
    (told,) = said(settings=MADE.settings | {"seed": "\x1b[2J" + "x" * 500})
    assert len(told) < 100 and "\x1b" not in told


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), TREES), st.dictionaries(st.text(), TREES))
def test_settings_agree_exactly_where_their_json_does(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    found = differences(MADE._replace(settings=one), MADE._replace(settings=other))
    assert (found == []) == same or (not found and _only_empty_branches_differ(one, other))


def _only_empty_branches_differ(one, other):
    """A mapping without entries says as little as one that is missing."""
    return json.dumps(_pruned(one), sort_keys=True) == json.dumps(_pruned(other), sort_keys=True)


def _pruned(tree):
    if not isinstance(tree, dict):
        return tree
    inner = {key: _pruned(value) for key, value in tree.items()}
    return {key: value for key, value in inner.items() if value != {}}


class TestRecords:
    @pytest.fixture
    def path(self, tmp_path):
        write_result(tmp_path / "a.csv", "text")
        return tmp_path / "a.csv"

    def test_what_they_know(self, path):
        known = KnownRecords()
        assert known.sha256_of(path) == file_sha256(path)
        assert known.identity_of(path).rule == "any"
        assert known.sha256_of("nothing") is None and known.identity_of("nothing") is None

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            (("record_version",), 1),
            (("rule",), None),
            (("settings",), []),
            (("wildcards",), "fold"),
            (("fingerprints",), None),
            (("fingerprints", "code"), None),
            (("pins",), 3),
            (("inputs",), None),
            (("inputs", 0), []),
            (("inputs", 0, "name"), 1),
            (("inputs", 0, "path"), ["x"]),
            (("inputs", 0, "sha256"), None),
            (("output",), "a.csv"),
            (("output", "sha256"), 7),
            (("output", "path"), None),
        ],
    )
    def test_one_that_is_damaged_in_any_place_is_none(self, path, value, place):
        write_record(path, {}, [("clips", "x.npy")])
        record = json.loads(record_path(path).read_text())
        *above, last = place
        inner = record
        for key in above:
            inner = inner[key]
        inner[last] = value
        assert KnownRecords().of(str(path)) is not None
        record_path(path).write_text(json.dumps(record))
        assert KnownRecords().of(str(path)) is None

    def test_what_was_made_of_records_is_stale_when_they_change(self, path, tmp_path):
        record = record_path(path)
        made = [("record of model", str(record), file_sha256(record))]
        then = MADE._replace(inputs=MADE.inputs + made)
        assert not differences(then, with_records(MADE, then, KnownRecords()))
        write_record(path, {"n_epochs": 3})
        (told,) = differences(then, with_records(MADE, then, KnownRecords()))
        assert "record of model" in told.now
        record.unlink()
        assert differences(then, with_records(MADE, then, KnownRecords()))

    def test_what_was_changed_is_refused_with_the_remedy(self, path):
        require_untouched(str(path), file_sha256(path), KnownRecords())
        with pytest.raises(InputError, match=rf"delete {path} and give your command again"):
            require_untouched(str(path), "0" * 64, KnownRecords())
        record_path(path).unlink()
        with pytest.raises(InputError, match=rf"delete {path} and give your command again"):
            require_untouched(str(path), file_sha256(path), KnownRecords())
