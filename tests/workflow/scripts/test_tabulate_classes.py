"""Scores class by class, on scores made by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from helpers.tables import (
    STATISTICS,
    classified,
    faithfulness_drops,
    fidelity_ranks,
    of_datasets,
    one,
    tags,
    with_nothing,
)


class TestClasses:
    def removals(self, name, drops, removal="relevant", draw=0, run=0, **columns):
        key = {"dataset": "sonyc_ust", "fold": "official", "system": "l2i_att"}
        key |= {"variant": "default", "run": run}
        clips = [f"c{2 * i + 1:02d}" for i in range(len(drops))]
        what = {"class": name, "removal": removal, "threshold": 0.1, "draw": draw, "matched": 1}
        what |= {"energy_removed": 0.5, "probability_drop": drops}
        return pd.DataFrame(key | {"source": clips, "clip": clips} | what).assign(**columns)

    def run(
        self, tabulate, classification, fidelity, faithfulness, datasets=("sonyc_ust",), **changes
    ):
        settings = {"datasets": of_datasets(*datasets), "systems": ["l2i_att"]}
        settings |= {"threshold": 0.1, "baselines": ["unselected"]}
        settings |= {"statistics": STATISTICS, "seed": 0} | changes
        inputs = {"classification": classification, "fidelity": fidelity}
        inputs["faithfulness"] = [with_nothing([each]) for each in faithfulness]
        return tabulate("tabulate_classes", inputs=inputs, **settings)

    def inputs(self):
        """Of ESC-50, which has no place here, and of SONYC-UST."""
        removals = [
            self.removals("dog", [0.1, 0.2, 0.9, 0.3, 0.4, 0.2]),
            self.removals("dog", [0.8] * 6, threshold=0.9),
            self.removals("dog", [0.0] * 6, "random_unselected"),
            self.removals("dog", [0.1] * 6, "random_unselected", draw=1),
            self.removals("dog", [0.7] * 6, "random_all"),
        ]
        return (
            [classified([1, 0], None), tags("sonyc_ust")],
            [fidelity_ranks([1, 2]), tags("sonyc_ust", "fidelity")],
            [faithfulness_drops([0.5, 0.5]), pd.concat(removals)],
        )

    def test_every_class_has_its_numbers(self, tabulate):
        table = self.run(tabulate, *self.inputs())
        assert set(table["dataset"]) == {"sonyc_ust"}
        assert list(table["class"].unique()) == ["dog", "music"]
        dog = table[table["class"] == "dog"]
        means = {name: one(dog, metric=name)["mean"] for name in ("n_positive", "n_negative")}
        assert means == {"n_positive": 6, "n_negative": 6}
        for quantity, system in (("classification", "base_f"), ("fidelity", "l2i_att")):
            row = one(dog, quantity=quantity, system=system, metric="auprc")
            assert row["mean"] == pytest.approx(11 / 12, abs=1e-6)
            assert row["low"] <= row["mean"] <= row["high"]
            assert one(dog, quantity=quantity, metric="average_precision")["mean"] == 1

    def test_labels_are_counted_where_observed_and_decisions_everywhere(self, tabulate):
        classification, *others = self.inputs()
        classification[1].loc[0:3, "label_dog"] = math.nan
        dog = self.run(tabulate, classification, *others).query("`class` == 'dog'")
        got = [one(dog, metric=f"n_{name}")["mean"] for name in ("positive", "negative", "decided")]
        assert got == [4, 4, 6]

    def test_faithfulness_is_the_median_over_clips_that_the_classifier_decides_on(self, tabulate):
        table = self.run(tabulate, *self.inputs())
        rows = table[(table["class"] == "dog") & (table["metric"] == "ff_median")]
        assert list(rows["system"]) == ["l2i_att", "random_unselected", "nothing"]
        assert list(rows["condition"].fillna("")) == ["", "of=l2i_att", "of=l2i_att"]
        assert list(rows["mean"]) == pytest.approx([0.25, 0.05, 0])
        assert rows.iloc[0]["low"] < 0.25 < rows.iloc[0]["high"]

    def test_energies_and_clips_that_could_not_be_matched_are_told_of_each_class(
        self, tabulate, page
    ):
        *others, (esc50, removals) = self.inputs()
        energy = self.removals("dog", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5], "random_energy")
        energy = energy.assign(matched=[1, 1, 1, 0, 0, 0], energy_removed=0.25)
        rows = [esc50, pd.concat([removals, energy])]
        table = self.run(tabulate, *others, rows, baselines=["energy"])
        dog = table[table["class"] == "dog"]
        row = one(dog, quantity="removed", metric="unmatched")
        assert (row["system"], row["condition"], row["mean"]) == ("random_energy", "of=l2i_att", 50)
        shares = {
            each: one(dog, metric="energy_removed", system=each)["mean"]
            for each in ("l2i_att", "random_energy")
        }
        assert shares == {"l2i_att": 50, "random_energy": 25}
        assert one(dog, metric="ff_median", system="random_energy")["mean"] == pytest.approx(0.1)
        assert "## sonyc_ust: what is removed there, τ = 0.1\n" in page()
        assert page().count("within 20 %") == 1

    def test_drops_are_given_net_of_what_removing_nothing_does(self, tabulate):
        *others, (esc50, removals) = self.inputs()
        removals = with_nothing([removals], drop=[0.1, 0.1, 0.1, 0, 0, 0])
        table = self.run(tabulate, *others, [esc50, removals])
        row = one(table, **{"class": "dog", "metric": "ff_net_median"})
        assert row["mean"] == pytest.approx(0.25)  # of 0, 0.1, 0.8, 0.3, 0.4, 0.2

    def test_runs_of_one_split_are_its_values(self, tabulate):
        *others, (esc50, removals) = self.inputs()
        more = removals.assign(run=1, probability_drop=removals["probability_drop"] + 0.2)
        fidelity = tags("sonyc_ust", "fidelity").assign(run=1)
        others[1].append(fidelity)
        table = self.run(tabulate, *others, [esc50, removals, more])
        row = one(table, **{"class": "dog", "metric": "ff_median", "system": "l2i_att"})
        assert (row["mean"], row["spread"], row["n"]) == (pytest.approx(0.35), 0.1, 2)

    def test_a_class_that_is_never_decided_has_a_row_and_no_number(self, tabulate, page):
        table = self.run(tabulate, *self.inputs())
        rows = table[(table["class"] == "music") & (table["metric"] == "ff_median")]
        assert rows["mean"].isna().all() and list(rows["n"]) == [0, 0, 0]
        assert "| music | undefined | undefined | undefined | undefined |\n" in page()

    def test_a_classifier_that_decides_on_nothing_leaves_an_empty_file(self, tabulate):
        *others, (esc50, removals) = self.inputs()
        table = self.run(tabulate, *others, [esc50, removals.iloc[:0]])
        assert table[table["metric"] == "ff_median"]["mean"].isna().all()

    def test_without_such_a_data_set_there_is_a_page_that_says_so(self, tabulate, page):
        table = self.run(tabulate, [], [], [], datasets=[])
        assert table.empty
        assert page().startswith("# Table S9: numbers\n\nWhat is seen.\n\n- ")

    def test_f1_is_told_of_both_signs(self, tabulate):
        classification, fidelity = [tags("openmic")], [tags("openmic", "fidelity")]
        removals = [self.removals("dog", [0.1], dataset="openmic")]
        table = self.run(
            tabulate, classification, fidelity, removals, datasets=["openmic"], baselines=[]
        )
        for quantity in ("classification", "fidelity"):
            part = table[(table["quantity"] == quantity) & (table["class"] == "dog")]
            assert list(part["metric"]) == ["weighted_f1", "macro_f1"]
            assert list(part["mean"]) == [1, 1]

    def test_the_page_has_a_line_per_class_and_a_column_per_system(self, tabulate, page):
        classification, fidelity, removals = self.inputs()
        fidelity.append(tags("sonyc_ust", "fidelity", system="l2i_max"))
        removals.append(removals[1].assign(system="l2i_max"))
        self.run(tabulate, classification, fidelity, removals, systems=["l2i_att", "l2i_max"])
        text = page()
        assert "## sonyc_ust: test clips\n\n| class | positives | negatives | decided |" in text
        assert "| dog | 6 | 6 | 6 |\n| music | 4 | 8 | 4 |\n" in text
        assert (
            "| class | L2I w/ ATT, AUPRC | L2I w/ ATT, average precision | L2I w/ MAX, AUPRC |"
        ) in text
        assert "median drop where the classifier decides, τ = 0.1\n" in text
        assert (
            "| class | L2I w/ ATT | L2I w/ ATT, median faithfulness, net of the round trip "
            "| random, among the unselected, of=l2i_att | nothing (round trip alone), of=l2i_att "
            "| L2I w/ MAX |"
        ) in text
