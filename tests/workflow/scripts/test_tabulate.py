"""The scripts that turn per-clip scores into tables, on scores made by hand."""

from __future__ import annotations

import copy
import functools
import importlib.util
import json
import math

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.project import PROJECT
from l2i.checks import InputError
from l2i.provenance.records import record_path

SCRIPTS = PROJECT / "workflow" / "scripts"
PAPER = yaml.safe_load((PROJECT / "workflow/reference/paper.yaml").read_text(encoding="utf-8"))
TABLES = {"classification": 1, "hyperparameters": 2, "fidelity": 4, "faithfulness": 5}
STATISTICS = {"n_bootstrap": 50, "confidence": 0.9}
ESC50 = {
    "score": {"esc50": "accuracy"},
    "paper_dataset": {"esc50": "esc50"},
    "paper_comparable": {"esc50": True},
}
NONE_EXCLUDED = {"excluded_classes": {"esc50": [], "esc10": []}}
SCORES = {"esc50": "accuracy", "sonyc_ust": "auprc", "openmic": "f1"}


def of_datasets(*datasets):
    """The settings that say something of each data set, for some of the paper's."""
    return {
        "score": {name: SCORES[name] for name in datasets},
        "excluded_classes": {name: [] for name in datasets},
        "paper_dataset": {name: name for name in datasets},
        "paper_comparable": dict.fromkeys(datasets, True),
    }


@functools.cache
def script(name):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def printed(table):
    """What the rule of a table passes of the paper."""
    numbers = [number for number in PAPER["numbers"] if number["table"] == table]
    return PAPER | {"numbers": numbers, "tables": {str(table): PAPER["tables"][str(table)]}}


@pytest.fixture
def tabulate(tmp_path):
    """Write frames, run a script on them, read its table back; the page stays in the folder."""

    def write(name, frames):
        paths = [str(tmp_path / f"{name}-{i}.csv") for i in range(len(frames))]
        for path, frame in zip(paths, frames, strict=True):
            frame.to_csv(path, index=False)
        return paths

    def run(name, frames=(), inputs=None, table=None, **settings):
        inputs = {f"path_to_{key}": write(key, each) for key, each in (inputs or {}).items()}
        inputs |= {"path_to_clips": write("clips", frames)} if frames else {}
        paper = printed(table or TABLES[name.removeprefix("tabulate_")])
        before = copy.deepcopy(paper)
        script(name)(
            path_to_table=str(tmp_path / "table.csv"),
            path_to_page=str(tmp_path / "table.md"),
            paper=paper,
            **inputs,
            **settings,
        )
        assert paper == before, "the record holds the settings as they were given"
        return pd.read_csv(tmp_path / "table.csv", keep_default_na=True)

    return run


@pytest.fixture
def page(tmp_path):
    return lambda: (tmp_path / "table.md").read_text(encoding="utf-8")


def one(table, **wanted):
    rows = table
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1, f"{len(rows)} rows of {wanted}"
    return rows.iloc[0]


class TestClassification:
    def frame(self, correct, fold=1, dataset="esc50", **columns):
        clips = [f"{fold}-{i}" for i in range(len(correct))]
        return pd.DataFrame(
            {"dataset": dataset, "fold": fold, "clip": clips, "label": 0, "predicted": 0}
            | {"probability": 0.5, "correct": correct, "cross_entropy": 1.0}
            | columns
        )

    def run(self, tabulate, *frames, datasets=("esc50",), **changes):
        settings = {**ESC50, **NONE_EXCLUDED, "statistics": STATISTICS, "seed": 0} | changes
        return tabulate("tabulate_classification", frames, datasets=list(datasets), **settings)

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

    def test_two_folds_far_off_differ(self, tabulate):
        table = self.run(tabulate, self.frame([1, 0, 0, 0]), self.frame([1, 0], fold=2))
        # spread 12.5 over 2, paper 1.9 over 5: allowed is 17.76, the gap is -45.
        assert one(table, system="base_f")["verdict"] == "differs"

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
            score={"esc10": "accuracy", "esc50": "accuracy"},
            paper_dataset={"esc10": "esc50", "esc50": "esc50"},
            paper_comparable={"esc10": False, "esc50": True},
        )
        assert list(table["dataset"]) == ["esc10"] * 3 + ["esc50"] * 3
        row = one(table, dataset="esc10", system="base_f")
        assert (row["mean"], row["paper_mean"], row["verdict"]) == (50.0, 82.5, "other data")
        assert set(table["paper_dataset"]) == {"esc50"}
        quoted = "| esc50 of the paper | human listeners (quoted) |"
        assert quoted in page() and "| esc10 | human" not in page()


