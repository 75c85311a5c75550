"""The figure of losses against the number of components, drawn from scores made by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from helpers.tables import STATISTICS
from l2i.checks import InputError
from l2i.reporting.figures.components_sweep import LOSSES


class TestScript:
    def rows(self, reconstruction, fidelity, variant, fold="1", run=0):
        key = {"dataset": "esc50", "fold": fold, "system": "l2i_att", "variant": variant}
        losses = {"reconstruction_loss": reconstruction, "fidelity_loss": fidelity}
        clips = [f"{i}" for i in range(len(fidelity))]
        return pd.DataFrame(key | {"run": run, "source": clips, "clip": clips} | losses)

    def run(self, draw, *frames, **variants):
        rows = [
            {"dataset": "esc50", "fold": 1, "system": "l2i_att", "variant": v, "n_components": K}
            | {"more": {"is": "ignored"}}
            for v, K in variants.items()
        ]
        return draw("draw_components_sweep", frames, rows=rows, statistics=STATISTICS, seed=0)

    def test_it_takes_the_mean_of_both_losses_for_each_row(self, draw):
        frames = [
            self.rows([0.1, 0.3], [1.0, 2.0], "small"),
            self.rows([0.1, 0.1], [0.5, 0.7], "default"),
            self.rows([9.0, 9.0], [9.0, 9.0], "default", fold="2"),
        ]
        table, svg = self.run(draw, *frames, small=10, default=20)
        columns = ["dataset", "fold", "system", "variant", "n_components", "loss", "n_clips"]
        assert list(table) == [*columns, "mean", "low", "high"]
        assert list(table["n_components"]) == [10, 10, 20, 20]
        assert list(table["loss"]) == [*LOSSES] * 2
        assert table["mean"].to_numpy() == pytest.approx([0.2, 1.5, 0.1, 0.6])
        assert table["low"].isna().all(), "two clips give no interval"
        assert (table["n_clips"] == 2).all() and list(table["fold"].unique()) == ["1"]
        assert "fidelity loss (nat)" in svg and "reconstruction loss" in svg

    def test_runs_are_averaged(self, draw):
        frames = [self.rows([0.1], [1.0], "v"), self.rows([0.3], [2.0], "v", run=1)]
        table, _ = self.run(draw, *frames, v=10)
        assert table["mean"].to_numpy() == pytest.approx([0.2, 1.5])

    def test_a_variant_without_clips_is_refused_by_name(self, draw):
        with pytest.raises(InputError, match="no clips of dataset esc50, fold 1, .*variant w"):
            self.run(draw, self.rows([0.1], [1.0], "v"), v=10, w=20)
