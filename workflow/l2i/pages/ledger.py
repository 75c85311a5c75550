"""The ledger as a page: where paper, authors' code and this project part, and what a run does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from l2i.pages.rendering import rendered
from l2i.reporting.pipe_tables import escaped

TITLE = "Where paper, authors' code and this project differ"
LEAD = (
    "Each entry says what the paper says, what the authors' released code does, what this project "
    "does by default, what that does to scores as far as it has been measured, and which reading "
    "this run follows. The released code belongs to an earlier paper of the same authors."
)
PARTS = {
    "paper": "Paper",
    "code": "Authors' code",
    "ours": "Ours",
    "effect": "Measured effect",
    "source": "Source",
}
WHOSE = {
    "ours": "ours",
    "paper": "the paper's",
    "code": "the authors' code's",
    "published": "its public code's",
}
OF_NOBODY = "a value of this run's own"
FIXED = "None: wherever this run comes to it, our reading holds."

Entry = Mapping[str, Any]


def to_markdown(entries: Mapping[str, Entry]) -> str:
    """The ledger as a page of Markdown.

    Parameters
    ----------
    entries : mapping
        By id, in the order of the page: the texts ``topic`` and those of `PARTS`, and
        ``switches``, by key of the configuration. A switch has ``ours``, the default value;
        ``readings``, a value for each other reading (paper, code, published); ``used``, by where
        in the run, its ``value`` and ``readings``; and ``others``, by where, values of that
        setting which the key does not decide.

    Returns
    -------
    str
    """
    parts = [f"# {escaped(TITLE)}", LEAD, "## In this run", _in_this_run(entries)]
    for name, entry in entries.items():
        lines = [f"- **{part}:** {_line(entry[key])}" for key, part in PARTS.items()]
        told = [f"`{key}`: {_line(text)}" for key, text in _told(entry["switches"])]
        lines += [f"- **Switch:** {text}" for text in told or [_line(FIXED)]]
        parts += [f"## {_line(entry['topic'])} (`{name}`)", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def to_html(entries: Mapping[str, Entry]) -> str:
    """The ledger as a page of HTML, in one file; `entries` as for :func:`to_markdown`."""
    values = {
        "title": TITLE,
        "lead": LEAD,
        "counted": counted(entries),
        "departing": departing(entries),
        "entries": entries,
        "parts": PARTS,
        "told": {name: list(_told(entry["switches"])) for name, entry in entries.items()},
        "fixed": FIXED,
        "pieces": pieces,
    }
    return rendered("ledger.html", values)


def departing(entries: Mapping[str, Entry]) -> dict[str, list[str]]:
    """Entries of which this run follows another reading than ours, by id, and which.

    What a run says for itself alone, by another value than that of any reading, counts as one.
    """
    found = {}
    for name, entry in entries.items():
        used = [u for switch in entry["switches"].values() for u in switch["used"].values()]
        others = [_whose(each["readings"]) for each in used if "ours" not in each["readings"]]
        if others:
            found[name] = list(dict.fromkeys(others))
    return found


def counted(entries: Mapping[str, Entry]) -> str:
    """How many entries there are, and of how many this run departs from the default."""
    switched = [entry for entry in entries.values() if entry["switches"]]
    return (
        f"Of {len(entries)} entries, {len(switched)} can be switched. This run departs from our "
        f"default in {len(departing(entries))}."
    )


def _in_this_run(entries: Mapping[str, Entry]) -> str:
    lines = [
        f"- `{name}`: {_line(entries[name]['topic'])}: {_line(', '.join(whose))}"
        for name, whose in departing(entries).items()
    ]
    return "\n".join([counted(entries), *([""] if lines else []), *lines])


def _told(switches: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
    """Each key of the configuration, and in sentences its readings and what this run has there."""
    for key, switch in switches.items():
        used = [
            f"{shown(each['value'])} {where} ({_whose(each['readings'])})"
            for where, each in switch["used"].items()
        ]
        others = [f"{shown(value)} {where}" for where, value in switch["others"].items()]
        sentences = [
            _readings({"ours": switch["ours"]} | switch["readings"]),
            f"In this run: {'; '.join(used) or 'nothing follows this key'}",
            *([f"Not by this key: {'; '.join(others)}"] if others else []),
        ]
        yield key, " ".join(f"{sentence}." for sentence in sentences)


def _readings(values: Mapping[str, Any]) -> str:
    """The value of each reading, those that have the same together."""
    whose: dict[str, list[str]] = {}
    for name, value in values.items():
        whose.setdefault(shown(value), []).append(name)
    return "; ".join(f"{_whose(names)} {value}" for value, names in whose.items())


def _whose(readings: Iterable[str]) -> str:
    return " and ".join(WHOSE[name] for name in readings) or OF_NOBODY


def shown(value: Any) -> str:
    """A value of the configuration as one would write it there."""
    plain = isinstance(value, str) and value.strip()
    return value if plain else json.dumps(value, ensure_ascii=False)


def pieces(text: str) -> list[tuple[bool, str]]:
    """A text in pieces: whether one is code, set in backticks, and what it says."""
    parts = re.split(r"`([^`]+)`", text)
    return [(i % 2 == 1, part) for i, part in enumerate(parts) if part]


def _line(text: str) -> str:
    """A text in one line of Markdown, in which nothing is markup behind the first words of one."""
    return escaped(" ".join(text.split()))
