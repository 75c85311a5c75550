"""Table I: what the classifier recognises, on scores made by hand."""

from __future__ import annotations

import math

import pytest

from helpers.tables import STATISTICS, classified, number_of, of_datasets, one, tags
from l2i.checks import InputError


class TestClassification:
    def frame(self, correct, **columns):
        return classified(correct, None, **columns)

    def run(self, tabulate, *frames, datasets=("esc50",), **said):
        settings = {"datasets": of_datasets(*datasets, **said), "statistics": STATISTICS, "seed": 0}
        return tabulate("tabulate_classification", frames, **settings)

    def test_accuracy_is_the_mean_over_folds_in_percent(self, tabulate):
        row = one(
            self.run(tabulate, self.frame([1, 1, 1, 1]), self.frame([1, 1, 0, 1, 0], fold=2)),
            system="base_f",
        )
        assert (row["mean"], row["spread"], row["n"]) == (80.0, 20.0, 2)
        assert row["low"] <= 80 <= row["high"] <= 100

    def test_the_paper_stands_beside_with_the_spread_of_its_text(self, tabulate):
        row = one(self.run(tabulate, self.frame([1, 0])), system="base_f")
        assert (row["paper_mean"], row["paper_spread"], row["paper_n"]) == (82.5, 1.9, 5)
        assert (row["gap"], row["verdict"]) == (-32.5, "no spread")  # of one fold

    def test_four_folds_far_off_differ_where_two_do_not(self, tabulate):
        folds = [self.frame([1, 0] + [0] * (f % 2), fold=f) for f in (1, 2, 3, 4)]
        # Mean 41.7, population spread 8.3; the paper's 82.5 with 1.9 over 5. The variance of the
        # means is 8.3^2 / 3 + 1.9^2 / 4, of 3.3 degrees of freedom: allowed are 14.9 points.
        row = one(self.run(tabulate, *folds), system="base_f")
        assert (round(row["gap"], 1), row["verdict"]) == (-40.8, "differs")
        # Two folds have one degree of freedom, and 12.7 standard errors are allowed.
        assert one(self.run(tabulate, *folds[:2]), system="base_f")["verdict"] == "agrees"

    def test_human_listeners_and_the_baseline_come_first(self, tabulate):
        table = self.run(tabulate, self.frame([1]))
        assert list(table["system"]) == ["human", "esc50_cnn", "base_f"]
        assert list(table["verdict"][:2]) == ["reference"] * 2

    def test_a_diverged_classifier_is_printed_as_such(self, tabulate, page):
        frames = [self.frame([1, 1]), self.frame([1, 0], fold=2, probability=math.nan)]
        row = one(self.run(tabulate, *frames), system="base_f")
        assert row["verdict"] == "diverged"
        assert "| **diverged** |" in page()

    def test_other_data_stand_beside_the_paper_without_judgement(self, tabulate, page):
        table = self.run(
            tabulate,
            *[self.frame([1, 0], dataset="esc10"), self.frame([1, 1])],
            datasets=["esc10", "esc50"],
            paper_dataset={"esc10": "esc50", "esc50": "esc50"},
            paper_comparable={"esc10": False, "esc50": True},
        )
        assert list(table["dataset"]) == ["esc10"] * 3 + ["esc50"] * 3
        row = one(table, dataset="esc10", system="base_f")
        assert (row["mean"], row["paper_mean"], row["verdict"]) == (50.0, 82.5, "other data")
        assert set(table["paper_dataset"]) == {"esc50"}
        quoted = "| ESC-50 of the paper | human listeners (quoted) |"
        assert quoted in page() and "| esc10 | human" not in page()


