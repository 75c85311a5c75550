"""Figure S5: what is found of clips in company."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.drawn import company, segments, words
from l2i.reporting.figures.corruption_sweep import PANELS, corruption_sweep


def test_means_and_intervals_stand_where_the_table_says():
    table = company()
    panels = corruption_sweep(table, confidence=0.95, titles={}).axes
    keys = [(metric, kind) for metric in PANELS for kind in ("noise", "class")]
    for ax, (metric, kind) in zip(panels, keys, strict=True):
        lines = {line.get_label(): line for line in ax.lines}
        for i, name in enumerate(("l2i_att", "oracle_mask", "base_f")):
            part = table[table[["metric", "kind", "system"]].eq([metric, kind, name]).all(axis=1)]
            assert lines[name].get_ydata() == pytest.approx(part["mean"].to_numpy())
            assert segments(ax)[i][:, :, 1] == pytest.approx(part[["low", "high"]].to_numpy())
            assert np.abs(lines[name].get_xdata() - [-10, 0, 10]).max() < 2


def test_systems_are_named_once_and_stand_side_by_side():
    figure = corruption_sweep(company(), confidence=0.95, titles={"l2i_att": "L2I w/ ATT"})
    shown = words(figure)
    assert shown.count("L2I w/ ATT") == shown.count("classifier f") == shown.count("esc50") == 1
    places = np.array(
        [line.get_xdata() for line in figure.axes[0].lines if line.get_marker() != "None"]
    )
    assert (np.diff(places, axis=0) > 0.5).all()
