"""YAML as texts with their lines; whatever else a file may be is refused in words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configuration.yaml_files import parse_yaml, read_yaml
from l2i.checks import InputError


class TestTexts:
    def test_every_scalar_is_the_text_that_stands_there(self):
        texts = ["10", "10.0", "1e-3", "010", "no", "1:30", "2024-13-45", ""]
        said = parse_yaml("[" + ", ".join([*texts[:-1], "''", "'7'"]) + "]", "x").value
        assert said == [*texts, "7"]
        assert parse_yaml("a:\nb: 1", "x").value == {"a": "", "b": "1"}

    def test_each_key_and_item_has_its_line(self):
        places = parse_yaml("a:\n  b: 1\n  c:\n  - x\n  - y\n", "f.yaml").places
        assert places["a.b"] == "f.yaml, line 2"
        assert places["a.c[1]"] == "f.yaml, line 5"

    def test_what_a_key_merges_comes_before_nothing_that_it_says_itself(self):
        text = "base: &b {x: 1, y: 2}\nown: {y: 3, <<: *b}\nboth: {<<: [{x: 5}, *b]}"
        said = parse_yaml(text, "x").value
        assert said["own"] == {"x": "1", "y": "3"}
        assert said["both"] == {"x": "5", "y": "2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml, line 3: says a for the second time; keep one of the two"),
        ("a:\n  b: {c: 1,\n    c: 2}", "f.yaml, line 3: says a.b.c for the second time"),
        ('{"a": 1, "a": 2}', "f.yaml, line 1: says a for the second time"),
        ("a: [1", "f.yaml, line 2 is no YAML"),
        ("a: 1\n\tb: 2", "f.yaml, line 2 is no YAML"),
        ("a: \x07", "f.yaml"),
        ("a: 1\n---\nb: 2", "f.yaml, line 2 is no YAML (but found another document)"),
        ("a: *b", "f.yaml, line 1 is no YAML (found undefined alias)"),
        ("a: &x [*x]", "f.yaml, line 1: holds itself by an alias"),
        ("a: !!python/object:os.system x", "f.yaml, line 1: has the tag"),
        ("? [a, b]\n: 1", "f.yaml, line 1: has a key that is no text"),
        ("a: {<<: 5}", "f.yaml, line 1: merges by << what is no mapping"),
        (
            "a: &a [x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{n}: &{n} [{', '.join([f'*{m}'] * 9)}]\n"
                for m, n in zip("abcdef", "bcdefg", strict=True)
            ),
            "f.yaml: says more than",
        ),
    ],
    ids=range(13),
)
def test_what_is_no_plain_yaml_is_refused_with_file_and_line(text, message):
    with pytest.raises(InputError, match=re.escape(message)):
        parse_yaml(text, "f.yaml")


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(InputError, match=r"absent: cannot be read \(No such file"):
        read_yaml(tmp_path / "absent", "absent")
    (tmp_path / "latin").write_bytes("a: 1\nb: \xe9\n".encode("latin-1"))
    with pytest.raises(InputError, match="latin, line 2: is not UTF-8"):
        read_yaml(tmp_path / "latin", "latin")
    with pytest.raises(InputError, match="deep"):
        parse_yaml("[" * 5000 + "]" * 5000, "deep")


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200) | st.text("ab:{}[]&*!<>|-'\"#\n\t ,?%@0", max_size=60).map(str.encode)
)
def test_whatever_bytes_a_file_holds_it_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    try:
        read_yaml(path, "any.yaml")
    except InputError as error:
        assert "any.yaml" in str(error)
