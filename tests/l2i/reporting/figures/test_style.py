"""How figures look: clear of each other on the page, and told apart without colours."""

from __future__ import annotations

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.text import Text

from helpers.drawn import FIGURES, LARGE, texts
from l2i.reporting.figures.style import look_of, style


@pytest.mark.parametrize("name", LARGE)
def test_with_many_long_names_no_text_covers_another_or_leaves_the_page(name):
    figure = LARGE[name]()
    page = figure.bbox.padded(1)
    found = texts(figure)
    for text, box in found:
        inside = page.x0 <= box.x0 and box.x1 <= page.x1
        assert inside and page.y0 <= box.y0 and box.y1 <= page.y1, f"{text!r} is cut off"
    slanted = {each.get_text() for each in figure.findobj(Text) if each.get_rotation() % 90}
    for (one, a), (other, b) in itertools.combinations(found, 2):
        if {one, other} <= slanted:  # their boxes overlap, and they do not
            continue
        assert not a.padded(-1).overlaps(b.padded(-1)), f"{one!r} covers {other!r}"


@pytest.mark.parametrize("name", ["cascade", "thresholds"])
def test_slanted_labels_lie_apart_by_more_than_their_height(name):
    figure = LARGE[name]()
    figure.draw_without_rendering()
    for ax in figure.axes:
        labels = [each for each in ax.get_xticklabels() if each.get_rotation() % 90]
        for one, other in itertools.pairwise(labels):
            steps = (each.get_transform().transform(each.get_position()) for each in (one, other))
            apart = np.subtract(*list(steps)[::-1])[0] * np.sin(np.deg2rad(one.get_rotation()))
            assert apart * 72 / figure.dpi > one.get_fontsize()


@pytest.mark.parametrize("name", FIGURES)
def test_there_is_one_legend_at_most_and_no_sign_but_a_true_minus(name):
    figure = FIGURES[name]()
    found = texts(figure)  # which draws it
    assert not [ax for ax in figure.axes if ax.get_legend()]
    assert len(figure.legends) <= 1
    assert not [text for text, _ in found if text.startswith("-")]


def test_what_a_user_has_set_for_matplotlib_has_no_part_in_figures():
    with matplotlib.rc_context({"axes.grid": True, "font.size": 30.0}):
        with style():
            assert (matplotlib.rcParams["axes.grid"], matplotlib.rcParams["font.size"]) == (
                False,
                8,
            )
        assert matplotlib.rcParams["font.size"] == 30


def test_looks_differ_without_colours():
    grey = [(look.shape, look.hollow, look.dash) for look in map(look_of, range(56))]
    assert len(set(grey)) == 56
    for one, other in itertools.pairwise(map(look_of, range(56))):
        assert one.shape != other.shape and one.hollow != other.hollow and one.dash != other.dash
