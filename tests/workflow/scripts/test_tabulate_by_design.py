"""Table VIII: systems that classify by design, on scores made by hand."""

from __future__ import annotations

import math

import pytest

from helpers.tables import STATISTICS, classified, followed, of_datasets, one, tagged, tags
from l2i.checks import InputError

POSTHOC = {"l2i_att": "l2i_posthoc"}


@pytest.fixture
def by_design(tabulate):
    def run(clips=(), classifier=(), posthoc=(), systems=("l2i_bd", "apnet"), datasets=("esc50",)):
        return tabulate(
            "tabulate_by_design",
            inputs={"clips": clips, "classifier": classifier, "posthoc": posthoc},
            table=8,
            datasets=of_datasets(*datasets),
            systems=list(systems),
            as_classifier=POSTHOC,
            statistics=STATISTICS,
            seed=0,
        )

    return run


class TestTable8:
    def test_systems_stand_beside_the_papers_in_order(self, by_design, page):
        table = by_design(
            [classified([1, 1, 1, 0], fold=fold) for fold in (1, 2)]
            + [classified([1, 0, 0, 0], "apnet", fold=fold) for fold in (1, 2)],
            [classified([1, 1, 1, 1], None, fold=fold) for fold in (1, 2)],
            [followed([0, 0, 1, 1], fold=fold) for fold in (1, 2)],
        )
        rows = table[table["metric"] == "accuracy"]
        assert list(rows["system"]) == ["l2i_bd", "apnet", "l2i_posthoc", "base_f"]
        assert list(rows["mean"]) == [75, 25, 50, 100]
        assert list(rows["paper_mean"]) == [70.1, 63.6, 65.4, 82.5]
        assert list(rows["n"]) == [2] * 4
        assert page().startswith("# Table S9: ")
        assert "## difference in accuracy, paired by clip (percentage points)\n" in page()
        assert "L2I-PostHoc is trained for no purpose of its own" in page()

    def test_a_system_that_ran_once_says_so_and_meets_others_on_what_both_have(self, by_design):
        table = by_design(
            [
                classified([1, 1, 1, 1], fold=1),
                classified([1, 0, 0, 0], fold=2),
                classified([1, 1, 0, 0], "apnet", fold=1),
            ],
            [classified([1, 1, 1, 0], None, fold=fold) for fold in (1, 2)],
        )
        accuracy = table[(table["metric"] == "accuracy") & table["mean"].notna()]
        accuracy = accuracy.set_index("system")
        assert accuracy["n"].to_dict() == {"l2i_bd": 2, "apnet": 1, "base_f": 2}
        assert accuracy.at["l2i_bd", "mean"] == 62.5
        key = {"metric": "accuracy_difference", "system": "l2i_bd"}
        row = one(table, condition="minus=apnet", **key)
        assert (row["mean"], row["n"]) == (50, 1)  # of fold 1 alone, and not 62.5 - 50
        row = one(table, condition="minus=base_f", **key)
        assert (row["mean"], row["n"]) == (-12.5, 2)

    def test_the_classifier_is_paired_with_every_run(self, by_design):
        runs = [tagged(run=run) for run in (0, 1, 2)]
        runs[1].loc[[1, 3], "probability_dog"] = 0.05
        table = by_design(runs, [tags("sonyc_ust")], datasets=["sonyc_ust"])
        assert one(table, system="base_f", metric="macro_auprc")["n"] == 1
        row = one(table, metric="mean_average_precision_difference", condition="minus=base_f")
        assert row["n"] == 3 and row["mean"] < -0.01

    def test_every_kind_of_data_set_stands_in_one_table(self, by_design):
        datasets = ["openmic", "esc50", "sonyc_ust"]
        table = by_design(
            [classified([1]), *(tagged(name) for name in ("sonyc_ust", "openmic"))],
            [classified([1], None), tags("sonyc_ust"), tags("openmic")],
            [followed([0]), *(tags(name, "fidelity") for name in ("sonyc_ust", "openmic"))],
            systems=["l2i_bd"],
            datasets=datasets,
        )
        assert list(table["dataset"].unique()) == datasets
        assert "missing" not in set(table["verdict"])
        printed_numbers = table[table["paper_mean"].notna()]
        assert len(printed_numbers) == 3 * 3
        assert set(printed_numbers["metric"]) == {"accuracy", "macro_auprc", "avg_weighted_f1"}

    def test_areas_are_of_labels_and_not_of_decisions(self, by_design):
        frame = tags("sonyc_ust", "fidelity").assign(decided_dog=0, decided_music=1)
        table = by_design(posthoc=[frame], datasets=["sonyc_ust"])
        row = one(table, system="l2i_posthoc", metric="macro_auprc")
        assert row["mean"] == pytest.approx((11 / 12 + 7 / 8) / 2, abs=1e-6)
        assert row["paper_mean"] == 0.567

    def test_systems_that_run_and_are_not_there_are_missing(self, by_design):
        table = by_design([classified([1])], datasets=["esc50", "sonyc_ust"])
        verdicts = table.set_index(["dataset", "system"])["verdict"]
        assert verdicts["esc50", "l2i_bd"] == "no spread"
        for key in (("esc50", "apnet"), ("sonyc_ust", "l2i_bd"), ("sonyc_ust", "base_f")):
            assert verdicts[key] == "missing"
        assert ("esc50", "tdl_nmf") not in verdicts  # does not run at all

    def test_a_system_that_diverged_is_printed_as_such(self, by_design):
        table = by_design(
            [classified([1, 1], probability=math.nan), classified([1, 1], "apnet")],
            posthoc=[followed([0, 0], probability=math.nan)],
        )
        verdicts = table.groupby("system")["verdict"].agg(set)
        assert verdicts["l2i_bd"] == verdicts["l2i_posthoc"] == {"diverged"}
        assert verdicts["apnet"] == {"no spread"}

    def test_clips_that_differ_in_a_shared_fold_are_refused(self, by_design):
        with pytest.raises(InputError, match=r"1 clip.* without partner.*1-01"):
            by_design([classified([1, 1]), classified([1], "apnet")])
