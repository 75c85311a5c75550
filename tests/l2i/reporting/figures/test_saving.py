"""Figures as files: the same bytes for the same table, and what they say of themselves."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import matplotlib
import pytest
from PIL import Image

from helpers.drawn import CAPTION, FIGURES
from l2i.reporting.figures.saving import save
from l2i.reporting.figures.style import COLUMN, LARGE, PAGE, SMALL

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", FIGURES)
class TestEveryFigure:
    def test_the_same_numbers_give_the_same_bytes_whatever_the_user_has_set(self, name, tmp_path):
        with matplotlib.rc_context({"font.size": 20, "svg.hashsalt": None, "axes.grid": True}):
            save(FIGURES[name](), tmp_path / "a.svg", tmp_path / "a.png", CAPTION)
        save(FIGURES[name](), tmp_path / "b.svg", tmp_path / "b.png", CAPTION)
        for suffix in ("svg", "png"):
            first, second = ((tmp_path / f"{f}.{suffix}").read_bytes() for f in "ab")
            assert first == second
            assert b"dc:date" not in first
            assert b"Software" not in first and b"Matplotlib v" not in first
        svg = (tmp_path / "a.svg").read_text()
        self.check_letters_and_width(svg)
        self.check_what_is_read_aloud(svg)
        with Image.open(tmp_path / "a.png") as picture:
            assert picture.text["Title"] == CAPTION["title"]
            assert picture.text["Description"] == CAPTION["text"]

    def check_letters_and_width(self, svg):
        """Text is text of 7 to 8 points, and the page as wide as one column or two."""
        sizes = {float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)}
        sizes |= {float(size) for size in re.findall(r"font: ([\d.]+)px", svg)}
        assert sizes and min(sizes) >= SMALL and max(sizes) <= LARGE
        width = float(re.search(r'<svg [^>]*width="([\d.]+)pt"', svg)[1]) / 72
        assert any(width == pytest.approx(each, abs=0.01) for each in (COLUMN, PAGE))
        assert pytest.approx((88, 180)) == (COLUMN * 25.4, PAGE * 25.4)

    def check_what_is_read_aloud(self, svg):
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img"
        told = {each.get("id"): each.text for each in root}
        assert told[root.get("aria-labelledby")] == CAPTION["title"]
        assert told[root.get("aria-describedby")] == CAPTION["text"]
        assert root[0].tag == f"{SVG}title", "only a title that comes first is one"


def test_the_state_of_matplotlib_is_left_as_it_was(tmp_path):
    before = dict(matplotlib.rcParams)
    save(FIGURES["faithfulness"](), tmp_path / "a.svg", tmp_path / "a.png", CAPTION)
    assert dict(matplotlib.rcParams) == before
