"""The ledger of deviations as a page of the site, straight from workflow/reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from l2i.pages.ledger import PARTS, WHOSE, pieces, shown
from l2i.reporting.pipe_tables import escaped

CHAPTER = re.compile(r"^# -{5,} (.+)$", re.M)  # of the file, as its editors read it
LEAD = """\
# Where we depart from the paper

Where paper, the authors' released code and this project differ: {n} entries, of which {switched}
can be switched by a key of the [configuration](configuration.md). The released code belongs to an
earlier paper of the same authors. Each run writes the same with what it follows itself,
`results/{{name}}/deviations.html`. All readings of the code together are one overlay,
`config/authors.yaml`.
"""
FIXED = "none"


def ledger_page(text: str) -> str:
    """The page of Markdown that a ledger makes.

    Parameters
    ----------
    text : str
        workflow/reference/deviations.yaml; comments of dashes and a title begin its chapters.
    """
    _, *parts = CHAPTER.split(text)
    chapters = dict(zip(parts[::2], map(yaml.safe_load, parts[1::2]), strict=True))
    entries = [entry for chapter in chapters.values() for entry in chapter]
    switched = sum(entry["switch"] != FIXED for entry in entries)
    lines = [LEAD.format(n=len(entries), switched=switched)]
    for title, chapter in chapters.items():
        lines += [f"## {title[0].upper()}{title[1:]}", *map(_entry, chapter)]
    return "\n\n".join(lines) + "\n"


def _entry(entry: Mapping[str, Any]) -> str:
    said = [f"- **{name}:** {_line(entry[key])}" for key, name in PARTS.items()]
    switches = entry["switch"] if entry["switch"] != FIXED else []
    said += [
        f"- **Switch:** `{each['key']}`, ours `{shown(each['ours'])}`; "
        f"`{shown(each['value'])}` is {WHOSE[each['gives']]}"
        for each in switches
    ]
    said += [] if switches else ["- **Switch:** none"]
    return f"### {_line(entry['topic'])} {{ #{entry['id']} }}\n\n" + "\n".join(said)


def _line(text: str) -> str:
    told = pieces(" ".join(text.split()))
    return "".join(f"`{part}`" if is_code else escaped(part) for is_code, part in told)
