"""The figure of drops class by class, drawn from scores made by hand."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest

from helpers.relevance_vectors import CLASSES
from helpers.tables import STATISTICS, with_nothing
from l2i.checks import InputError


class TestScript:
    def rows(self, drops, name="dog", removal="relevant", **columns):
        key = {"dataset": "sonyc_ust", "fold": "official", "system": "l2i_att", "run": 0}
        clips = [f"{i}" for i in range(len(drops))]
        what = {"class": name, "removal": removal, "threshold": 0.1, "draw": 0, "matched": 1}
        row = key | {"source": clips, "clip": clips} | what | columns
        return pd.DataFrame(row | {"probability_drop": drops})

    def run(self, draw, tmp_path, *frames, baselines=(), excluded=()):
        (tmp_path / "classes.json").write_text(json.dumps(CLASSES))
        return draw(
            "draw_class_faithfulness",
            [with_nothing(frames)],
            path_to_classes=str(tmp_path / "classes.json"),
            **{"of": {"dataset": "sonyc_ust", "system": "l2i_att"}, "threshold": 0.1, "seed": 0},
            **{"baselines": list(baselines), "excluded_classes": list(excluded)},
            statistics=STATISTICS,
        )

    def number(self, table, name, removal="relevant"):
        (row,) = table[(table["class"] == name) & (table["removal"] == removal)].itertuples()
        return row

    def test_it_takes_the_median_over_the_clips_of_each_class(self, draw, tmp_path):
        frames = [self.rows([0.1, 0.1, 0.2, 0.9, 0.9]), self.rows([0.5], "music")]
        table, svg = self.run(draw, tmp_path, *frames)
        columns = ["dataset", "system", "class", "removal", "n_clips", "median", "low", "high"]
        assert list(table) == columns
        relevant, nothing = (table[table["removal"] == n] for n in ("relevant", "nothing"))
        assert list(relevant["class"]) == list(nothing["class"]) == CLASSES
        assert list(relevant["median"])[:2] == [0.2, 0.5]
        assert list(nothing["median"])[:2] == [0, 0]
        assert list(relevant["n_clips"]) == list(nothing["n_clips"]) == [5, 1, 0]
        row = self.number(table, "dog")
        assert 0.1 <= row.low <= 0.2 <= row.high <= 0.9
        assert relevant.iloc[1][["low", "high"]].isna().all(), "one clip gives no interval"
        assert relevant.iloc[2][["median", "low", "high"]].isna().all()
        for name, n in zip(CLASSES, [5, 1, 0], strict=True):
            assert f">{name}<" in svg and f">{n}<" in svg

    def test_runs_and_draws_are_averaged_after_their_medians(self, draw, tmp_path):
        relevant = [self.rows([0.0, 0.0, 0.9]), self.rows([0.4, 0.4, 0.4], run=1)]
        random = [
            self.rows([0.0, 0.1, 0.9], removal="random_all", run=run, draw=draw_ + run)
            for run, draw_ in itertools.product((0, 1), (0, 1))
        ]
        random[3]["probability_drop"] = 0.5
        table, _ = self.run(draw, tmp_path, *relevant, *random, baselines=["all"])
        assert list(table["removal"].unique()) == ["relevant", "random_all", "nothing"]
        assert self.number(table, "dog").median == pytest.approx(0.2)
        assert self.number(table, "dog", "random_all").median == pytest.approx(0.2)
        assert self.number(table, "dog", "random_all").n_clips == 3

    def test_clips_that_could_not_be_matched_are_left_out_of_that_baseline(self, draw, tmp_path):
        frames = [
            self.rows([0.1, 0.2, 0.9]),
            self.rows([0.5], "music"),
            self.rows([0.0, 0.1, 0.8], removal="random_energy", matched=[1, 1, 0]),
            self.rows([0.0], "music", removal="random_energy", matched=0),
        ]
        table, svg = self.run(draw, tmp_path, *frames, baselines=["energy"])
        row = self.number(table, "dog", "random_energy")
        assert (row.median, row.n_clips) == (pytest.approx(0.05), 2)
        assert self.number(table, "dog").median == 0.2
        assert self.number(table, "music", "random_energy").n_clips == 0
        assert ">matched<" in svg and ">2<" in svg and ">clips<" in svg
        assert "diverged" not in svg and svg.count("no decision for it") == 1

    def test_other_thresholds_and_baselines_stay_out(self, draw, tmp_path):
        frames = [
            self.rows([0.3, 0.3]),
            self.rows([0.8, 0.8], threshold=0.5),
            self.rows([0.1, 0.1], removal="random_energy"),
        ]
        table, _ = self.run(draw, tmp_path, *frames)
        assert self.number(table, "dog").median == 0.3
        assert list(table["removal"].unique()) == ["relevant", "nothing"]

    def test_folds_are_averaged(self, draw, tmp_path):
        frames = [self.rows([0.1, 0.1], fold="1"), self.rows([0.5], fold="2")]
        row = self.number(self.run(draw, tmp_path, *frames)[0], "dog")
        assert (row.median, row.n_clips) == (pytest.approx(0.3), 3)

    def test_a_run_without_any_decision_is_legal(self, draw, tmp_path):
        table, svg = self.run(draw, tmp_path, self.rows([0.1])[:0], baselines=["all"])
        assert (table["n_clips"] == 0).all() and len(table) == 9
        assert svg.count("no decision for it") == 3

    def test_a_drop_that_is_no_number_shows(self, draw, tmp_path):
        table, svg = self.run(draw, tmp_path, self.rows([0.1, np.nan, 0.2]))
        assert np.isnan(self.number(table, "dog").median)
        assert "diverged" in svg

    def test_a_baseline_that_was_not_drawn_at_this_threshold_is_refused(self, draw, tmp_path):
        frames = [self.rows([0.1]), self.rows([0.1], removal="random_all", threshold=0.5)]
        with pytest.raises(InputError, match="class 'dog': random_all was not measured on the"):
            self.run(draw, tmp_path, *frames, baselines=["all"])

    def test_all_that_does_not_fit_is_named_at_once(self, draw, tmp_path):
        frames = [
            self.rows([0.1], "cat"),
            self.rows([0.1], dataset="openmic"),
            self.rows([0.1], system="l2i_max"),
        ]
        with pytest.raises(InputError, match="4 problems") as caught:
            self.run(draw, tmp_path, *frames, excluded=["bird"])
        for word in ("'cat'", "'openmic'", "'l2i_max'", "'bird'"):
            assert word in str(caught.value)
