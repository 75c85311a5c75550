"""l2i.provenance.housekeeping: names by which jobs keep house, all of them."""

from __future__ import annotations

import re

import pytest

from helpers.project import PROJECT
from l2i.provenance.housekeeping import is_housekeeping


def test_every_hidden_name_that_the_page_of_results_tells_of_is_known():
    page = (PROJECT / "results/README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\.[a-z]+-)\.\.\.`", page))
    assert {".log-", ".lock-", ".before-", ".remake-", ".checkpoints-"} <= named
    assert all(is_housekeeping(f"{name}x") for name in named)


@pytest.mark.parametrize("name", [".records", ".run", ".hashes", ".notes", "part-x", "table.csv"])
def test_others_are_not(name):
    assert not is_housekeeping(name)


def test_nobody_else_spells_them():
    """Whoever makes such a file takes its name from there, but for what is called a part."""
    spelt = re.compile(r"""["']\.(lock|log|before|remake|checkpoints)-""")
    sources = (PROJECT / "workflow").rglob("*.py")
    found = {path.name for path in sources if spelt.search(path.read_text(encoding="utf-8"))}
    assert found == {"housekeeping.py"}
