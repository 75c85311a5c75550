"""Lists and mappings of ours: read back, or refused in words."""

import pytest

from l2i.checks import InputError
from l2i.stored import read_json


def test_what_is_asked_for_is_read(tmp_path):
    path = tmp_path / "x.json"
    for text, kind, value in (('["a"]', list, ["a"]), ('{"a": 1}', dict, {"a": 1})):
        path.write_text(text)
        assert read_json(path, kind) == value


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ('{"a": 1}', list, "a list of names"),
        ('["a", 1]', list, "a list of names"),
        ('["a"]', dict, "a mapping"),
        ("null", dict, "a mapping"),
        ('["a"', list, "no JSON"),
    ],
)
def test_anything_else_is_refused_with_the_remedy(tmp_path, text, kind, what):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=f"x.json .*{what}.*delete it and give your command again"):
        read_json(path, kind)
