"""l2i.reporting.pipe_tables: names come from outside, and are shown as they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2i.reporting.pipe_tables import escaped, pipe_table


def cells_of(line):
    """Texts of a row, read as GitHub reads them: bars apart, then signs without their backslash."""
    cells = re.findall(r"\| ((?:[^|\\]|\\.)*) (?=\|)", line)
    return [re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", cell) for cell in cells]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a|b", r"a\|b"),
        ("`rm`", r"\`rm\`"),
        ("<b>door</b>", r"\<b>door\</b>"),
        ("**loud**", r"\*\*loud\*\*"),
        ("_soft_", r"\_soft\_"),
        ("~~old~~ $x$", r"\~\~old\~\~ \$x\$"),
        ("[here](http://x)", r"[here\](http://x)"),
        ("&lt;", r"\&lt;"),
        ("\\|", r"\\\|"),
        # These mean nothing to Markdown.
        ("dog_bark", "dog_bark"),
        ("大_提琴", "大_提琴"),
        ("< 0.0001", "< 0.0001"),
        ("0.5 [0.4, 0.6]", "0.5 [0.4, 0.6]"),
        ("R&B", "R&B"),
    ],
)
def test_what_is_markup_is_escaped(name, written):
    assert escaped(name) == written
    assert pipe_table([{"class": name}]).splitlines()[2] == f"| {written} |"


@given(st.lists(st.text("|\\`*_<>&~$[]() a1é", min_size=1).map(str.strip), min_size=1))
def test_a_row_has_its_cells_and_each_its_text(names):
    named = {str(i): f"x{name}x" for i, name in enumerate(names)}
    line = pipe_table([named]).splitlines()[2]
    assert cells_of(line) == [*named.values()]