class TestClassificationOfTags:
    def run(self, tabulate, *frames, datasets=("sonyc_ust",), **said):
        settings = {"datasets": of_datasets(*datasets, **said), "statistics": STATISTICS, "seed": 0}
        return tabulate("tabulate_classification", frames, **settings)

    def test_areas_stand_beside_the_papers(self, tabulate, page):
        table = self.run(tabulate, tags("sonyc_ust"))
        row = number_of(table, "macro_auprc")
        # Ceilings of 6 and 4 positives: 1 - 1/12 and 1 - 1/8.
        assert row["mean"] == pytest.approx((11 / 12 + 7 / 8) / 2, abs=1e-6)
        assert (row["paper_mean"], row["n"], row["verdict"]) == (0.601, 1, "no spread")
        assert row["low"] < row["mean"]
        ours = table[table["system"] == "base_f"]
        assert list(ours["metric"]) == [
            *("macro_auprc", "micro_auprc", "macro_auprc_7", "mean_average_precision", "max_f1_7")
        ]
        assert number_of(table, "mean_average_precision")["mean"] == 1
        assert number_of(table, "max_f1_7")["mean"] == 1
        assert "evaluator of DCASE" in page()
        assert "| SONYC-UST of the paper | Arnault et al. (quoted) |" in page()

    def test_all_classes_come_first_and_then_without_those_left_out(self, tabulate):
        excluded = {"excluded_classes": {"sonyc_ust": ["dog"]}}
        table = self.run(tabulate, tags("sonyc_ust"), **excluded)
        assert number_of(table, "macro_auprc")["paper_mean"] == 0.601
        row = number_of(table, "macro_auprc", "excluded=dog")
        assert row["mean"] == pytest.approx(7 / 8)
        assert math.isnan(row["paper_mean"])
        assert "excluded=dog" not in set(table[table["metric"] == "micro_auprc"]["condition"])

    def test_f1_is_that_of_decisions_on_observed_labels(self, tabulate):
        frame = tags("openmic")
        frame.loc[0:3, "label_dog"] = math.nan
        frame.loc[0:3, "decided_dog"] = [1, 0, 1, 0]  # wrong, and nobody knows
        assert (
            number_of(self.run(tabulate, frame, datasets=["openmic"]), "avg_weighted_f1")["mean"]
            == 1
        )
        frame.loc[4, "decided_dog"] = 1  # a false alarm among 4 positives and 4 negatives
        table = self.run(tabulate, frame, datasets=["openmic"])
        f1_p, f1_n = 8 / 9, 6 / 7
        expected = ((f1_p + f1_n) / 2 + 1) / 2
        assert number_of(table, "avg_weighted_f1")["mean"] == pytest.approx(expected, abs=1e-6)
        assert number_of(table, "avg_macro_f1")["mean"] == pytest.approx(expected, abs=1e-6)
        assert number_of(table, "avg_weighted_f1")["paper_mean"] == 0.831

    def test_data_sets_of_every_kind_stand_in_one_table(self, tabulate):
        frames = [classified([1, 0], None), tags("openmic"), tags("sonyc_ust")]
        datasets = ["esc50", "sonyc_ust", "openmic"]
        table = self.run(tabulate, *frames, datasets=datasets)
        ours = table[table["system"] == "base_f"].drop_duplicates("dataset")
        assert list(ours["dataset"]) == datasets
        assert list(ours["metric"]) == ["accuracy", "macro_auprc", "avg_weighted_f1"]
        assert "missing" not in set(table["verdict"])

    @pytest.mark.parametrize("dataset", ["sonyc_ust", "openmic"])
    def test_a_classifier_that_diverged_is_printed_as_such(self, tabulate, dataset):
        frame = tags(dataset)
        frame.loc[5, "probability_music"] = math.nan
        table = self.run(tabulate, frame, datasets=[dataset])
        assert set(table[table["system"] == "base_f"]["verdict"]) == {"diverged"}

    def test_classes_that_no_test_clip_holds_are_told(self, tabulate, page):
        table = self.run(tabulate, tags("sonyc_ust", label_dog=0))
        assert number_of(table, "macro_auprc")["mean"] == pytest.approx(7 / 8)
        assert "- No test clip of sonyc_ust holds dog.\n" in page()

    def test_a_class_that_is_left_out_must_be_one(self, tabulate):
        with pytest.raises(InputError, match="must name some of the classes dog, music.*got cat"):
            self.run(tabulate, tags("sonyc_ust"), excluded_classes={"sonyc_ust": ["cat"]})
