"""l2i.pages.rendering: what every page of HTML has."""

from __future__ import annotations

import re

import jinja2
import pytest

from l2i.pages.rendering import TEMPLATES, rendered

# The page of provenance is laid out around its drawing, and has tests of its own for all of this.
ALONE = {"base.html", "provenance.html"}
PAGES = sorted(path.name for path in TEMPLATES.glob("*.html") if path.name not in ALONE)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_extends_the_base_which_gives_language_width_and_a_way_past_the_head(page):
    assert '{% extends "base.html" %}' in (TEMPLATES / page).read_text()
    base = (TEMPLATES / "base.html").read_text()
    for needed in ('lang="en"', "width=device-width", 'class="skip" href="#content"', "<main id="):
        assert needed in base
    assert "color-scheme: light dark" in base


@pytest.mark.parametrize("page", [*PAGES, "base.html"])
def test_no_template_fetches_anything(page):
    text = (TEMPLATES / page).read_text()
    assert not re.findall(r"(?:src|href)=\W?https?:|@import|url\(\W?http|<link", text)


def test_what_a_template_names_and_nobody_gives_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="'title' is undefined"):
        rendered("ledger.html", {})
