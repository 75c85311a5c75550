"""The scripts that turn per-clip scores into tables, on scores made by hand."""

from __future__ import annotations

import copy
import importlib.util
import json
import math

import pandas as pd
import pytest
import yaml

from conftest import PROJECT
from l2i.checks import InputError
from l2i.records import record_path

SCRIPTS = PROJECT / "workflow" / "scripts"
PAPER = yaml.safe_load((PROJECT / "workflow/reference/paper.yaml").read_text(encoding="utf-8"))
TABLES = {"classification": 1, "hyperparameters": 2, "fidelity": 4, "faithfulness": 5}
STATISTICS = {"n_bootstrap": 50, "confidence": 0.9}
ESC50 = {"paper_dataset": {"esc50": "esc50"}, "paper_comparable": {"esc50": True}}


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

    def run(name, frames=(), **settings):
        paths = []
        for i, frame in enumerate(frames):
            paths.append(str(tmp_path / f"{i}.csv"))
            frame.to_csv(paths[-1], index=False)
        inputs = {"path_to_clips": paths} if paths else {}
        paper = printed(TABLES[name.removeprefix("tabulate_")])
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
        settings = {**ESC50, "statistics": STATISTICS, "seed": 0} | changes
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

    def test_other_data_stand_beside_the_paper_without_judgement(self, tabulate):
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


class TestFidelity:
    def frame(self, ranks, system="l2i_att", fold=1, run=0, probability=0.5):
        key = {"dataset": "esc50", "fold": fold, "system": system, "run": run}
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

    def test_a_drop_that_is_no_number_shows(self, tabulate):
        row = self.number(self.run(tabulate, self.rows([0.1, math.nan, 0.2, 0.3])))
        assert row["verdict"] == "diverged"


class TestHyperparameters:
    PAPERS = {"reconstruction_weight": 10.0, "sparsity_weight": 0.8, "n_epochs": 35}

    @pytest.fixture
    def interpreter(self, tmp_path):
        """Write the records of an interpreter and its dictionary; give its path."""

        def write(fold=1, n_components=100, fidelity_weight=((1, 1.0),), **changes):
            path, dictionary = tmp_path / f"{fold}.model", tmp_path / f"{fold}.dictionary"
            ours = self.PAPERS | {"fidelity_weight": fidelity_weight, **changes}
            write_record(dictionary, {"dictionary": {"n_components": n_components}})
            write_record(
                path, {"interpreter": ours}, [("classifier", "x"), ("dictionary", dictionary)]
            )
            return str(path)

        return write

    def run(self, tabulate, *paths, comparable=True):
        return tabulate(
            "tabulate_hyperparameters",
            path_to_interpreters=list(paths),
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

    def test_the_page_speaks_of_no_interval(self, tabulate, interpreter, page):
        self.run(tabulate, interpreter())
        assert "interval" not in page()
        assert "| esc50 | L2I, post-hoc | 100 | 100 | +0 | agrees |" in page()

    def test_an_interpreter_without_a_record_is_refused(self, tabulate, interpreter, tmp_path):
        path = interpreter()
        record_path(tmp_path / "1.dictionary").unlink()
        with pytest.raises(InputError, match=r"1\.dictionary\.record\.json is missing"):
            self.run(tabulate, path)


def write_record(path, settings, inputs=()):
    """A whole record, of which the tables read settings, data set and inputs."""
    known = {"sha256": "0" * 64, "size_bytes": 1, "kind": "file"}
    record = {
        "record_version": 1,
        "output": {"name": "model", "path": str(path), **known},
        "rule": "any",
        "wildcards": {"dataset": "esc50"},
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
