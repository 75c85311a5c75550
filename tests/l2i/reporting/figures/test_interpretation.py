"""Figure S2: each cell has the level and the share that the table says."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.drawn import cells, words
from l2i.reporting.figures.interpretation import interpreted_clip


def test_pictures_show_the_cells_of_the_table():
    table = cells()
    figure = interpreted_clip(table, heading="ESC-50, a dog")
    panels = {ax.get_title(): ax for ax in figure.axes if ax.get_title()}
    shown = {"clip": "input_db", "soft mask": "mask"}
    shown |= {"interpretation": "interpretation_db", "remainder": "remainder_db"}
    assert list(panels) == list(shown)
    for title, column in shown.items():
        (image,) = panels[title].collections
        wanted = table.pivot(index="frequency_hz", columns="time_s", values=column)
        assert np.asarray(image.get_array()).reshape(2, 3) == pytest.approx(wanted.to_numpy())
        limits = (0, 1) if column == "mask" else (-80, 0)
        assert image.get_clim() == limits
    told = words(figure)
    for text in ("ESC-50, a dog", "frequency (kHz)", "level (dB re loudest)", "share kept"):
        assert told.count(text) == 1
    assert told.count("time (s)") == 4


def test_where_no_clip_is_listened_to_it_says_so():
    figure = interpreted_clip(cells()[:0], heading="ESC-50")
    assert "no clip of this fold is listened to" in words(figure)
