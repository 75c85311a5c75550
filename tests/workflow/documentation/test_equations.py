"""Equations, drawn into the page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from documentation.equations import drawn

TEXT = "before\n\n$$\nX = \\log(1 + |S|) < 2\n$$\n\nafter $$ no equation $$\n"


def test_an_equation_becomes_a_picture_in_the_colour_of_the_text():
    (svg,) = re.findall(r"<svg.*</svg>", drawn(TEXT))
    picture = ET.fromstring(svg)
    assert picture.attrib["role"] == "img"
    assert picture.attrib["aria-label"] == r"X = \log(1 + |S|) < 2"
    assert "currentColor" in svg and not re.search(r"#[0-9a-f]{6}", svg)
    assert len(picture.findall(".//{*}use")) + len(picture.findall(".//{*}path")) > 5


def test_all_else_stays():
    assert re.sub(r'<div class="equation">.*</div>', "E", drawn(TEXT)) == (
        "before\n\nE\n\nafter $$ no equation $$\n"
    )


def test_the_same_equation_is_the_same_picture():
    assert drawn(TEXT) == drawn(TEXT)


def test_an_equation_that_cannot_be_drawn_ends_the_build():
    with pytest.raises(ValueError, match="nonsense"):
        drawn("$$\n\\nonsense{x}\n$$")
