"""One value is written in one way, whatever it was typed like; texts stay texts."""

from __future__ import annotations

import copy
import re

import pytest

from configuration.reading import read_configuration, resolved
from configuration.schema import load_schema
from configuration.validation import validate_config
from configuration.values import typed, typed_by
from helpers.project import PROJECT
from l2i.checks import InputError
from l2i.provenance.fingerprints import canonical_json


def read(*assignments, files=()):
    said = read_configuration([PROJECT / "config.yaml", *files], assignments)
    config = typed(resolved(said.value), load_schema())
    validate_config(config, said.places)
    return config


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        ("10", {"type": "number"}, 10.0),
        (10, {"type": "number"}, 10.0),
        ("1e-3", {"type": "number"}, 0.001),
        (".5", {"type": "number"}, 0.5),
        ("35.0", {"type": "integer"}, 35),
        (35.0, {"type": "integer"}, 35),
        ("1e3", {"type": "integer"}, 1000),
        ("35.5", {"type": "integer"}, "35.5"),
        ("010", {"type": "integer"}, 10),
        ("inf", {"type": "number"}, "inf"),
        (".nan", {"type": "number"}, ".nan"),
        ("1e999", {"type": "number"}, "1e999"),
        ("007", {"type": "string"}, "007"),
        ("null", {"type": "string"}, "null"),
        ("no", {"type": "string"}, "no"),
        ("null", {"type": ["integer", "null"]}, None),
        ("", {"type": ["array", "null"]}, None),
        ("No", {"type": "boolean"}, False),
        (True, {"type": "integer"}, True),
        ("true", {"type": "number"}, "true"),
        ("2.0", {"enum": [1, 2]}, 2),
        ("1", {"enum": ["1", "2"]}, "1"),
        ("validate", {"oneOf": [{"type": "number"}, {"const": "validate"}]}, "validate"),
        ("0.5", {"oneOf": [{"type": "number"}, {"const": "validate"}]}, 0.5),
        ("x", {"oneOf": [{"type": "number"}, {"const": "validate"}]}, "x"),
        ({"a": ["1", "x", "~", "true"]}, {}, {"a": [1, "x", None, True]}),
    ],
)
def test_a_text_is_what_the_schema_asks_for(value, schema, expected):
    found = typed_by(value, schema, {"$defs": {}})
    assert (found, type(found)) == (expected, type(expected))


WRITTEN_DIFFERENTLY = [
    ("datasets={esc50: {clip_seconds: 5}}", "datasets={esc50: {clip_seconds: 5.0}}"),
    ("datasets={esc50: {classifier: {learning_rate: 2e-4}}}", "seed=0"),
    ("systems={l2i_att: {settings: {reconstruction_weight: 10}}}", "seed=0.0"),
    ("systems={l2i_att: {settings: {fidelity_weight: [[1.0, 1]]}}}", "seed=0"),
    ("systems={vibi: {grid: {n_kept: [5.0, 10, 15, 2e1]}}}", "seed=0"),
    ("systems={l2i_bd_nopred: {settings: {fidelity_weight: 0}}}", "seed=0"),
    ("evaluation={thresholds: [9e-1, .7, 0.50, '0.3', 1e-1]}", "seed=0"),
    ("ablations={table_7: [{dataset: sonyc_ust, fold: official, system: l2i_att, "
     "weights: [[10, 0.8], [10, 8], [10, 0.08], [1, 0.8], [1e2, 0.8]]}]}", "seed=0"),
    ("listening={slime: yes}", "listening={slime: True}"),
    ("datasets={esc50: {shown_per_class: null, dictionary: {clips_per_class: ~}}}", "seed=0"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), WRITTEN_DIFFERENTLY)
def test_what_means_the_same_is_the_same_to_every_fingerprint(one, other):
    assert canonical_json(read(one)) == canonical_json(read(other))


def test_what_is_nested_on_the_command_line_is_understood():
    config = read("datasets={esc50: {dictionary: {n_components: 6}, listening: 3}}", "name=007")
    assert config["datasets"]["esc50"]["dictionary"]["n_components"] == 6
    assert config["datasets"]["esc50"]["listening"] == 3
    assert config["name"] == "007"


def test_typing_what_is_typed_changes_nothing():
    config = read()
    assert typed(copy.deepcopy(config), load_schema()) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name: "demo\\n"', r"name is 'demo\n', but must match ^[A-Za-z0-9][A-Za-z0-9_-]*$ (first"),
        ('name: "demo\\n"', "(overlay.yaml, line 2)"),
        ('datasets: {"esc60\\n": {}}', r"datasets.'esc60\n' is not a known key"),
        ("run: {folds: [1, x]}", "run.folds[1] is 'x', but must be of type integer (test folds"),
        ("run: {folds: [1, x]}", "(overlay.yaml, line 2)"),
        ("seed: 1\nseed: 2", "overlay.yaml, line 3: says seed for the second time"),
        ("- name", "overlay.yaml, line 3 is no YAML"),
    ],
)
def test_what_a_file_says_wrong_is_named_with_its_line(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "overlay.yaml").write_text(
        f"# mine\n{text}\n" if text[0] != "-" else f"a: 1\n\n{text}"
    )
    with pytest.raises(InputError, match=re.escape(message)):
        read(files=[tmp_path / "overlay.yaml"])


def test_a_list_is_no_configuration(tmp_path):
    (tmp_path / "list.yaml").write_text("[name]")
    with pytest.raises(InputError, match=r"list.yaml: must hold keys and values"):
        read(files=[tmp_path / "list.yaml"])


def test_a_home_that_is_not_there_is_named():
    with pytest.raises(
        InputError, match="machine.data is '~nobody_at_all/x', but there is no such"
    ):
        read("machine={data: ~nobody_at_all/x}")
