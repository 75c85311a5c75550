"""Figure S4: drops over thresholds, and beside them those of random removals."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.drawn import drops, segments, words
from l2i.reporting.figures.thresholds import threshold_curves

NAMED = {"l2i_att": "L2I w/ ATT", "l2i_max": "L2I w/ MAX"}


def test_medians_and_intervals_stand_where_the_table_says():
    table = drops()
    left, right = threshold_curves(table, confidence=0.95, titles=NAMED).axes
    for i, (name, title) in enumerate(NAMED.items()):
        part = table[(table["system"] == name) & (table["removal"] == "relevant")]
        part = part.sort_values("threshold")
        line = next(line for line in left.lines if line.get_label() == name)
        assert line.get_ydata() == pytest.approx(part["mean"].to_numpy()), title
        assert line.get_xdata() == pytest.approx([0.1, 0.5, 0.9], abs=0.1)
        assert segments(left)[i][:, :, 1] == pytest.approx(part[["low", "high"]].to_numpy())
        random = table[(table["system"] == name) & (table["removal"] != "relevant")]
        assert segments(right)[i][:, :, 1] == pytest.approx(random[["low", "high"]].to_numpy())
    both = [line.get_xdata() for line in left.lines if line.get_label() in NAMED]
    assert (np.abs(both[0] - both[1]) > 0.01).all(), "no mark hides another"


def test_random_removals_are_named_with_their_threshold():
    shown = words(threshold_curves(drops(), confidence=0.9, titles=NAMED))
    for text in ("unselected", "matched in energy", "at threshold 0.1", "drawn at random"):
        assert text in shown
    assert shown.count("L2I w/ ATT") == 1
    assert "medians with 90 % intervals over recordings" in shown


def test_a_removal_without_clips_says_so():
    table = drops()
    lost = (table["system"] == "l2i_max") & (table["removal"] == "random_energy")
    table.loc[lost, ["mean", "low", "high"]] = np.nan
    assert words(threshold_curves(table, confidence=0.9, titles={})).count("no clip") == 1


def test_without_random_removals_there_are_none():
    table = drops(random=())
    assert "at threshold" not in " ".join(words(threshold_curves(table, confidence=0.9, titles={})))
