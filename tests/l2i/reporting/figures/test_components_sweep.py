"""Figure 6: what it shows is what the table says."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from helpers.drawn import segments, sweep, texts, words
from l2i.reporting.figures.components_sweep import LOSSES, components_sweep


class TestComponentsSweep:
    def test_means_and_intervals_stand_where_the_table_says(self):
        table = sweep().sample(frac=1, random_state=0).sort_values("dataset", kind="stable")
        panels = components_sweep(table, confidence=0.95, titles={}).axes
        keys = itertools.product(["esc50", "openmic"], LOSSES)
        for ax, (dataset, loss) in zip(panels, keys, strict=True):
            part = table[(table["dataset"] == dataset) & (table["loss"] == loss)]
            part = part.sort_values("n_components")
            (line,) = ax.lines
            assert line.get_xdata().tolist() == [25, 50, 100]
            assert line.get_ydata() == pytest.approx(part["mean"].to_numpy())
            (ends,) = segments(ax)
            assert ends[:, :, 1] == pytest.approx(part[["low", "high"]].to_numpy())
            assert ax.get_ylabel() == LOSSES[loss]
        shown = words(components_sweep(table, confidence=0.95, titles={"esc50": "ESC-50"}))
        assert shown.count("ESC-50") == 1 and shown.count("means with 95 % intervals") == 1

    def test_folds_and_systems_are_lines_of_their_own(self):
        table = pd.concat([sweep(), sweep().assign(fold="official", system="l2i_max")])
        figure = components_sweep(table, confidence=0.95, titles={"l2i_max": "MAX"})
        (legend,) = figure.legends
        labels = [text.get_text() for text in legend.get_texts()]
        assert labels == ["l2i_att, fold 1", "MAX, official split"]
        ax = figure.axes[0]
        assert len(ax.lines) == 2

    def test_a_loss_that_diverged_leaves_a_gap_that_says_so(self):
        table = sweep(["esc50"])
        table.loc[table["n_components"] == 50, ["mean", "low", "high"]] = np.nan
        assert [t for t, _ in texts(components_sweep(table, confidence=0.9, titles={}))].count(
            "diverged"
        ) == 2

    def test_one_number_of_components_is_legal(self):
        figure = components_sweep(sweep(["esc50"], [100]), confidence=0.9, titles={})
        assert [text for text, _ in texts(figure)].count("100") == 2
