"""Table V: what decisions lose with relevant components, on scores made by hand."""

from __future__ import annotations

import math

import pytest

from helpers.tables import STATISTICS, faithfulness_drops, of_datasets, one, with_nothing
from l2i.checks import InputError


class TestFaithfulness:
    def run(self, tabulate, *frames, thresholds=(0.1,), baselines=(), systems=("l2i_att",)):
        return tabulate(
            "tabulate_faithfulness",
            [with_nothing(frames)],
            datasets=of_datasets("esc50"),
            systems=list(systems),
            thresholds=list(thresholds),
            baselines=list(baselines),
            statistics=STATISTICS,
            seed=0,
        )

    def number(self, table, condition="threshold=0.1", system="l2i_att", metric="ff_median"):
        return one(table, system=system, metric=metric, condition=condition)

    def test_medians_are_taken_within_folds_and_averaged_over_them(self, tabulate):
        table = self.run(
            tabulate,
            faithfulness_drops([0.0, 0.1, 0.9]),
            faithfulness_drops([0.3, 0.5, 0.5], fold=2),
        )
        row = self.number(table)
        # The median of all six would be 0.4.
        assert row["mean"] == pytest.approx(0.3)
        assert row["spread"] == pytest.approx(0.2)
        assert row["paper_mean"] == 0.113
        assert row["verdict"] == "no spread"

    def test_thresholds_stand_apart_in_the_order_of_the_settings(self, tabulate):
        frames = [
            faithfulness_drops([0.2], threshold=0.1),
            faithfulness_drops([0.05], threshold=0.9),
        ]
        table = self.run(tabulate, *frames, thresholds=[0.9, 0.1])
        ours = table[(table["metric"] == "ff_median") & table["mean"].notna()]
        ours = ours[ours["system"] == "l2i_att"]
        assert list(ours["condition"]) == ["threshold=0.9", "threshold=0.1"]
        assert list(ours["mean"]) == [0.05, 0.2]
        assert "threshold=0.5" not in set(table["condition"])  # which the paper has

    def test_random_draws_are_averaged_after_their_medians(self, tabulate):
        frames = [
            faithfulness_drops([0.2, 0.2, 0.2]),
            faithfulness_drops([0.0, 0.0, 0.9], removal="random_unselected", draw=0),
            faithfulness_drops([0.6, 0.6, 0.6], removal="random_unselected", draw=1),
        ]
        table = self.run(tabulate, *frames, baselines=["unselected"])
        row = self.number(table, "of=l2i_att, threshold=0.1", system="random_unselected")
        assert row["mean"] == pytest.approx(0.3)
        assert (row["paper_mean"], row["bound"]) == (1e-4, "<")
        assert math.isnan(row["gap"])

    def test_baselines_that_the_paper_lacks_stand_without_a_number_of_its(self, tabulate):
        frames = [faithfulness_drops([0.2]), faithfulness_drops([0.1], removal="random_all")]
        table = self.run(tabulate, *frames, baselines=["all"])
        assert math.isnan(
            self.number(table, "of=l2i_att, threshold=0.1", system="random_all")["paper_mean"]
        )
        assert "random_unselected" not in set(table["system"])

    def test_every_system_has_its_own_rows_and_its_own_baseline(self, tabulate):
        frames = [
            faithfulness_drops([0.1 * (i + 1)], system=system, removal=removal, run=0)
            for i, (system, removal) in enumerate(
                (system, removal)
                for system in ("l2i_max", "l2i_att")
                for removal in ("relevant", "random_unselected")
            )
        ]
        table = self.run(
            tabulate, *frames, baselines=["unselected"], systems=["l2i_max", "l2i_att"]
        )
        ours = table[(table["metric"] == "ff_median") & table["mean"].notna()]
        assert list(zip(ours["system"], ours["condition"], ours["mean"], strict=True)) == [
            ("l2i_max", "threshold=0.1", 0.1),
            ("l2i_att", "threshold=0.1", 0.3),
            ("nothing", "of=l2i_max", 0.0),
            ("nothing", "of=l2i_att", 0.0),
            ("random_unselected", "of=l2i_max, threshold=0.1", 0.2),
            ("random_unselected", "of=l2i_att, threshold=0.1", 0.4),
        ]
        assert list(ours["paper_mean"].notna()) == [False, True, False, False, False, True]

    def test_the_number_of_removed_components_is_a_mean(self, tabulate):
        table = self.run(
            tabulate,
            faithfulness_drops([0.2, 0.2, 0.2], n_removed=[0, 0, 9]),
            faithfulness_drops([0.2], n_removed=6, fold=2),
        )
        row = self.number(table, metric="n_removed")
        assert (row["mean"], row["spread"]) == (4.5, 1.5)

    def test_the_removed_energy_stands_beside_the_number_in_percent(self, tabulate, page):
        table = self.run(
            tabulate,
            faithfulness_drops([0.2, 0.2], energy_removed=[0.2, 0.6]),
            faithfulness_drops([0.2, 0.2], removal="random_all", energy_removed=[0.0, 0.1]),
            baselines=["all"],
        )
        assert self.number(table, metric="energy_removed")["mean"] == pytest.approx(40)
        row = self.number(table, "of=l2i_att, threshold=0.1", "random_all", "energy_removed")
        assert row["mean"] == pytest.approx(5)
        assert "## removed share of the energy, mean (%)\n" in page()
        assert page().count(r"\|\|sum of X_k\|\|² over the removed components") == 1

    def matched_in_energy(self, matched):
        """Four clips, two draws: drops, and whether each draw of each clip matches."""
        drops = [0.1, 0.2, 0.3, 0.9]
        draws = [
            faithfulness_drops([0.0, 0.1, 0.2, 0.8], "random_energy", draw=i, matched=each)
            for i, each in enumerate(matched)
        ]
        return [faithfulness_drops(drops), *draws]

    def test_clips_that_some_draw_could_not_match_are_left_out_on_both_sides(self, tabulate, page):
        frames = self.matched_in_energy([[1, 1, 1, 0], [0, 1, 1, 0]])
        table = self.run(tabulate, *frames, baselines=["energy"])
        of, of_energy = "of=l2i_att, threshold=0.1", "random_energy"
        assert self.number(table, of, of_energy, "unmatched")["mean"] == 50
        assert self.number(table, of, of_energy)["mean"] == pytest.approx(0.15)
        assert self.number(table, of, of_energy, "ff_mean")["mean"] == pytest.approx(0.15)
        assert one(table, metric="ff_difference")["mean"] == pytest.approx(0.1)
        assert self.number(table)["mean"] == pytest.approx(0.25)  # on all clips, as in the paper
        assert "## clips without a random set of like energy (%)\n" in page()
        assert "within 20 %" in page() and "random, matched in energy" in page()

    def test_a_run_that_could_not_match_leaves_its_clip_out_of_all_runs(self, tabulate):
        frames = [
            frame.assign(run=run)
            for run, matched in enumerate([[1, 1, 1, 1], [1, 1, 0, 1]])
            for frame in self.matched_in_energy([matched])
        ]
        table = self.run(tabulate, *frames, baselines=["energy"])
        of = "of=l2i_att, threshold=0.1"
        assert self.number(table, of, "random_energy", "unmatched")["mean"] == 25
        row = self.number(table, of, "random_energy")
        assert (row["mean"], row["n"]) == (pytest.approx(0.1), 2)

    def test_a_fold_without_any_match_has_a_share_and_no_part_in_the_mean(self, tabulate):
        frames = self.matched_in_energy([[1, 1, 1, 1]])
        others = [each.assign(fold=2, matched=0) for each in self.matched_in_energy([[0] * 4])]
        table = self.run(tabulate, *frames, *others, baselines=["energy"])
        of = "of=l2i_att, threshold=0.1"
        row = self.number(table, of, "random_energy", "unmatched")
        assert (row["mean"], row["n"]) == (50, 2)
        assert self.number(table, of, "random_energy")["n"] == 1

    def test_where_nothing_matches_the_share_alone_is_printed(self, tabulate):
        table = self.run(tabulate, *self.matched_in_energy([[0] * 4]), baselines=["energy"])
        row = one(table, system="random_energy")
        assert (row["metric"], row["mean"]) == ("unmatched", 100)
        assert "ff_difference" not in set(table["metric"])

    def test_the_removal_of_nothing_is_the_floor_and_drops_are_given_net_of_it(
        self, tabulate, page
    ):
        frames = [
            faithfulness_drops([0.1, 0.2, 0.4]),
            faithfulness_drops([0.1, 0.1, 0.1], threshold=0.9),
        ]
        floor = with_nothing(frames, drop=[0.1, 0.05, 0.0])
        table = self.run(tabulate, floor, thresholds=[0.9, 0.1])
        for metric in ("ff_median", "ff_mean"):
            row = self.number(table, "of=l2i_att", "nothing", metric)
            assert row["mean"] == pytest.approx(0.05)
        for threshold, net in ((0.9, 0.05), (0.1, 0.15)):
            row = self.number(table, f"threshold={threshold}", metric="ff_net_median")
            assert row["mean"] == pytest.approx(net)
        assert "nothing (round trip alone)" in page()
        assert page().count("Round trip: nothing is removed") == 1

    def test_means_stand_beside_medians(self, tabulate):
        frames = [faithfulness_drops([0.0, 0.1, 0.8]), faithfulness_drops([0.3, 0.5, 0.7], fold=2)]
        frames.append(faithfulness_drops([0.0, 0.0, 0.3], removal="random_all"))
        frames.append(faithfulness_drops([0.0, 0.1, 0.5], removal="random_all", fold=2))
        table = self.run(tabulate, *frames, baselines=["all"])
        row = self.number(table, metric="ff_mean")
        assert (row["mean"], row["spread"]) == pytest.approx((0.4, 0.1))
        assert row["low"] < 0.4 < row["high"]
        row = self.number(table, "of=l2i_att, threshold=0.1", "random_all", metric="ff_mean")
        assert row["mean"] == pytest.approx(0.15)

    def test_clips_without_a_relevant_component_are_counted_in_percent(self, tabulate, page):
        frames = [
            faithfulness_drops([0.0, 0.1, 0.2, 0.3], n_removed=[0, 2, 1, 0]),
            faithfulness_drops([0.0, 0.1], n_removed=[1, 1], fold=2),
            faithfulness_drops([0.0, 0.1, 0.2, 0.3], n_removed=0, removal="random_all"),
            faithfulness_drops([0.0, 0.1], n_removed=0, removal="random_all", fold=2),
        ]
        table = self.run(tabulate, *frames, baselines=["all"])
        row = one(table, metric="empty_selection")  # of relevant removals alone
        assert (row["system"], row["condition"]) == ("l2i_att", "threshold=0.1")
        assert (row["mean"], row["spread"]) == (25.0, 25.0)
        assert "## clips without any relevant component (%)\n" in page()

    def test_relevant_and_random_drops_are_paired_by_clip(self, tabulate, page):
        frames = [
            faithfulness_drops([0.5, 0.9, 0.1]),
            faithfulness_drops([0.0, 0.0, 0.0], threshold=0.9),
            faithfulness_drops([0.1, 0.8, 0.0], removal="random_unselected", draw=0),
            faithfulness_drops([0.3, 1.0, 0.0], removal="random_unselected", draw=1),
            faithfulness_drops([0.4, 0.4], fold=2),
            faithfulness_drops([0.0, 0.0], fold=2, threshold=0.9),
            faithfulness_drops([0.2, 0.2], removal="random_unselected", fold=2, draw=0),
            faithfulness_drops([0.0, 0.0], removal="random_unselected", fold=2, draw=1),
        ]
        table = self.run(tabulate, *frames, thresholds=[0.9, 0.1], baselines=["unselected"])
        row = one(table, metric="ff_difference")
        assert row["system"] == "l2i_att"
        assert row["condition"] == "minus=random_unselected, threshold=0.1"
        # Fold 1: median of 0.3, 0, 0.1, where the medians of both sides are 0.4 apart; fold 2: 0.3.
        assert (row["mean"], row["spread"]) == pytest.approx((0.2, 0.1))
        assert "## relevant minus random components, paired by clip" in page()

    def test_the_interval_of_a_difference_is_that_of_its_pairs(self, tabulate):
        drops = [0.01 * i for i in range(60)]
        frames = [
            faithfulness_drops([drop + 0.25 for drop in drops]),
            faithfulness_drops(drops, removal="random_unselected"),
        ]
        table = self.run(tabulate, *frames, baselines=["unselected"])
        row = one(table, metric="ff_difference")
        assert (row["low"], row["high"]) == pytest.approx((0.25, 0.25))
        assert self.number(table)["high"] - self.number(table)["low"] > 0.05

    def test_each_system_is_paired_with_its_own_draws_in_every_run(self, tabulate):
        frames = [
            faithfulness_drops([drop], system=system, removal=removal, run=run)
            for system, run, removal, drop in [
                ("l2i_max", 0, "relevant", 0.5),
                ("l2i_max", 0, "random_unselected", 0.1),
                ("l2i_max", 1, "relevant", 0.9),
                ("l2i_max", 1, "random_unselected", 0.3),
                ("l2i_att", 0, "relevant", 0.4),
                ("l2i_att", 0, "random_unselected", 0.4),
            ]
        ]
        table = self.run(
            tabulate, *frames, baselines=["unselected"], systems=["l2i_max", "l2i_att"]
        )
        rows = table[table["metric"] == "ff_difference"]
        assert list(rows["system"]) == ["l2i_max", "l2i_att"]
        assert list(rows["mean"]) == pytest.approx([0.5, 0.0])
        assert list(rows["n"]) == [2, 1]

    def test_a_random_draw_without_its_relevant_removal_is_refused(self, tabulate):
        frames = [
            faithfulness_drops([0.2]),
            faithfulness_drops([0.1, 0.1], removal="random_unselected"),
        ]
        with pytest.raises(InputError, match=r"1 clip.* without partner.*1-1"):
            self.run(tabulate, *frames, baselines=["unselected"])

    def test_intervals_of_identical_clips_have_no_width(self, tabulate):
        row = self.number(self.run(tabulate, faithfulness_drops([0.25] * 6)))
        assert (row["low"], row["high"]) == (0.25, 0.25)

    def test_data_sets_with_several_labels_have_no_place_here(self, tabulate, page):
        frames = [faithfulness_drops([0.2, 0.4]), faithfulness_drops([0.9], dataset="sonyc_ust")]
        settings = {"systems": ["l2i_att"], "thresholds": [0.1], "baselines": []}
        settings |= {"statistics": STATISTICS, "seed": 0}
        frames = [with_nothing(frames)]
        table = tabulate("tabulate_faithfulness", frames, datasets=of_datasets("esc50"), **settings)
        assert set(table["dataset"]) == {"esc50"}
        assert self.number(table)["mean"] == pytest.approx(0.3)
        table = tabulate("tabulate_faithfulness", frames, datasets=[], **settings)
        assert table.empty
        assert page().startswith("# Table S9: numbers\n\nWhat is seen.\n\n- ")

    def test_a_drop_that_is_no_number_shows(self, tabulate):
        row = self.number(self.run(tabulate, faithfulness_drops([0.1, math.nan, 0.2, 0.3])))
        assert row["verdict"] == "diverged"

    def test_two_runs_write_the_same_bytes(self, tabulate, tmp_path):
        frames = []
        for fold in (1, 2):
            frames.append(faithfulness_drops([0.1, 0.7, 0.2, 0.4], fold=fold))
        self.run(tabulate, *frames)
        first = [(tmp_path / name).read_bytes() for name in ("table.csv", "table.md")]
        self.run(tabulate, *reversed(frames))
        assert first == [(tmp_path / name).read_bytes() for name in ("table.csv", "table.md")]
