"""docs/faults.md: what it says is tried, is: by as many tests, in the files that it names."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from helpers.pages import section
from helpers.project import PROJECT

PAGE = PROJECT / "docs/faults.md"
NAMED = re.compile(r"tests/[\w/]+\.py")
FEWEST = {"reruns": 119, "kills": 32, "downloads": 70, "archives": 40, "security": 133}
GROWN = 1.25  # tests that were added since a number was written do not make it wrong


def rows() -> dict[str, tuple[int, list[str]]]:
    """The table of probes: by group, how many there are and what pytest is to collect for them."""
    lines = re.findall(r"^\| (\w+) \| .* \| (\d+) \| (.*) \|$", section(PAGE, "Probes"), re.M)
    return {group: (int(number), re.findall(r"`([^`]+)`", where)) for group, number, where in lines}


@pytest.fixture(scope="module")
def collected() -> list[str]:
    """What pytest collects in all files of the table, as `file::test`."""
    files = sorted({each.partition("::")[0] for _, where in rows().values() for each in where})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *files], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_every_file_that_the_page_names_is_there():
    text = PAGE.read_text(encoding="utf-8")
    paths = {PROJECT / name for name in NAMED.findall(text)}
    linked = {PAGE.parent / name for name in re.findall(r"\]\((\.\./[^)#]+)", text)}
    assert paths and linked and not [path for path in paths | linked if not path.exists()]
    there = {path.name for path in (PROJECT / "tests").rglob("test_*.py")}
    assert not {*re.findall(r"\btest_\w+\.py", text)} - there


def test_every_group_has_its_row():
    assert rows().keys() == FEWEST.keys()


@pytest.mark.slow
@pytest.mark.parametrize("group", FEWEST)
def test_the_table_claims_what_there_is(group, collected):
    claimed, where = rows()[group]
    found = {place: [test for test in collected if is_at(place, test)] for place in where}
    assert all(found.values()), "a place without tests"
    number = sum(map(len, found.values()))
    assert FEWEST[group] <= claimed <= number <= claimed * GROWN, f"{number} probes of {group}"


@pytest.mark.slow
def test_no_test_is_counted_twice(collected):
    places = [place for _, where in rows().values() for place in where]
    assert not [test for test in collected if sum(is_at(place, test) for place in places) > 1]


def is_at(place: str, test: str) -> bool:
    """Whether a test is one of a file, of a class in it, or the one that is named itself."""
    return re.split(r"::|\[", test)[: place.count("::") + 1] == place.split("::")
