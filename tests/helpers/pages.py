"""Pages that tell a reader what to do, and a reader who does exactly that.

A step is a sentence that ends with what to do with which file, and the block of code below it:

    Put it into `path`:      the file is new
    Append it to `path`:     at its end, two empty lines below
    Change `path`:           a diff; each of its parts fits one place of the file
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

STEP = re.compile(
    r"(Put it into|Append it to|Change)\s`([^`\n]+)`:\n\n```\w*\n(.*?)^```$", re.M | re.S
)


class Step(NamedTuple):
    """What to do with a file."""

    action: str
    path: str
    text: str


def section(page: Path, heading: str) -> str:
    """The text below a heading of the second level, up to the next one."""
    _, found, rest = page.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    assert found, f"{page.name} has no section {heading}"
    return rest.partition("\n## ")[0]


def steps(page: Path, heading: str) -> list[Step]:
    """The steps of a section, in order."""
    found = [Step(*match) for match in STEP.findall(section(page, heading))]
    assert found, f"{heading} has no steps"
    return found


def follow(page: Path, heading: str, folder: Path) -> None:
    """Do what a section says to the project in `folder`."""
    for action, name, text in steps(page, heading):
        path = folder / name
        if action == "Put it into":
            assert not path.exists(), f"{name} is there already"
            path.write_text(text, encoding="utf-8")
            continue
        before = path.read_text(encoding="utf-8")
        appended = action == "Append it to"
        after = f"{before}\n\n{text}" if appended else changed(before, text, name)
        path.write_text(after, encoding="utf-8")


def changed(before: str, diff: str, name: str) -> str:
    """A text with each part of a diff done; parts are parted by lines that begin with @@."""
    for part in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        lines = part.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        assert f"\n{before}".count(f"\n{old}") == 1, f"{name} has not one place for:\n{part}"
        before = f"\n{before}".replace(f"\n{old}", f"\n{new}")[1:]
    return before
