"""l2i.reporting.fonts: no name in a figure is a row of boxes."""

from __future__ import annotations

import io
import logging
import warnings

import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text

from helpers.drawn import CAPTION
from l2i.reporting import fonts
from l2i.reporting.figures.saving import save
from l2i.reporting.figures.style import style

CJK = "大提琴"


@pytest.fixture
def drawn():
    """A figure with names everywhere that names may stand."""

    def draw(name):
        with style(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph")
            figure = Figure(figsize=(4, 2))
            ax = figure.subplots()
            ax.plot([0, 1], [0, 1], label=f"{name} in a legend")
            ax.set_yticks([0, 1], [name, "knock"])
            ax.set_title(f"{name} as title")
            ax.legend()
            figure.draw_without_rendering()
            return figure

    return draw


@pytest.fixture
def bare(monkeypatch):
    """A machine with no font but that of Matplotlib."""
    entries = [e for e in font_manager.fontManager.ttflist if e.name in (fonts.BASE, "Last Resort")]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", entries)


def in_pixels(figure):
    """Texts as they are drawn, where drawing warns of no character."""
    with warnings.catch_warnings(), style():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
    return {text.get_text() for text in figure.findobj(Text) if text.get_text()}


def test_names_that_the_font_has_are_left_alone(drawn):
    figure = drawn("Flöte Ω я")
    before = [text.get_fontfamily() for text in figure.findobj(Text)]
    assert fonts.without_boxes(figure) == ""
    assert [text.get_fontfamily() for text in figure.findobj(Text)] == before
    assert {"Flöte Ω я", "knock", "Flöte Ω я as title"} <= in_pixels(figure)


def test_any_font_of_the_machine_will_do(drawn):
    base, other = (
        font_manager.get_font(font_manager.findfont(name)) for name in (fonts.BASE, "STIXGeneral")
    )
    (name, *_) = (
        chr(n)
        for n in sorted(set(other.get_charmap()) - set(base.get_charmap()))
        if chr(n).isalpha()
    )
    figure = drawn(name)
    assert fonts.without_boxes(figure) == ""
    assert {name, f"{name} as title", f"{name} in a legend"} <= in_pixels(figure)


def test_without_one_characters_are_shown_by_their_numbers(drawn, bare):
    figure = drawn(f"{CJK} 2")
    assert fonts.without_boxes(figure) == "".join(sorted(CJK))
    number = r"\u5927\u63d0\u7434 2"
    shown = in_pixels(figure)
    assert {number, "knock", f"{number} as title", f"{number} in a legend"} <= shown
    assert not any(CJK in text for text in shown)


def test_long_names_stay_short_and_different(bare):
    first, second = (fonts.numbered(CJK * 30 + end, set(CJK)) for end in "ab")
    assert first != second and len(first) == len(second) == fonts.LONGEST
    assert fonts.numbered(f"{CJK * 30}\nn = 7", set(CJK)).endswith("\nn = 7")


def test_a_figure_warns_once_and_its_vectors_keep_the_name(drawn, bare, tmp_path, caplog):
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        save(drawn(CJK), tmp_path / "f.svg", tmp_path / ".part-f.png", CAPTION)
    assert CJK in (tmp_path / "f.svg").read_text()
    (said,) = caplog.messages
    assert f"has {''.join(sorted(CJK))}: f.png shows them" in said and "fonts-noto-cjk" in said


def test_equal_figures_have_equal_bytes_with_such_names_too(drawn, bare, tmp_path):
    for name in ("a", "b"):
        save(drawn(CJK), tmp_path / f"{name}.svg", tmp_path / f"{name}.png", CAPTION)
    for suffix in ("svg", "png"):
        assert np.array_equal(*((tmp_path / f"{n}.{suffix}").read_bytes() for n in "ab"))
