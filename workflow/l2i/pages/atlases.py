"""The page that leads to the atlases of a run, one for each dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from l2i.names import OFFICIAL
from l2i.pages.rendering import rendered


@dataclass(frozen=True)
class Entry:
    """An atlas, as the page of all of them names it."""

    dataset: str  # title in print
    fold: str
    system: str  # title in print
    path: str  # of its page, from the page of all
    n_components: int
    n_groups: int
    n_unused: int  # active, but relevant to no decision
    dead: Sequence[int]  # numbers of those that are active in no clip


def atlases_page(entries: Sequence[Entry]) -> str:
    """The page that leads to all atlases of a run."""
    return rendered("atlases.html", {"entries": entries, "title_of": title_of})


def title_of(dataset: str, fold: str) -> str:
    """What a dictionary is called."""
    return dataset if fold == OFFICIAL else f"{dataset}, fold {fold}"
