"""Table IV: how well interpreters follow the classifier, on scores made by hand."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from configuration.reading import load_reference
from helpers.tables import STATISTICS, fidelity_ranks, followed, number_of, of_datasets, one, tags


class TestFidelity:
    def run(self, tabulate, *frames, systems=("l2i_att",), top_k=(1, 3, 5)):
        return tabulate(
            "tabulate_fidelity",
            frames,
            datasets=of_datasets("esc50"),
            systems=list(systems),
            top_k=list(top_k),
            statistics=STATISTICS,
            seed=0,
        )

    def test_a_hit_is_a_rank_within_the_first_k(self, tabulate):
        table = self.run(
            tabulate, fidelity_ranks([1, 3, 4, 6]), fidelity_ranks([1, 2, 5, 5], fold=2)
        )
        means = {k: one(table, metric=f"top_{k}_fidelity")["mean"] for k in (1, 3, 5)}
        assert means == {1: 25.0, 3: 50.0, 5: 87.5}
        assert one(table, metric="top_5_fidelity")["spread"] == 12.5

    def test_runs_are_averaged_within_their_fold(self, tabulate):
        frames = [
            fidelity_ranks([1, 1]),
            fidelity_ranks([1, 2], run=1),
            fidelity_ranks([1, 1], fold=2),
        ]
        frames.append(fidelity_ranks([1, 1], fold=2, run=1))
        row = one(self.run(tabulate, *frames), metric="top_1_fidelity")
        assert (row["mean"], row["spread"], row["n"]) == (87.5, 12.5, 2)

    def test_only_systems_that_run_stand_in_the_table(self, tabulate):
        frames = [fidelity_ranks([1], system="l2i_max"), fidelity_ranks([2])]
        table = self.run(tabulate, *frames, systems=["l2i_max", "l2i_att"])
        assert list(table["system"].unique()) == ["l2i_max", "l2i_att"]
        row = one(table, system="l2i_max", metric="top_1_fidelity")
        assert (row["mean"], row["paper_mean"]) == (100.0, 73.3)

    def test_the_first_system_is_compared_with_every_later_one_clip_by_clip(self, tabulate, page):
        frames = [
            *[fidelity_ranks([1, 1, 2, 1]), fidelity_ranks([1, 1], fold=2)],
            *[fidelity_ranks([1, 2, 1, 2], "l2i_max"), fidelity_ranks([2, 2], "l2i_max", fold=2)],
            *[fidelity_ranks([2, 2, 1, 2], "third"), fidelity_ranks([1, 1], "third", fold=2)],
        ]
        table = self.run(tabulate, *frames, systems=["l2i_att", "l2i_max", "third"], top_k=[5])
        rows = table[table["metric"] == "top_1_difference"]
        assert list(rows["system"]) == ["l2i_att", "l2i_att"]
        assert list(rows["condition"]) == ["minus=l2i_max", "minus=third"]
        # Fold 1: 75 - 50 and 75 - 25; fold 2: 100 - 0 and 100 - 100.
        assert list(rows["mean"]) == [62.5, 25.0]
        assert list(rows["spread"]) == [37.5, 25.0]
        assert "## difference in top-1 fidelity, paired by clip (percentage points)\n" in page()

    def test_what_two_systems_share_does_not_widen_their_difference(self, tabulate):
        ranks = [1, 2] * 30
        frames = [fidelity_ranks(ranks), fidelity_ranks(ranks, "l2i_max")]
        table = self.run(tabulate, *frames, systems=["l2i_att", "l2i_max"])
        row = one(table, metric="top_1_difference")
        alone = one(table, metric="top_1_fidelity", system="l2i_att")
        assert row["mean"] == 0 and row["low"] < 0 < row["high"]
        assert row["high"] - row["low"] < 0.5 * (alone["high"] - alone["low"])

    def test_a_difference_to_a_diverged_interpreter_has_diverged(self, tabulate):
        frames = [fidelity_ranks([1, 1]), fidelity_ranks([1, 1], "l2i_max", probability=math.nan)]
        table = self.run(tabulate, *frames, systems=["l2i_att", "l2i_max"])
        assert one(table, metric="top_1_difference")["verdict"] == "diverged"

    def test_one_system_has_nothing_to_be_compared_with(self, tabulate):
        assert "top_1_difference" not in set(self.run(tabulate, fidelity_ranks([1]))["metric"])

    def test_the_paper_has_no_top_3(self, tabulate):
        row = one(self.run(tabulate, fidelity_ranks([1])), metric="top_3_fidelity")
        assert math.isnan(row["paper_mean"])
        assert not isinstance(row["verdict"], str)  # empty in the file

    def test_a_k_that_the_paper_has_and_we_left_out_is_a_sentence(self, tabulate, page):
        table = self.run(tabulate, fidelity_ranks([1]), top_k=[1, 2])
        assert "top_5_fidelity" not in set(table["metric"])
        assert "## top-2 fidelity (%)" in page() and "**missing**" not in page()
        assert re.search("In the paper and not in this run: .*top-5 fidelity", page())

    def test_a_diverged_interpreter_is_printed_as_such(self, tabulate):
        table = self.run(
            tabulate, fidelity_ranks([1, 1]), fidelity_ranks([1], fold=2, probability=math.nan)
        )
        assert set(table["verdict"]) == {"diverged"}

    def test_every_note_comes_from_the_reference(self, tabulate, page):
        self.run(tabulate, fidelity_ranks([1]))
        reference = load_reference("paper")["tables"]["4"]
        for note in reference["notes"]:
            assert f"- {note}\n" in page()


class TestSystemsThatRanOnce:
    def test_a_system_with_fewer_runs_is_compared_on_those(self, tabulate):
        table = tabulate(
            "tabulate_fidelity",
            [followed([0] * 3, fold=fold).assign(rank=[1, fold, 2]) for fold in (1, 2)]
            + [followed([0] * 3, system="vibi").assign(rank=2)],
            datasets=of_datasets("esc50", "openmic"),
            systems=["l2i_att", "flint", "vibi"],
            top_k=[1],
            statistics=STATISTICS,
            seed=0,
        )
        rows = table[(table["metric"] == "top_1_fidelity") & table["mean"].notna()]
        assert list(zip(rows["system"], rows["n"], strict=True)) == [("l2i_att", 2), ("vibi", 1)]
        row = one(table, metric="top_1_difference")  # FLINT has no clip at all
        assert (row["condition"], row["n"]) == ("minus=vibi", 1)
        assert row["mean"] == pytest.approx(200 / 3, abs=1e-3)
        missing = table[table["verdict"] == "missing"]
        assert {("esc50", "flint"), ("openmic", "vibi")} <= set(
            zip(missing["dataset"], missing["system"], strict=True)
        )


class TestFidelityOfTags:
    def frame(self, dataset="sonyc_ust", run=0, **options):
        return tags(dataset, "fidelity", **options).assign(run=run)

    def run(
        self, tabulate, *frames, datasets=("sonyc_ust",), systems=("l2i_att",), top_k=(1,), **said
    ):
        return tabulate(
            "tabulate_fidelity",
            frames,
            datasets=of_datasets(*datasets, **said),
            systems=list(systems),
            top_k=list(top_k),
            statistics=STATISTICS,
            seed=0,
        )

    def of(self, table, metric, condition="", system="l2i_att"):
        return number_of(table, metric, condition, system)

    def test_the_reference_is_what_the_classifier_decides(self, tabulate):
        frame = self.frame(label_dog=0, label_music=1)  # labels are nobody's business here
        table = self.run(tabulate, frame)
        row = self.of(table, "macro_auprc")
        assert row["mean"] == pytest.approx((11 / 12 + 7 / 8) / 2, abs=1e-6)
        assert (row["paper_mean"], row["paper_spread"], row["paper_n"]) == (0.909, 0.011, 3)
        assert list(table[table["condition"].isna()]["metric"]) == [
            *("macro_auprc", "micro_auprc", "macro_auprc_11", "micro_auprc_11"),
            *("mean_average_precision", "max_f1_11"),
        ]
        assert self.of(table, "micro_auprc")["paper_mean"] == 0.917

    def test_classes_are_left_out_first_and_all_come_second(self, tabulate):
        excluded = {"excluded_classes": {"sonyc_ust": ["dog"]}}
        table = self.run(tabulate, self.frame(), **excluded)
        row = self.of(table, "macro_auprc")
        assert (row["mean"], row["paper_mean"]) == (pytest.approx(7 / 8), 0.909)
        row = self.of(table, "macro_auprc", "classes=all")
        assert row["mean"] == pytest.approx((11 / 12 + 7 / 8) / 2, abs=1e-6)
        for metric in ("macro_auprc_11", "mean_average_precision"):
            self.of(table, metric, "classes=all")

    def test_runs_are_the_values_of_one_split(self, tabulate):
        wrong = self.frame(run=1, interpreter_dog=0.5)
        row = self.of(self.run(tabulate, self.frame(), wrong), "mean_average_precision")
        assert (row["n"], row["mean"]) == (2, pytest.approx((1 + (0.5 + 1) / 2) / 2))
        assert row["spread"] == pytest.approx(0.125)

    def test_interpreters_decide_from_a_half_on(self, tabulate):
        frame = self.frame("openmic")
        held = frame["decided_dog"] == 1
        frame["interpreter_dog"] = np.where(held, 0.5, 0.49999)
        table = self.run(tabulate, frame, datasets=["openmic"])
        assert self.of(table, "avg_weighted_f1")["mean"] == 1
        frame["interpreter_dog"] = np.where(held, 0.49999, 0.5)
        table = self.run(tabulate, frame, datasets=["openmic"])
        assert self.of(table, "avg_weighted_f1")["mean"] == 0.5

    def test_f1_is_over_all_clips_and_then_over_observed_labels(self, tabulate):
        frame = self.frame("openmic")
        frame.loc[0, "interpreter_dog"] = 0.9  # a false alarm where nobody labelled
        frame["label_dog"] = frame["label_dog"].mask(frame.index < 2)
        table = self.run(tabulate, frame, datasets=["openmic"])
        f1_p, f1_n = 12 / 13, 10 / 11
        row = self.of(table, "avg_weighted_f1")
        assert row["mean"] == pytest.approx(((f1_p + f1_n) / 2 + 1) / 2, abs=1e-6)
        assert row["paper_mean"] == 0.920
        assert self.of(table, "avg_weighted_f1", "labels=observed")["mean"] == 1
        assert self.of(table, "avg_macro_f1", "labels=observed")["mean"] == 1

    @pytest.mark.parametrize(
        ("dataset", "metric"),
        [("sonyc_ust", "mean_average_precision"), ("openmic", "avg_weighted_f1")],
    )
    def test_the_first_system_is_compared_with_every_other(self, tabulate, page, dataset, metric):
        worse = self.frame(dataset, system="l2i_max")
        worse.loc[[1, 3], "interpreter_dog"] = 0.05
        frames = [self.frame(dataset), worse, self.frame(dataset, system="third")]
        systems = ["l2i_att", "l2i_max", "third"]
        table = self.run(tabulate, *frames, datasets=[dataset], systems=systems)
        apart = self.of(table, metric)["mean"] - self.of(table, metric, system="l2i_max")["mean"]
        row = self.of(table, f"{metric}_difference", "minus=l2i_max")
        assert row["mean"] == pytest.approx(apart, abs=2e-6) and apart > 0.02
        assert row["low"] <= row["mean"] <= row["high"]
        row = self.of(table, f"{metric}_difference", "minus=third")
        assert row["mean"] == 0 and row["low"] == -row["high"]
        assert ", paired by clip\n" in page()

    @pytest.mark.parametrize("dataset", ["sonyc_ust", "openmic"])
    @pytest.mark.parametrize("column", ["classifier_dog", "interpreter_dog"])
    def test_a_network_that_diverged_is_printed_as_such(self, tabulate, dataset, column):
        frame = self.frame(dataset)
        frame.loc[4, column] = math.nan
        systems = ["l2i_att", "l2i_max"]
        frames = [frame, self.frame(dataset, system="l2i_max")]
        table = self.run(tabulate, *frames, datasets=[dataset], systems=systems)
        ours = table[table["system"] == "l2i_att"]
        assert set(ours["verdict"]) == {"diverged"}

    def test_data_sets_of_every_kind_stand_in_one_table(self, tabulate):
        frames = [self.frame(), fidelity_ranks([1, 2]), self.frame("openmic")]
        datasets = ["openmic", "esc50", "sonyc_ust"]
        table = self.run(tabulate, *frames, datasets=datasets, top_k=[1, 5])
        assert list(table["dataset"].unique()) == datasets
        assert "missing" not in set(table["verdict"])

    def test_classes_that_the_classifier_never_decides_on_are_told(self, tabulate, page):
        table = self.run(tabulate, self.frame(decided_dog=0))
        assert self.of(table, "macro_auprc")["mean"] == pytest.approx(7 / 8)
        assert "The classifier decides on no test clip of sonyc_ust for dog." in page()