class TestFidelity:
    def frame(self, ranks, system="l2i_att", fold=1, run=0, probability=0.5):
        key = {"dataset": "esc50", "fold": fold, "system": system, "variant": "default"}
        key["run"] = run
        clips = [f"{fold}-{i}" for i in range(len(ranks))]
        scores = {"classifier_probability": 0.5, "interpreter_probability": probability}
        return pd.DataFrame(key | {"clip": clips, "rank": ranks} | scores)

    def run(self, tabulate, *frames, systems=("l2i_att",), top_k=(1, 3, 5)):
        return tabulate(
            "tabulate_fidelity",
            frames,
            datasets=["esc50"],
            systems=list(systems),
            top_k=list(top_k),
            **ESC50,
            **NONE_EXCLUDED,
            statistics=STATISTICS,
            seed=0,
        )

    def test_a_hit_is_a_rank_within_the_first_k(self, tabulate):
        table = self.run(tabulate, self.frame([1, 3, 4, 6]), self.frame([1, 2, 5, 5], fold=2))
        means = {k: one(table, metric=f"top_{k}_fidelity")["mean"] for k in (1, 3, 5)}
        assert means == {1: 25.0, 3: 50.0, 5: 87.5}
        assert one(table, metric="top_5_fidelity")["spread"] == 12.5

    def test_runs_are_averaged_within_their_fold(self, tabulate):
        frames = [self.frame([1, 1]), self.frame([1, 2], run=1), self.frame([1, 1], fold=2)]
        frames.append(self.frame([1, 1], fold=2, run=1))
        row = one(self.run(tabulate, *frames), metric="top_1_fidelity")
        assert (row["mean"], row["spread"], row["n"]) == (87.5, 12.5, 2)

    def test_only_systems_that_run_stand_in_the_table(self, tabulate):
        frames = [self.frame([1], system="l2i_max"), self.frame([2])]
        table = self.run(tabulate, *frames, systems=["l2i_max", "l2i_att"])
        assert list(table["system"].unique()) == ["l2i_max", "l2i_att"]
        row = one(table, system="l2i_max", metric="top_1_fidelity")
        assert (row["mean"], row["paper_mean"]) == (100.0, 73.3)

    def test_the_first_system_is_compared_with_every_later_one_clip_by_clip(self, tabulate, page):
        frames = [
            *[self.frame([1, 1, 2, 1]), self.frame([1, 1], fold=2)],
            *[self.frame([1, 2, 1, 2], "l2i_max"), self.frame([2, 2], "l2i_max", fold=2)],
            *[self.frame([2, 2, 1, 2], "third"), self.frame([1, 1], "third", fold=2)],
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
        frames = [self.frame(ranks), self.frame(ranks, "l2i_max")]
        table = self.run(tabulate, *frames, systems=["l2i_att", "l2i_max"])
        row = one(table, metric="top_1_difference")
        assert (row["mean"], row["low"], row["high"]) == (0, 0, 0)
        alone = one(table, metric="top_1_fidelity", system="l2i_att")
        assert alone["low"] < 50 < alone["high"]

    def test_a_difference_to_a_diverged_interpreter_has_diverged(self, tabulate):
        frames = [self.frame([1, 1]), self.frame([1, 1], "l2i_max", probability=math.nan)]
        table = self.run(tabulate, *frames, systems=["l2i_att", "l2i_max"])
        assert one(table, metric="top_1_difference")["verdict"] == "diverged"

    def test_one_system_has_nothing_to_be_compared_with(self, tabulate):
        assert "top_1_difference" not in set(self.run(tabulate, self.frame([1]))["metric"])

    def test_the_paper_has_no_top_3(self, tabulate):
        row = one(self.run(tabulate, self.frame([1])), metric="top_3_fidelity")
        assert math.isnan(row["paper_mean"])
        assert not isinstance(row["verdict"], str)  # empty in the file

    def test_a_k_that_the_paper_has_and_we_left_out_is_missing(self, tabulate, page):
        table = self.run(tabulate, self.frame([1]), top_k=[1, 2])
        assert one(table, metric="top_5_fidelity")["verdict"] == "missing"
        assert "## top-2 fidelity (%)" in page()
        assert "**missing**" in page()

    def test_a_diverged_interpreter_is_printed_as_such(self, tabulate):
        table = self.run(
            tabulate, self.frame([1, 1]), self.frame([1], fold=2, probability=math.nan)
        )
        assert set(table["verdict"]) == {"diverged"}


class TestFaithfulness:
    def rows(
        self, drops, removal="relevant", threshold=0.1, fold=1, draw=0, n_removed=4, **columns
    ):
        key = {"dataset": "esc50", "fold": fold, "system": "l2i_att", "run": 0} | columns
        key |= {"variant": "default", "class": "dog"}
        clips = [f"{fold}-{i}" for i in range(len(drops))]
        what = {"removal": removal, "threshold": threshold, "draw": draw, "n_removed": n_removed}
        return pd.DataFrame(key | {"clip": clips} | what | {"probability_drop": drops})

    def run(self, tabulate, *frames, thresholds=(0.1,), baselines=(), systems=("l2i_att",)):
        return tabulate(
            "tabulate_faithfulness",
            frames,
            datasets=["esc50"],
            systems=list(systems),
            thresholds=list(thresholds),
            baselines=list(baselines),
            **ESC50,
            statistics=STATISTICS,
            seed=0,
        )

    def number(self, table, condition="threshold=0.1", system="l2i_att", metric="ff_median"):
        return one(table, system=system, metric=metric, condition=condition)

    def test_medians_are_taken_within_folds_and_averaged_over_them(self, tabulate):
        table = self.run(tabulate, self.rows([0.0, 0.1, 0.9]), self.rows([0.3, 0.5, 0.5], fold=2))
        row = self.number(table)
        # The median of all six would be 0.4.
        assert row["mean"] == pytest.approx(0.3)
        assert row["spread"] == pytest.approx(0.2)
        assert row["paper_mean"] == 0.113
        assert row["verdict"] == "no spread"

    def test_thresholds_stand_apart_in_the_order_of_the_settings(self, tabulate):
        frames = [self.rows([0.2], threshold=0.1), self.rows([0.05], threshold=0.9)]
        table = self.run(tabulate, *frames, thresholds=[0.9, 0.1])
        ours = table[(table["metric"] == "ff_median") & table["mean"].notna()]
        assert list(ours["condition"]) == ["threshold=0.9", "threshold=0.1"]
        assert list(ours["mean"]) == [0.05, 0.2]
        assert self.number(table, condition="threshold=0.5")["verdict"] == "missing"

    def test_random_draws_are_averaged_after_their_medians(self, tabulate):
        frames = [
            self.rows([0.2, 0.2, 0.2]),
            self.rows([0.0, 0.0, 0.9], removal="random_unselected", draw=0),
            self.rows([0.6, 0.6, 0.6], removal="random_unselected", draw=1),
        ]
        table = self.run(tabulate, *frames, baselines=["unselected"])
        row = self.number(table, "of=l2i_att, threshold=0.1", system="random_unselected")
        assert row["mean"] == pytest.approx(0.3)
        assert (row["paper_mean"], row["bound"]) == (1e-4, "<")
        assert math.isnan(row["gap"])

    def test_baselines_that_the_paper_lacks_stand_without_a_number_of_its(self, tabulate):
        frames = [self.rows([0.2]), self.rows([0.1], removal="random_all")]
        table = self.run(tabulate, *frames, baselines=["all"])
        assert math.isnan(
            self.number(table, "of=l2i_att, threshold=0.1", system="random_all")["paper_mean"]
        )
        assert "random_unselected" not in set(table["system"])

    def test_every_system_has_its_own_rows_and_its_own_baseline(self, tabulate):
        frames = [
            self.rows([0.1 * (i + 1)], system=system, removal=removal, run=0)
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
            ("random_unselected", "of=l2i_max, threshold=0.1", 0.2),
            ("random_unselected", "of=l2i_att, threshold=0.1", 0.4),
        ]
        assert list(ours["paper_mean"].notna()) == [False, True, False, True]

    def test_the_number_of_removed_components_is_a_mean(self, tabulate):
        table = self.run(
            tabulate,
            self.rows([0.2, 0.2, 0.2], n_removed=[0, 0, 9]),
            self.rows([0.2], n_removed=6, fold=2),
        )
        row = self.number(table, metric="n_removed")
        assert (row["mean"], row["spread"]) == (4.5, 1.5)

    def test_means_stand_beside_medians(self, tabulate):
        frames = [self.rows([0.0, 0.1, 0.8]), self.rows([0.3, 0.5, 0.7], fold=2)]
        frames.append(self.rows([0.0, 0.0, 0.3], removal="random_all"))
        frames.append(self.rows([0.0, 0.1, 0.5], removal="random_all", fold=2))
        table = self.run(tabulate, *frames, baselines=["all"])
        row = self.number(table, metric="ff_mean")
        assert (row["mean"], row["spread"]) == pytest.approx((0.4, 0.1))
        assert row["low"] < 0.4 < row["high"]
        row = self.number(table, "of=l2i_att, threshold=0.1", "random_all", metric="ff_mean")
        assert row["mean"] == pytest.approx(0.15)

    def test_clips_without_a_relevant_component_are_counted_in_percent(self, tabulate, page):
        frames = [
            self.rows([0.0, 0.1, 0.2, 0.3], n_removed=[0, 2, 1, 0]),
            self.rows([0.0, 0.1], n_removed=[1, 1], fold=2),
            self.rows([0.0, 0.1, 0.2, 0.3], n_removed=0, removal="random_all"),
            self.rows([0.0, 0.1], n_removed=0, removal="random_all", fold=2),
        ]
        table = self.run(tabulate, *frames, baselines=["all"])
        row = one(table, metric="empty_selection")  # of relevant removals alone
        assert (row["system"], row["condition"]) == ("l2i_att", "threshold=0.1")
        assert (row["mean"], row["spread"]) == (25.0, 25.0)
        assert "## clips without any relevant component (%)\n" in page()

    def test_relevant_and_random_drops_are_paired_by_clip(self, tabulate, page):
        frames = [
            self.rows([0.5, 0.9, 0.1]),
            self.rows([0.0, 0.0, 0.0], threshold=0.9),
            self.rows([0.1, 0.8, 0.0], removal="random_unselected", draw=0),
            self.rows([0.3, 1.0, 0.0], removal="random_unselected", draw=1),
            self.rows([0.4, 0.4], fold=2),
            self.rows([0.2, 0.2], removal="random_unselected", fold=2, draw=0),
            self.rows([0.0, 0.0], removal="random_unselected", fold=2, draw=1),
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
            self.rows([drop + 0.25 for drop in drops]),
            self.rows(drops, removal="random_unselected"),
        ]
        table = self.run(tabulate, *frames, baselines=["unselected"])
        row = one(table, metric="ff_difference")
        assert (row["low"], row["high"]) == pytest.approx((0.25, 0.25))
        assert self.number(table)["high"] - self.number(table)["low"] > 0.05

    def test_each_system_is_paired_with_its_own_draws_in_every_run(self, tabulate):
        frames = [
            self.rows([drop], system=system, removal=removal, run=run)
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
        frames = [self.rows([0.2]), self.rows([0.1, 0.1], removal="random_unselected")]
        with pytest.raises(InputError, match=r"1 clip.* without partner.*1-1"):
            self.run(tabulate, *frames, baselines=["unselected"])

    def test_intervals_of_identical_clips_have_no_width(self, tabulate):
        row = self.number(self.run(tabulate, self.rows([0.25] * 6)))
        assert (row["low"], row["high"]) == (0.25, 0.25)

    def test_data_sets_with_several_labels_have_no_place_here(self, tabulate, page):
        frames = [self.rows([0.2, 0.4]), self.rows([0.9], dataset="sonyc_ust")]
        settings = {"systems": ["l2i_att"], "thresholds": [0.1], "baselines": []}
        settings |= of_datasets("esc50", "sonyc_ust")
        del settings["excluded_classes"]
        settings |= {"statistics": STATISTICS, "seed": 0}
        table = tabulate(
            "tabulate_faithfulness", frames, datasets=["sonyc_ust", "esc50"], **settings
        )
        assert set(table["dataset"]) == {"esc50"}
        assert self.number(table)["mean"] == pytest.approx(0.3)
        table = tabulate("tabulate_faithfulness", frames, datasets=["sonyc_ust"], **settings)
        assert table.empty
        assert page().startswith("# Table V")

    def test_a_drop_that_is_no_number_shows(self, tabulate):
        row = self.number(self.run(tabulate, self.rows([0.1, math.nan, 0.2, 0.3])))
        assert row["verdict"] == "diverged"


class TestHyperparameters:
    PAPERS = {"reconstruction_weight": 10.0, "sparsity_weight": 0.8, "n_epochs": 35}

    @pytest.fixture
    def interpreter(self, tmp_path):
        """Write the records of an interpreter and its dictionary; give its path."""

        def write(
            fold=1, n_components=100, fidelity_weight=((1, 1.0),), dataset="esc50", **changes
        ):
            name = f"{dataset}-{fold}" if dataset != "esc50" else str(fold)
            path, dictionary = tmp_path / f"{name}.model", tmp_path / f"{name}.dictionary"
            ours = self.PAPERS | {"fidelity_weight": fidelity_weight, **changes}
            write_record(dictionary, {"dictionary": {"n_components": n_components}})
            inputs = [("classifier", "x"), ("dictionary", dictionary)]
            write_record(path, {"system_settings": ours}, inputs, dataset=dataset)
            return str(path)

        return write

    def run(self, tabulate, *paths, number="2", comparable=True):
        return tabulate(
            "tabulate_hyperparameters",
            path_to_systems=list(paths),
            number=number,
            table=int(number),
            datasets=["esc50"],
            paper_dataset={"esc50": "esc50"},
            paper_comparable={"esc50": comparable},
        )

    def test_the_papers_settings_agree(self, tabulate, interpreter):
        table = self.run(tabulate, interpreter(1), interpreter(2))
        printed = ["reconstruction_weight", "sparsity_weight", "n_components", "n_epochs"]
        assert list(table["metric"]) == [*printed, "fidelity_weight"]
        assert list(table["mean"]) == [10.0, 0.8, 100, 35, 1.0]
        assert list(table["verdict"][:4]) == ["agrees"] * 4
        assert not isinstance(table["verdict"][4], str)  # the paper prints none

    def test_another_setting_differs_however_little(self, tabulate, interpreter):
        table = self.run(tabulate, interpreter(sparsity_weight=0.79))
        row = one(table, metric="sparsity_weight")
        assert (row["verdict"], row["gap"]) == ("differs", -0.01)
        assert list(table["verdict"]).count("agrees") == 3

    def test_components_are_those_of_the_dictionary_that_was_used(self, tabulate, interpreter):
        row = one(self.run(tabulate, interpreter(n_components=80)), metric="n_components")
        assert (row["mean"], row["verdict"]) == (80, "differs")

    def test_a_weight_that_changes_during_training_has_a_row_for_each_step(
        self, tabulate, interpreter, page
    ):
        table = self.run(tabulate, interpreter(fidelity_weight=[[1, 0.5], [20, 1.0]]))
        rows = table[table["metric"] == "fidelity_weight"]
        assert list(rows["condition"].fillna("")) == ["", "from_epoch=20"]
        assert list(rows["mean"]) == [0.5, 1.0]
        assert "| esc50 | L2I, post-hoc | from_epoch=20 | 1.0 |" in page()

    @pytest.mark.parametrize(
        ("metric", "other"),
        [
            ("n_components", {"n_components": 80}),
            ("n_epochs", {"n_epochs": 34}),
            ("fidelity_weight", {"fidelity_weight": [[1, 0.5]]}),
        ],
    )
    @pytest.mark.parametrize("comparable", [True, False])
    def test_interpreters_that_do_not_agree_are_called_mixed(
        self, tabulate, interpreter, page, metric, other, comparable
    ):
        paths = interpreter(1), interpreter(2, **other), interpreter(3)
        table = self.run(tabulate, *paths, comparable=comparable)
        mixed = table[table["verdict"] == "mixed"]
        assert list(mixed["metric"]) == [metric]
        assert mixed["mean"].isna().all()
        assert "| **mixed** |" in page()

    def test_a_step_that_not_all_made_is_mixed(self, tabulate, interpreter):
        paths = interpreter(1), interpreter(2, fidelity_weight=[[1, 1.0], [20, 2.0]])
        rows = self.run(tabulate, *paths)
        assert one(rows, metric="fidelity_weight", condition="from_epoch=20")["verdict"] == "mixed"

    def test_settings_for_other_data_are_not_judged(self, tabulate, interpreter):
        table = self.run(tabulate, interpreter(), comparable=False)
        assert set(table["verdict"].dropna()) == {"other data"}

    def test_each_data_set_stands_beside_its_own_numbers(self, tabulate, interpreter):
        sonyc = {"dataset": "sonyc_ust", "n_components": 80, "n_epochs": 21}
        paths = [interpreter(1), *(interpreter(f"official-{run}", **sonyc) for run in (0, 1))]
        settings = of_datasets("sonyc_ust", "esc50")
        del settings["score"], settings["excluded_classes"]
        table = tabulate(
            "tabulate_hyperparameters",
            path_to_systems=paths,
            number="2",
            datasets=["sonyc_ust", "esc50"],
            **settings,
        )
        for dataset, n_components in (("sonyc_ust", 80), ("esc50", 100)):
            rows = table[(table["dataset"] == dataset) & table["paper_mean"].notna()]
            assert set(rows["verdict"]) == {"agrees"}
            assert one(rows, metric="n_components")["mean"] == n_components

    def test_those_of_l2i_by_design_stand_beside_table_3(self, tabulate, interpreter, page):
        ours = {"prediction_weight": 1.0, "reconstruction_weight": 3.0, "sparsity_weight": 0.2}
        table = self.run(tabulate, interpreter(n_epochs=51, **ours), number="3")
        assert set(table["verdict"]) == {"agrees"} and set(table["system"]) == {"l2i_bd"}
        assert list(table["metric"]) == [*ours, "n_components", "n_epochs"]
        assert page().startswith("# Table III")
        other = interpreter(2, n_epochs=51, **ours | {"prediction_weight": 0.5})
        row = one(self.run(tabulate, other, number="3"), metric="prediction_weight")
        assert (row["gap"], row["verdict"]) == (-0.5, "differs")

    def test_a_table_of_nothing_trained_misses_all(self, tabulate):
        assert set(self.run(tabulate)["verdict"]) == {"missing"}

    def test_the_page_speaks_of_no_interval(self, tabulate, interpreter, page):
        self.run(tabulate, interpreter())
        assert "interval" not in page()
        assert "| esc50 | L2I, post-hoc | 100 | 100 | +0 | agrees |" in page()

    def test_an_interpreter_without_a_record_is_refused(self, tabulate, interpreter, tmp_path):
        path = interpreter()
        record_path(tmp_path / "1.dictionary").unlink()
        with pytest.raises(InputError, match=r"1\.dictionary\.record\.json is missing"):
            self.run(tabulate, path)


def write_record(path, settings, inputs=(), dataset="esc50"):
    """A whole record, of which the tables read settings, data set and inputs."""
    known = {"sha256": "0" * 64, "size_bytes": 1, "kind": "file"}
    record = {
        "record_version": 1,
        "output": {"name": "model", "path": str(path), **known},
        "rule": "any",
        "wildcards": {"dataset": dataset},
        "inputs": [{"name": name, "path": str(used), **known} for name, used in inputs],
        "settings": settings,
        "fingerprints": dict.fromkeys(("code", "env", "settings"), "0" * 64),
        "seeds": {},
        "software": {"python": "3.11"},
        "git": None,
        "host": {"name": "a", "system": "b", "cpu": "c", "n_cores": 1, "memory_bytes": 1},
        "accelerator": None,
        "slurm": None,
        "runtime": {"device": "cpu", "precision": "float32", "n_threads": 1}
        | {"deterministic": True, "peak_memory_bytes": 1},
        "facts": {},
        **dict.fromkeys(("started_at", "finished_at"), "2025-01-31T12:00:00+00:00"),
        "seconds": 1.0,
    }
    record_path(path).write_text(json.dumps(record), encoding="utf-8")


def tags(
    dataset, name="classification", n=12, classes=("dog", "music"), system="l2i_att", **changes
):
    """Rows of a data set with several labels a clip, in which everybody is right everywhere.

    Clip i holds the first class if i is odd, the second if i is a multiple of 3. Scores fall with
    the number of the clip; decisions are from 0.5 on.
    """
    clip = np.arange(n)
    key = {"dataset": dataset, "fold": "official"}
    if name == "fidelity":
        key |= {"system": system, "variant": "default", "run": 0}
    columns = {}
    for place, each in enumerate(classes):
        truth = (clip % 2 == 1) if place == 0 else (clip % 3 == 0)
        score = np.where(truth, 0.9, 0.4) - 0.01 * clip
        columns |= {f"label_{each}": truth.astype(int), f"decided_{each}": truth.astype(int)}
        if name == "fidelity":
            columns |= {f"classifier_{each}": score, f"interpreter_{each}": score}
        else:
            columns |= {f"probability_{each}": score}
    losses = {"fidelity_loss": 0.5, "reconstruction_loss": 0.25, "sparsity_loss": 0.1}
    losses = losses if name == "fidelity" else {}
    return pd.DataFrame(key | {"clip": [f"c{i:02d}" for i in clip]} | columns | losses).assign(
        **changes
    )


class TestClassificationOfTags:
    def run(self, tabulate, *frames, datasets=("sonyc_ust",), **changes):
        settings = {**of_datasets(*datasets), "statistics": STATISTICS, "seed": 0} | changes
        return tabulate("tabulate_classification", frames, datasets=list(datasets), **settings)

    def number(self, table, metric, condition="", system="base_f"):
        table = table.assign(condition=table["condition"].astype(object).fillna(""))
        return one(table, metric=metric, condition=condition, system=system)

    def test_areas_stand_beside_the_papers(self, tabulate, page):
        table = self.run(tabulate, tags("sonyc_ust"))
        row = self.number(table, "macro_auprc")
        # Ceilings of 6 and 4 positives: 1 - 1/12 and 1 - 1/8.
        assert row["mean"] == pytest.approx((11 / 12 + 7 / 8) / 2, abs=1e-6)
        assert (row["paper_mean"], row["n"], row["verdict"]) == (0.601, 1, "no spread")
        assert row["low"] < row["mean"]
        ours = table[table["system"] == "base_f"]
        assert list(ours["metric"]) == [
            *("macro_auprc", "micro_auprc", "macro_auprc_7", "mean_average_precision", "max_f1_7")
        ]
        assert self.number(table, "mean_average_precision")["mean"] == 1
        assert self.number(table, "max_f1_7")["mean"] == 1
        assert "evaluator of DCASE" in page()
        assert "| sonyc_ust of the paper | Arnault et al. (quoted) |" in page()

    def test_all_classes_come_first_and_then_without_those_left_out(self, tabulate):
        excluded = {"excluded_classes": {"sonyc_ust": ["dog"]}}
        table = self.run(tabulate, tags("sonyc_ust"), **excluded)
        assert self.number(table, "macro_auprc")["paper_mean"] == 0.601
        row = self.number(table, "macro_auprc", "excluded=dog")
        assert row["mean"] == pytest.approx(7 / 8)
        assert math.isnan(row["paper_mean"])
        assert "excluded=dog" not in set(table[table["metric"] == "micro_auprc"]["condition"])

    def test_f1_is_that_of_decisions_on_observed_labels(self, tabulate):
        frame = tags("openmic")
        frame.loc[0:3, "label_dog"] = math.nan
        frame.loc[0:3, "decided_dog"] = [1, 0, 1, 0]  # wrong, and nobody knows
        assert (
            self.number(self.run(tabulate, frame, datasets=["openmic"]), "avg_weighted_f1")["mean"]
            == 1
        )
        frame.loc[4, "decided_dog"] = 1  # a false alarm among 4 positives and 4 negatives
        table = self.run(tabulate, frame, datasets=["openmic"])
        f1_p, f1_n = 8 / 9, 6 / 7
        expected = ((f1_p + f1_n) / 2 + 1) / 2
        assert self.number(table, "avg_weighted_f1")["mean"] == pytest.approx(expected, abs=1e-6)
        assert self.number(table, "avg_macro_f1")["mean"] == pytest.approx(expected, abs=1e-6)
        assert self.number(table, "avg_weighted_f1")["paper_mean"] == 0.831

    def test_data_sets_of_every_kind_stand_in_one_table(self, tabulate):
        frames = [TestClassification().frame([1, 0]), tags("openmic"), tags("sonyc_ust")]
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
        assert self.number(table, "macro_auprc")["mean"] == pytest.approx(7 / 8)
        assert "- No test clip of sonyc_ust holds dog.\n" in page()

    def test_a_class_that_is_left_out_must_be_one(self, tabulate):
        with pytest.raises(InputError, match="must name some of the classes dog, music.*got cat"):
            self.run(tabulate, tags("sonyc_ust"), excluded_classes={"sonyc_ust": ["cat"]})


class TestFidelityOfTags:
    def frame(self, dataset="sonyc_ust", run=0, **options):
        return tags(dataset, "fidelity", **options).assign(run=run)

    def run(self, tabulate, *frames, datasets=("sonyc_ust",), systems=("l2i_att",), **changes):
        settings = {**of_datasets(*datasets), "statistics": STATISTICS, "seed": 0, "top_k": [1]}
        settings |= changes
        return tabulate(
            "tabulate_fidelity",
            frames,
            datasets=list(datasets),
            systems=list(systems),
            **settings,
        )

    number = TestClassificationOfTags.number

    def of(self, table, metric, condition="", system="l2i_att"):
        return self.number(table, metric, condition, system)

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
        [("sonyc_ust", "macro_auprc"), ("openmic", "avg_weighted_f1")],
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
        assert (row["mean"], row["low"], row["high"]) == (0, 0, 0)
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
        frames = [self.frame(), TestFidelity().frame([1, 2]), self.frame("openmic")]
        datasets = ["openmic", "esc50", "sonyc_ust"]
        table = self.run(tabulate, *frames, datasets=datasets, top_k=[1, 5])
        assert list(table["dataset"].unique()) == datasets
        assert "missing" not in set(table["verdict"])

    def test_classes_that_the_classifier_never_decides_on_are_told(self, tabulate, page):
        table = self.run(tabulate, self.frame(decided_dog=0))
        assert self.of(table, "macro_auprc")["mean"] == pytest.approx(7 / 8)
        assert "The classifier decides on no test clip of sonyc_ust for dog." in page()


class TestAblation:
    def row(self, dataset, variant, **condition):
        fold = str(condition.get("fold", "official"))
        key = {"dataset": dataset, "fold": fold, "system": "l2i_att", "variant": variant}
        return key | {"condition": condition}

    def run(self, tabulate, number, rows, *frames, **changes):
        settings = {**of_datasets(*SCORES), "statistics": STATISTICS, "seed": 0} | changes
        return tabulate(
            *("tabulate_ablation", frames),
            table=number,
            number=str(number),
            rows=rows,
            **settings,
        )

    def test_hidden_layers_stand_beside_the_papers(self, tabulate, page):
        losses = {"reconstruction_loss": [0.1, 0.2, 0.3], "fidelity_loss": [1.0, 2.0, 3.0]}
        frames = [
            TestFidelity().frame([1, 2, 3]).assign(variant=variant, **losses)
            for variant in ("taps-B3", "default")
        ]
        frames[1]["reconstruction_loss"] /= 2
        rows = [
            self.row("esc50", "taps-B3", fold=1, taps=["B3"]),
            self.row("esc50", "default", fold=1, taps=["B4", "B5", "B6"]),
        ]
        table = self.run(tabulate, 6, rows, *frames)
        key = {"system": "l2i_att", "condition": "fold=1, taps=B3"}
        got = {
            metric: one(table, metric=metric, **key)
            for metric in ("reconstruction_loss", "fidelity_loss", "top_1_fidelity")
        }
        means = {metric: (row["mean"], row["paper_mean"]) for metric, row in got.items()}
        assert means == {
            "reconstruction_loss": (0.2, 0.104),
            "fidelity_loss": (2.0, 1.788),
            "top_1_fidelity": (pytest.approx(100 / 3, abs=1e-3), 53.0),
        }
        assert got["fidelity_loss"]["low"] < 2 < got["fidelity_loss"]["high"]
        assert (got["fidelity_loss"]["n"], got["fidelity_loss"]["verdict"]) == (1, "no spread")
        key["condition"] = "fold=1, taps=B4+B5+B6"
        assert one(table, metric="reconstruction_loss", **key)["mean"] == 0.1
        assert (table["verdict"] == "missing").sum() == 4 * 3  # of the layers that we left out
        assert page().startswith("# Table VI")

    def test_weights_of_losses_stand_beside_the_papers(self, tabulate):
        frames = [tags("sonyc_ust", "fidelity").assign(variant="weights-10-8")]
        frames.append(tags("sonyc_ust", "fidelity", fidelity_loss=0.7))
        rows = [
            self.row("sonyc_ust", variant, reconstruction_weight=10.0, sparsity_weight=weight)
            for variant, weight in (("default", 0.8), ("weights-10-8", 8.0))
        ]
        excluded = {"excluded_classes": {"sonyc_ust": ["dog"]}}
        table = self.run(tabulate, 7, rows, *frames, **excluded)
        condition = "reconstruction_weight=10, sparsity_weight=0.8"
        row = one(table, metric="macro_auprc", condition=condition)
        assert (row["mean"], row["paper_mean"]) == (pytest.approx(7 / 8), 0.900)
        assert one(table, metric="fidelity_loss", condition=condition)["mean"] == 0.7
        condition = "reconstruction_weight=10, sparsity_weight=8"
        row = one(table, metric="reconstruction_loss", condition=condition)
        assert (row["mean"], row["paper_mean"]) == (0.25, 0.048)

    def test_one_variant_may_stand_in_several_rows(self, tabulate):
        frame = tags("sonyc_ust", "fidelity")
        rows = [
            self.row("sonyc_ust", "default", reconstruction_weight=w, sparsity_weight=0.8)
            for w in (1.0, 10.0)
        ]
        table = self.run(tabulate, 7, rows, frame)
        assert table[table["mean"].notna()]["metric"].value_counts().to_dict() == {
            **dict.fromkeys(("reconstruction_loss", "fidelity_loss", "macro_auprc"), 2)
        }

    def test_folds_and_systems_stay_apart(self, tabulate):
        losses = {"reconstruction_loss": 0.1, "fidelity_loss": 1.0}
        frames = [
            TestFidelity().frame([1, 1]).assign(**losses),
            TestFidelity().frame([2, 2], fold=2).assign(**losses),
            TestFidelity().frame([2, 2], system="l2i_max").assign(**losses),
        ]
        rows = [self.row("esc50", "default", fold=1, taps=["B4", "B5", "B6"])]
        table = self.run(tabulate, 6, rows, *frames)
        assert list(table[table["metric"] == "top_1_fidelity"]["mean"].dropna()) == [100.0]

    def test_a_variant_that_was_not_measured_is_named(self, tabulate):
        rows = [self.row("sonyc_ust", "weights-1-1", sparsity_weight=1.0)]
        with pytest.raises(InputError, match="no clip of sonyc_ust .*variant=weights-1-1"):
            self.run(tabulate, 7, rows, tags("sonyc_ust", "fidelity"))


class TestClasses:
    def removals(self, name, drops, removal="relevant", draw=0, run=0, **columns):
        key = {"dataset": "sonyc_ust", "fold": "official", "system": "l2i_att"}
        key |= {"variant": "default", "run": run}
        clips = [f"c{2 * i + 1:02d}" for i in range(len(drops))]
        what = {"class": name, "removal": removal, "threshold": 0.1, "draw": draw}
        frame = pd.DataFrame(key | {"clip": clips} | what | {"probability_drop": drops})
        return frame.assign(**columns)

    def run(self, tabulate, classification, fidelity, faithfulness, **changes):
        settings = {"datasets": ["esc50", "sonyc_ust"], "systems": ["l2i_att"]}
        settings |= {"threshold": 0.1, "baselines": ["unselected"], "score": SCORES}
        settings |= {"statistics": STATISTICS, "seed": 0} | changes
        inputs = {"classification": classification, "fidelity": fidelity}
        inputs["faithfulness"] = faithfulness
        return tabulate("tabulate_classes", inputs=inputs, table=5, **settings)

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
            [TestClassification().frame([1, 0]), tags("sonyc_ust")],
            [TestFidelity().frame([1, 2]), tags("sonyc_ust", "fidelity")],
            [TestFaithfulness().rows([0.5, 0.5]), pd.concat(removals)],
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
        assert list(rows["system"]) == ["l2i_att", "random_unselected"]
        assert list(rows["condition"].fillna("")) == ["", "of=l2i_att"]
        assert list(rows["mean"]) == pytest.approx([0.25, 0.05])
        assert rows.iloc[0]["low"] < 0.25 < rows.iloc[0]["high"]

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
        assert rows["mean"].isna().all() and list(rows["n"]) == [0, 0]
        assert "| music | undefined | undefined |" in page()

    def test_a_classifier_that_decides_on_nothing_leaves_an_empty_file(self, tabulate):
        *others, (esc50, removals) = self.inputs()
        table = self.run(tabulate, *others, [esc50, removals.iloc[:0]])
        assert table[table["metric"] == "ff_median"]["mean"].isna().all()

    def test_without_such_a_data_set_there_is_a_page_that_says_so(self, tabulate, page):
        table = self.run(tabulate, [], [], [], datasets=["esc50"])
        assert table.empty
        assert page().startswith("# Class by class\n\n- ")

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
        assert "median drop where the classifier decides, threshold=0.1\n" in text
        assert (
            "| class | L2I w/ ATT | random, among the unselected, of=l2i_att | L2I w/ MAX |"
        ) in text


class TestAllTables:
    def test_two_runs_write_the_same_bytes(self, tabulate, tmp_path):
        case, frames = TestFaithfulness(), []
        for fold in (1, 2):
            frames.append(case.rows([0.1, 0.7, 0.2, 0.4], fold=fold))
        case.run(tabulate, *frames)
        first = [(tmp_path / name).read_bytes() for name in ("table.csv", "table.md")]
        case.run(tabulate, *reversed(frames))
        assert first == [(tmp_path / name).read_bytes() for name in ("table.csv", "table.md")]

    def test_every_title_and_note_comes_from_the_reference(self, tabulate, page):
        TestFidelity().run(tabulate, TestFidelity().frame([1]))
        assert page().startswith(f"# {PAPER['tables']['4']['title']}\n")
        for note in PAPER["tables"]["4"]["notes"]:
            assert f"- {note}\n" in page()
