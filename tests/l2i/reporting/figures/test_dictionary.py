"""Figure S3: levels of columns, and marks of those that are never active."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.drawn import columns, words
from l2i.reporting.figures.dictionary import RANGE_DB, dictionary_map


def test_levels_centroids_and_dead_columns_stand_where_the_table_says():
    table = columns(dead=(2, 4))
    ax, _ = dictionary_map(table, titles={}).axes
    (image,) = ax.collections
    levels = np.asarray(image.get_array()).reshape(4, 4)
    wanted = table.pivot(index="frequency_hz", columns="place", values="level_db")
    assert levels == pytest.approx(np.maximum(wanted, -RANGE_DB).to_numpy())
    assert (levels.diagonal() == 0).all() and levels.max() == 0
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["spectral centroid"].get_ydata().tolist() == [100, 400, 1600, 6400]
    assert lines["active in no test clip"].get_xdata().tolist() == [2, 4]


def test_where_all_are_active_nothing_is_marked():
    figure = dictionary_map(columns(dead=()), titles={"esc50": "ESC-50"})
    shown = words(figure)
    assert "active in no test clip" not in shown and "ESC-50" in shown
    assert "level (dB re largest)" in shown and "frequency (kHz)" in shown
    assert figure.axes[0].get_position().width > 0.5, "the panel fills its column"
