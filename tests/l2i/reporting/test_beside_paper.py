"""l2i.reporting.beside_paper: measured numbers beside the printed ones."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from helpers.small_reference import REFERENCE, measured, paper, printed
from l2i.checks import InputError
from l2i.reporting.beside_paper import (
    COLUMNS,
    beside_paper,
    condition_text,
    measure,
    measure_difference,
    measure_score,
    measure_share,
    read_clips,
    read_clips_of_datasets,
    summarise,
    welch_margin,
)
from l2i.reporting.statistics import mean, median


def row_of(rows, **wanted):
    (row,) = rows[(rows[list(wanted)] == pd.Series(wanted)).all(axis=1)].to_dict("records")
    return row


def joined(ours, *, reference=REFERENCE, comparable=True):
    rows = beside_paper(
        ours, paper(reference=reference), datasets=["a"], comparable={"a": comparable}
    )
    return row_of(rows, system="ours")


class TestPaperNumbers:
    def test_they_come_under_our_name_of_the_data_set(self):
        assert set(paper({"mine": "esc50"})["dataset"]) == {"mine"}

    def test_two_of_our_data_sets_may_stand_beside_one_of_the_paper(self):
        rows = paper({"whole": "esc50", "part": "esc50"})
        assert sorted(rows["dataset"]) == ["part", "part", "whole", "whole"]

    def test_only_systems_that_run_and_those_that_the_paper_quotes_are_kept(self):
        assert list(paper()["system"]) == ["human", "ours"]

    def test_a_random_baseline_needs_the_system_that_it_counters(self):
        reference = printed(condition={"of": "absent"})
        assert "ours" not in set(paper(reference=reference)["system"])

    def test_a_spread_in_the_text_counts_where_the_table_prints_none(self):
        reference = printed(spread=None, n=None, text={"mean": 80.0, "spread": 1.5, "n": 3})
        row = row_of(paper(reference=reference), system="ours")
        assert (row["paper_spread"], row["paper_n"]) == (1.5, 3)

    def test_a_spread_in_the_table_comes_first(self):
        reference = printed(text={"mean": 80.0, "spread": 1.5, "n": 3})
        assert row_of(paper(reference=reference), system="ours")["paper_spread"] == 2.0

    def test_each_says_which_data_set_of_the_paper_it_belongs_to(self):
        assert set(paper({"mine": "esc50"})["paper_dataset"]) == {"esc50"}

    def test_a_data_set_without_counterpart_has_none(self):
        assert paper({"mine": None}).empty


class TestVerdicts:
    # Sample variances over n: 1 / 3 of ours (sd 1, n 4), 1 of the paper's (sd 2, n 5). Their sum is
    # 4 / 3, of (4 / 3)^2 / (1 / 27 + 1 / 4) = 6.194 degrees of freedom, of which t is 2.4285: the
    # gap may be 2.4285 x 1.1547 = 2.8042.
    def test_a_small_gap_agrees(self):
        assert joined(measured(82.8041))["verdict"] == "agrees"
        assert joined(measured(77.1959))["verdict"] == "agrees"

    def test_a_large_gap_differs(self):
        assert joined(measured(82.8043))["verdict"] == "differs"
        assert joined(measured(77.1957))["verdict"] == "differs"

    def test_the_test_is_welchs(self, rng):
        for n, m in ((3, 3), (5, 3), (2, 5)):
            x, y = rng.normal(0, 1, n), rng.normal(1, 3, m)
            margin = welch_margin((np.std(x), n), (np.std(y), m))
            refused = ttest_ind(x, y, equal_var=False).pvalue < 0.05
            assert (abs(x.mean() - y.mean()) > margin) == refused
            shifted = x - x.mean() + y.mean() + margin
            assert ttest_ind(shifted, y, equal_var=False).pvalue == pytest.approx(0.05)

    @pytest.mark.parametrize(("n", "paper_n"), [(3, 3), (5, 5), (5, 3), (3, 5)])
    def test_one_and_the_same_process_rarely_differs_from_itself(self, rng, n, paper_n):
        # Two standard errors of the population's spread said so of 0.17 (n = 3) and 0.11 (n = 5).
        differs = 0
        for x, y in zip(rng.normal(size=(8000, n)), rng.normal(size=(8000, paper_n)), strict=True):
            differs += abs(x.mean() - y.mean()) > welch_margin((np.std(x), n), (np.std(y), paper_n))
        assert 0.02 < differs / 8000 <= 0.06

    def test_where_neither_side_varies_any_gap_differs(self):
        row = joined(measured(80.0, spread=0.0), reference=printed(spread=0.0))
        assert row["verdict"] == "agrees"
        row = joined(measured(80.1, spread=0.0), reference=printed(spread=0.0))
        assert row["verdict"] == "differs"

    def test_a_spread_of_one_value_is_none(self):
        assert joined(measured(), reference=printed(n=1))["verdict"] == "no spread"
        assert joined(measured(), reference=printed(n=None))["verdict"] == "no spread"

    def test_without_a_printed_spread_there_is_no_judgement_but_a_gap(self):
        row = joined(measured(82.0), reference=printed(spread=None))
        assert (row["verdict"], row["gap"]) == ("no spread", 2.0)

    def test_without_a_spread_of_ours_there_is_no_judgement(self):
        assert joined(measured(spread=math.nan, n=1))["verdict"] == "no spread"

    def test_on_other_data_neither_gap_nor_judgement_is_given(self):
        row = joined(measured(99.0), comparable=False)
        assert row["verdict"] == "other data"
        assert math.isnan(row["gap"])
        assert row["paper_mean"] == 80.0

    def test_there_is_no_gap_to_a_bound(self):
        row = joined(measured(82.0), reference=printed(bound="<", spread=None))
        assert (row["verdict"], row["bound"]) == ("no spread", "<")
        assert math.isnan(row["gap"])

    def test_a_number_that_we_lack_is_missing(self):
        rows = beside_paper(
            measured(metric="drop"), paper(), datasets=["a"], comparable={"a": True}
        )
        assert row_of(rows, system="ours", metric="accuracy")["verdict"] == "missing"

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    @pytest.mark.parametrize("comparable", [True, False])
    def test_a_number_that_is_none_is_called_diverged(self, value, comparable):
        assert joined(measured(value), comparable=comparable)["verdict"] == "diverged"

    def test_a_number_that_the_paper_lacks_stays_without_verdict(self):
        rows = beside_paper(
            measured(metric="drop"), paper(), datasets=["a"], comparable={"a": True}
        )
        assert row_of(rows, metric="drop")["verdict"] == ""

    def test_what_the_paper_quotes_is_for_reference_and_never_missing(self):
        rows = beside_paper(measured(), paper(), datasets=["a"], comparable={"a": True})
        assert row_of(rows, system="human")["verdict"] == "reference"


class TestJoin:
    def test_conditions_keep_numbers_apart(self):
        ours = pd.concat([measured(condition="threshold=0.1"), measured(condition="")])
        rows = beside_paper(ours, paper(), datasets=["a"], comparable={"a": True})
        assert math.isnan(row_of(rows, condition="threshold=0.1")["paper_mean"])

    def test_rows_come_by_data_set_then_quoted_then_as_measured(self):
        ours = pd.concat(
            [measured(dataset=d, system=s) for d in ("a", "b") for s in ("zeta", "ours", "alpha")]
        )
        both = {"b": "esc50", "a": "esc50"}
        rows = beside_paper(
            ours, paper(both), datasets=["b", "a"], comparable={"a": True, "b": True}
        )
        order = ["human", "zeta", "ours", "alpha"]
        assert list(rows["dataset"]) == ["b"] * 4 + ["a"] * 4
        assert list(rows["system"]) == order * 2

    def test_columns_are_always_the_same(self):
        rows = beside_paper(measured(), paper(), datasets=["a"], comparable={"a": True})
        assert list(rows.columns) == COLUMNS

    def test_a_data_set_unknown_to_the_paper_is_printed_alone(self):
        nothing = paper({"a": None})
        rows = beside_paper(measured(), nothing, datasets=["a"], comparable={"a": False})
        assert list(rows["verdict"]) == [""]

    def test_the_same_number_twice_is_refused(self):
        with pytest.raises(InputError, match=r"measured numbers hold the key .*ours.* more than"):
            beside_paper(
                pd.concat([measured()] * 2), paper(), datasets=["a"], comparable={"a": True}
            )


class TestSummaries:
    def test_spread_is_that_of_the_population(self):
        row = summarise(np.array([1.0, 3.0]), (0.5, 3.5))
        assert row == {"mean": 2.0, "spread": 1.0, "n": 2, "low": 0.5, "high": 3.5}

    def test_one_fold_that_diverged_spoils_the_mean(self):
        assert math.isnan(summarise(np.array([1.0, math.nan]), (0.0, 1.0))["mean"])

    def test_conditions_are_sorted_and_plain(self):
        assert condition_text({"threshold": 0.1, "of": "l2i_att"}) == "of=l2i_att, threshold=0.1"
        assert condition_text({"taps": ["B5", "B6"], "fold": 1}) == "fold=1, taps=B5+B6"
        assert condition_text(None) == condition_text({}) == ""


def share(clips, counts):
    """A metric of whole clips that is also the mean of their values; undefined below two clips."""
    total = (counts * (clips["value"] > 0).to_numpy()).sum(-1)
    return np.where(total > 1, counts @ clips["value"].to_numpy() / counts.sum(-1), np.nan)


class TestNumbers:
    HOW = {"statistics": {"n_bootstrap": 250, "confidence": 0.9}, "seed": 0}

    def clips(self, values, run=0, sources=None):
        names = [f"{i:02d}" for i in range(len(values))]
        key = {"fold": "official", "clip": names, "source": names if sources is None else sources}
        return pd.DataFrame(key | {"run": run, "value": values})

    def test_one_fold_gives_one_value_per_run(self):
        frame = pd.concat([self.clips([1.0, 1.0, 0.0, 0.0]), self.clips([1.0, 1.0, 1.0, 0.0], 1)])
        row = measure_score(frame, share, **self.HOW)
        assert (row["mean"], row["spread"], row["n"]) == (0.625, 0.125, 2)
        assert row["low"] < 0.625 < row["high"]

    def test_of_a_share_of_independent_clips_the_interval_is_wilsons(self):
        frame = self.clips([100.0] * 45 + [0.0] * 5)
        how = self.HOW | {"statistics": {"n_bootstrap": 20_000, "confidence": 0.95}}
        row = measure_share(frame, **how)
        # Of 45 in 50, with Student's t of 49 degrees of freedom and a variance of 0.09 / 49.
        t, n = 2.00958, 49
        centre, half = 0.9 + t**2 / (2 * n), t * math.sqrt(0.09 / n + t**2 / (4 * n**2))
        low, high = ((centre + sign * half) / (1 + t**2 / n) for sign in (-1, 1))
        assert (row["low"], row["high"]) == pytest.approx((100 * low, 100 * high), abs=0.15)

    def test_clips_of_fewer_sources_have_a_wider_interval(self, rng):
        values = np.repeat(rng.random(20) < 0.7, 5) * 100.0
        sources = [f"s{i // 5:02d}" for i in range(100)]
        apart, together = (
            measure_share(self.clips(values, sources=each), **self.HOW) for each in (None, sources)
        )
        assert together["mean"] == apart["mean"]
        widths = [row["high"] - row["low"] for row in (apart, together)]
        assert 1.8 < widths[1] / widths[0] < 2.8  # the root of 5, and few sources

    @pytest.mark.parametrize("value", [0.0, 100.0])
    def test_who_is_right_throughout_is_not_certain_to_be(self, value):
        row = measure_share(self.clips([value] * 30), **self.HOW)
        assert row["mean"] == value and 5 < row["high"] - row["low"] < 15

    def test_values_have_percentiles(self):
        row = measure(self.clips([1.0] * 20), mean, **self.HOW)
        assert (row["mean"], row["low"], row["high"]) == (1, 1, 1)
        row = measure(self.clips([0.0, 0.0, 0.1, 0.2, 0.9] * 5), median, **self.HOW)
        assert row["mean"] == 0.1 and {row["low"], row["high"]} <= {0.0, 0.1, 0.2, 0.9}

    def test_few_values_have_no_interval(self):
        few, enough = (
            measure(self.clips([0.1, 0.2, 0.3, 0.4, 0.5][:n]), median, **self.HOW) for n in (4, 5)
        )
        assert few["mean"] == 0.25 and math.isnan(few["low"]) and math.isnan(few["high"])
        assert 0.1 <= enough["low"] < 0.3 < enough["high"] <= 0.5

    def test_resamplings_in_which_it_is_undefined_are_left_out(self):
        row = measure_score(self.clips([1.0, 1.0, 0.0]), share, **self.HOW)
        assert row["low"] < row["mean"] == pytest.approx(2 / 3) and row["mean"] < row["high"] < 1

    def test_a_number_that_is_undefined_for_a_run_has_no_interval(self):
        frame = pd.concat([self.clips([1.0, 1.0, 0.0]), self.clips([1.0, 0.0, 0.0], 1)])
        row = measure_score(frame, share, **self.HOW)
        assert all(math.isnan(row[name]) for name in ("mean", "low", "high"))

    def test_a_number_rests_on_informative_sources(self):
        frame = self.clips([1.0, 1.0, 1.0, 0.0, 0.0, 0.0] * 5)
        whole = measure_score(frame, share, **self.HOW)
        some = measure_score(frame, share, **self.HOW, informative=lambda c: c["clip"] < "03")
        assert some["low"] < whole["low"] and some["high"] > whole["high"]

    def test_a_difference_is_taken_resampling_by_resampling(self, rng):
        values = 0.5 + 0.4 * rng.random(40)
        minus = self.clips(values - 0.25)
        row = measure_difference(self.clips(values), minus, share, **self.HOW)
        assert row["mean"] == pytest.approx(0.25)
        assert (row["low"], row["high"]) == pytest.approx((0.25 - 0.066, 0.25 + 0.066), abs=1e-3)
        varied = self.clips(values - 0.25 + 0.01 * rng.random(40))
        row = measure_difference(self.clips(values), varied, share, **self.HOW)
        assert row["high"] - row["low"] < 0.004

    def test_a_difference_is_taken_run_by_run(self):
        ours = pd.concat([self.clips([0.3, 0.3]), self.clips([0.5, 0.5], 1)])
        theirs = pd.concat([self.clips([0.1, 0.1]), self.clips([0.4, 0.4], 1)])
        row = measure_difference(ours, theirs, share, **self.HOW)
        assert (row["mean"], row["spread"], row["n"]) == pytest.approx((0.15, 0.05, 2))

    @pytest.mark.parametrize("other", [[1.0, 1.0, 1.0], [1.0]])
    def test_a_difference_to_other_clips_is_refused(self, other):
        with pytest.raises(InputError, match=r"1 clip\(s\) without partner"):
            measure_difference(self.clips([1.0, 1.0]), self.clips(other), share, **self.HOW)


class TestClips:
    def test_names_stay_text(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("dataset,fold,source,system,run,clip\nx,1,01,s,0,007\n")
        row = read_clips([path]).iloc[0]
        assert (row["fold"], row["source"], row["clip"], row["run"]) == ("1", "01", "007", 0)

    def test_thresholds_equal_their_settings_to_the_last_bit(self, tmp_path, rng):
        values = [0.1, 0.3, 0.7, *rng.random(200).tolist()]
        path = tmp_path / "a.csv"
        key = {"dataset": "x", "fold": 1, "source": "c", "clip": "c"}
        rows = pd.DataFrame(key | {"threshold": values})
        rows.to_csv(path, index=False)
        assert read_clips([path])["threshold"].tolist() == values

    def test_a_file_that_does_not_say_what_it_belongs_to_is_named(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("clip,correct\nx,1\n")
        with pytest.raises(InputError, match=r"a\.csv lacks the column.* dataset, fold, source"):
            read_clips([path])

    def test_nothing_to_tabulate_is_said(self):
        with pytest.raises(InputError, match="nothing to tabulate"):
            read_clips([])

    def test_data_sets_keep_their_own_columns(self, tmp_path):
        for name, line in (
            ("a", "dataset,fold,source,clip,correct\nesc50,1,x,x,1\n"),
            ("b", "dataset,fold,source,clip,label_dog\nsonyc,official,y,y,\n"),
            ("c", "dataset,fold,source,clip,correct\nesc50,2,z,z,0\n"),
            ("d", "dataset,fold,source,clip,label_dog\n"),
        ):
            (tmp_path / name).write_text(line)
        clips = read_clips_of_datasets([tmp_path / name for name in "abcd"])
        assert list(clips) == ["esc50", "sonyc"]
        assert list(clips["esc50"].columns) == ["dataset", "fold", "source", "clip", "correct"]
        assert list(clips["esc50"]["clip"]) == ["x", "z"]
        assert clips["sonyc"]["label_dog"].isna().all()
