"""configuration.layouts: what layouts say of themselves, and are told."""

import copy

import pytest

from configuration.layouts import layout_names, layout_of, told_to_layout
from configuration.schema import load_schema
from configuration.values import typed

CONFIG = {
    "seed": 3,
    "datasets": {
        "esc50": {"corpus": {"layout": "esc50", "subset": "all"}, "clip_seconds": 5.0},
        "farm": {"corpus": {"layout": "folders", "n_folds": "4"}, "clip_seconds": 2.0},
    },
}


def test_those_that_ship():
    assert layout_names() == ["esc50", "folders", "openmic", "sonyc_ust"]


@pytest.mark.parametrize("name", layout_names())
def test_options_are_words_or_of_a_kind_that_the_schema_has(name):
    layout = layout_of(name)
    for kind, meaning in layout.options.values():
        assert isinstance(kind, list) or kind in load_schema()["$defs"]
        assert meaning
    properties = load_schema()["properties"]
    (dataset,) = properties["datasets"]["patternProperties"].values()
    assert {*layout.needs} <= {*properties, *dataset["properties"]}
    assert not {*layout.needs} & {*layout.options}


def test_a_reader_is_told_what_it_needs_and_no_more():
    config = typed(copy.deepcopy(CONFIG), load_schema())
    assert told_to_layout(config, "esc50") == {"layout": "esc50", "subset": "all"}
    assert told_to_layout(config, "farm") == {
        "layout": "folders",
        "n_folds": 4,
        "clip_seconds": 2.0,
        "seed": 3,
    }
