"""l2i.pages.atlases: the page that leads to all atlases."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from l2i.names import OFFICIAL
from l2i.pages.atlases import Entry, atlases_page, title_of

VILE = "<script>alert(1)</script>{{ 7*7 }}"


class Links(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.found = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.found += [value for name, value in attributes if name == "href"]


def entry(**changes):
    given = {"dataset": "ESC-50", "fold": "2", "system": "L2I", "path": "a/index.html"}
    counts = {"n_components": 100, "n_groups": 4, "n_unused": 30, "dead": [*range(8)]}
    return Entry(**given | counts | changes)


@pytest.mark.parametrize(("fold", "title"), [("2", "ESC-50, fold 2"), (OFFICIAL, "ESC-50")])
def test_a_dictionary_is_called_after_its_data_and_fold(fold, title):
    assert title_of("ESC-50", fold) == title


def test_every_atlas_is_linked_with_its_numbers():
    html = atlases_page([entry(), entry(path="b c/index.html", n_groups=77)])
    assert Links(html).found == ["#content", "a/index.html", "b c/index.html"]
    assert ">77<" in html and "ESC-50, fold 2" in html


def test_names_are_shown_and_not_obeyed():
    html = atlases_page([entry(dataset=VILE, system=VILE)])
    assert "script" not in Links(html).tags and "49" not in html


def test_a_run_without_dictionaries_says_so():
    assert "No system of this run has a dictionary" in atlases_page([])
