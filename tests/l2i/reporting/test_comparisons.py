"""Table VIII and the pairs of Tables IV and VIII, on scores made by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from test_tabulate import PAPER, of_datasets, one, printed, script, tags

from l2i.checks import InputError
from l2i.reporting.comparisons import compared_pairs, difference_metric, in_common, ranked
from l2i.reporting.scores import as_classification, classification_scores

STATISTICS = {"n_bootstrap": 50, "n_permutations": 200, "confidence": 0.9}
POSTHOC = {"l2i_att": "l2i_posthoc"}


def classified(correct, system="l2i_bd", fold=1, run=0, probability=0.5, dataset="esc50"):
    """Rows of classification.csv of one class a clip; without runs where `system` is None."""
    clips = [f"{fold}-{i:02d}" for i in range(len(correct))]
    key = {"dataset": dataset, "fold": str(fold), "clip": clips}
    key |= {} if system is None else {"system": system, "variant": "default", "run": run}
    rows = {"label": 0, "predicted": 0, "probability": probability, "correct": correct}
    return pd.DataFrame(key | rows | {"cross_entropy": 1.0})


def followed(says, fold=1, run=0, label=0, system="l2i_att", probability=0.5):
    """Rows of fidelity.csv of one class a clip, `says` being the interpreter's classes."""
    clips = [f"{fold}-{i:02d}" for i in range(len(says))]
    key = {"dataset": "esc50", "fold": str(fold), "system": system, "variant": "default"}
    key |= {"run": run, "clip": clips, "label": label}
    scores = {"classifier_class": 9, "interpreter_class": says, "rank": 1}
    scores |= {"classifier_probability": 0.5, "interpreter_probability": probability}
    return pd.DataFrame(key | scores)


def tagged(dataset="sonyc_ust", system="l2i_bd", run=0, **changes):
    """Rows of classification.csv of several labels a clip, everybody being right."""
    return tags(dataset, system=system).assign(system=system, variant="default", run=run, **changes)


@pytest.fixture
def write(tmp_path):
    def paths(name, frames):
        files = [str(tmp_path / f"{name}-{i}.csv") for i in range(len(frames))]
        for path, frame in zip(files, frames, strict=True):
            frame.to_csv(path, index=False)
        return files

    return paths


@pytest.fixture
def outputs(tmp_path):
    files = {"path_to_table": tmp_path / "table.csv", "path_to_page": tmp_path / "table.md"}
    return {name: str(path) for name, path in files.items()}


@pytest.fixture
def page(outputs):
    def text():
        with open(outputs["path_to_page"], encoding="utf-8") as file:
            return file.read()

    return text


@pytest.fixture
def by_design(write, outputs):
    def run(clips=(), classifier=(), posthoc=(), systems=("l2i_bd", "apnet"), datasets=("esc50",)):
        script("tabulate_by_design")(
            path_to_clips=write("clips", clips),
            path_to_classifier=write("classifier", classifier),
            path_to_posthoc=write("posthoc", posthoc),
            **outputs,
            datasets=list(datasets),
            systems=list(systems),
            as_classifier=POSTHOC,
            paper=printed(8),
            statistics=STATISTICS,
            seed=0,
            **of_datasets(*datasets),
        )
        return pd.read_csv(outputs["path_to_table"])

    return run


@pytest.fixture
def compare(write, outputs):
    def run(clips=(), classifier=(), posthoc=(), number="8", datasets=("esc50",), **changes):
        settings = of_datasets(*datasets)
        del settings["paper_dataset"], settings["paper_comparable"]
        settings |= {"systems": ["l2i_bd", "apnet"], "as_classifier": POSTHOC} | changes
        script("compare_systems")(
            path_to_clips=write("clips", clips),
            path_to_classifier=write("classifier", classifier),
            path_to_posthoc=write("posthoc", posthoc),
            **outputs,
            number=number,
            datasets=list(datasets),
            paper=printed(int(number)),
            statistics=STATISTICS,
            seed=0,
            **settings,
        )
        return pd.read_csv(outputs["path_to_table"])

    return run


class TestInCommon:
    def frame(self, *repeats):
        return pd.concat([classified([1, 0], fold=fold, run=run) for fold, run in repeats])

    def repeats(self, frame):
        return sorted(set(zip(frame["fold"], frame["run"], strict=True)))

    def test_only_folds_and_runs_of_both_stay(self):
        clips = self.frame((1, 0), (1, 1), (2, 0))
        other = self.frame((2, 0), (1, 1), (3, 0), (2, 1))
        for both in in_common(clips, other):
            assert self.repeats(both) == [("1", 1), ("2", 0)]
            assert len(both) == 4

    def test_a_side_without_runs_stands_beside_every_run_of_its_fold(self):
        clips = self.frame((1, 0), (1, 1), (2, 0))
        classifier = pd.concat([classified([1, 1], None, fold=fold) for fold in (1, 3)])
        for sides in (in_common(clips, classifier), in_common(classifier, clips)[::-1]):
            for both in sides:
                assert self.repeats(both) == [("1", 0), ("1", 1)]
            assert list(sides[1]["correct"]) == [1] * 4
        assert "run" not in classifier

    def test_nothing_in_common_is_nothing(self):
        assert [len(side) for side in in_common(self.frame((1, 0)), self.frame((2, 0)))] == [0, 0]

    def test_clips_are_left_alone(self):
        clips, other = classified([1, 0]), classified([1])
        assert [len(side) for side in in_common(clips, other)] == [2, 1]

    def test_differences_have_names_that_the_paper_section_knows(self):
        for metric in ("accuracy", "top_1_fidelity", "macro_auprc", "avg_weighted_f1"):
            assert difference_metric(metric) in PAPER["metrics"]


class TestAsClassification:
    def test_the_interpreter_is_right_where_it_says_the_label(self):
        rows = as_classification(followed([2, 1, 2], label=[2, 2, 2]))
        assert list(rows["correct"]) == [1, 0, 1]
        assert list(rows["predicted"]) == [2, 1, 2]
        assert list(rows["fold"]) == ["1"] * 3 and list(rows["run"]) == [0] * 3

    def test_of_several_labels_it_decides_from_a_half_on(self):
        frame = tags("openmic", "fidelity", n=3, interpreter_dog=[0.5, 0.49, math.nan])
        rows = as_classification(frame.assign(label_dog=[1, math.nan, 0]))
        assert list(rows["decided_dog"]) == [1, 0, 0]
        np.testing.assert_array_equal(rows["probability_dog"], [0.5, 0.49, math.nan])
        np.testing.assert_array_equal(rows["label_dog"], [1, math.nan, 0])
        assert "decided_music" in rows and "interpreter_dog" not in rows


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
        assert page().startswith("# Table VIII: ")
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
        row = one(table, metric="macro_auprc_difference", condition="minus=base_f")
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


class TestTable4:
    def test_a_system_with_fewer_runs_is_compared_on_those(self, write, outputs):
        script("tabulate_fidelity")(
            path_to_clips=write(
                "clips",
                [followed([0] * 3, fold=fold).assign(rank=[1, fold, 2]) for fold in (1, 2)]
                + [followed([0] * 3, system="vibi").assign(rank=2)],
            ),
            **outputs,
            datasets=["esc50", "openmic"],
            systems=["l2i_att", "flint", "vibi"],
            top_k=[1],
            paper=printed(4),
            statistics=STATISTICS,
            seed=0,
            **of_datasets("esc50", "openmic"),
        )
        table = pd.read_csv(outputs["path_to_table"])
        rows = table[(table["metric"] == "top_1_fidelity") & table["mean"].notna()]
        assert list(zip(rows["system"], rows["n"], strict=True)) == [("l2i_att", 2), ("vibi", 1)]
        row = one(table, metric="top_1_difference")  # FLINT has no clip at all
        assert (row["condition"], row["n"]) == ("minus=vibi", 1)
        assert row["mean"] == pytest.approx(200 / 3, abs=1e-3)
        missing = table[table["verdict"] == "missing"]
        assert {("esc50", "flint"), ("openmic", "vibi")} <= set(
            zip(missing["dataset"], missing["system"], strict=True)
        )


class TestPairs:
    def test_all_pairs_of_table_8_have_a_row(self, compare, page):
        table = compare(
            [classified([1, 1, 1, 0] * 5, fold=fold) for fold in (1, 2)]
            + [classified([1, 0, 0, 0] * 5, "apnet")],
            [classified([1, 1, 1, 1] * 5, None, fold=fold) for fold in (1, 2)],
            [followed([0, 0, 1, 1] * 5, fold=fold) for fold in (1, 2)],
        )
        assert list(zip(table["system"], table["other"], strict=True)) == [
            *(("l2i_bd", "apnet"), ("l2i_bd", "l2i_posthoc"), ("l2i_bd", "base_f")),
            *(("apnet", "l2i_posthoc"), ("apnet", "base_f"), ("l2i_posthoc", "base_f")),
        ]
        assert list(table["difference"]) == [50, 25, -25, -25, -75, -50]
        assert list(table["n_folds"]) == [1, 2, 2, 1, 1, 2]
        assert list(table["n_clips"]) == [20, 40, 40, 20, 20, 40]
        assert set(table["n_runs"]) == {1} and set(table["table"]) == {8}
        assert (table["low"] <= table["difference"]).all()
        assert (table["difference"] <= table["high"]).all()
        # 15 clips of one sign: no flip of 200 is as extreme.
        assert one(table, system="apnet", other="base_f")["p"] == pytest.approx(1 / 201, abs=1e-6)
        assert (table["p_holm"] >= table["p"]).all()
        assert page().startswith("# Table VIII: classification by design, pair by pair\n")
        assert "| APNet | classifier f | -75.0 [" in page()
        assert "| 1 | 1 | 20 |" in page()
        assert "With 200 permutations the smallest possible p is 0.005." in page()

    def test_families_are_data_sets(self, compare):
        frames = [classified([1, 1, 1, 0] * 5), classified([0, 1, 0, 0] * 5, "apnet")]
        frames += [tagged(), tagged(system="apnet", probability_dog=0.5)]
        table = compare(frames, datasets=["esc50", "sonyc_ust"])
        assert list(table["metric"]) == ["accuracy", "macro_auprc"]
        assert list(table["p_holm"]) == list(table["p"])  # one pair each

    def test_pairs_of_table_4_are_those_of_fidelity(self, compare, page):
        frames = [
            tags("openmic", "fidelity", system=system).assign(run=run)
            for system, runs in (("l2i_att", (0, 1, 2)), ("flint", (1,)), ("vibi", (0, 1)))
            for run in runs
        ]
        frames[3]["interpreter_dog"] = 0.4
        table = compare(
            frames, number="4", datasets=["openmic"], systems=["l2i_att", "flint", "vibi"]
        )
        assert list(table["n_runs"]) == [1, 2, 1]
        assert set(table["metric"]) == {"avg_weighted_f1"}
        row = one(table, other="vibi", system="l2i_att")
        assert (row["difference"], row["p"], row["p_holm"]) == (0, 1, 1)
        row = one(table, other="flint")
        assert row["difference"] > 0.1 and row["p"] < 0.2
        assert "## openmic: difference in average weighted F1, paired by clip\n" in page()

    def test_pairs_without_a_common_fold_have_no_number_and_do_not_count(self, compare, page):
        table = compare(
            [
                *(classified([1, 1, 1, 0] * 5, fold=fold) for fold in (1, 2)),
                classified([0, 1, 0, 0] * 5, "apnet", fold=2),
                classified([1, 1, 1, 0] * 5, "tdl_nmf", fold=1),
            ],
            systems=["l2i_bd", "apnet", "tdl_nmf"],
        )
        row = one(table, system="apnet", other="tdl_nmf")
        assert row[["difference", "p", "p_holm"]].isna().all()
        assert (row["n_folds"], row["n_clips"]) == (0, 0)
        first = one(table, other="apnet")
        assert first["p_holm"] == pytest.approx(2 * first["p"], rel=1e-4)  # of two, not three
        assert "| APNet | task-driven NMF | none |  |  | 0 | 0 | 0 |" in page()

    def test_a_system_that_diverged_has_no_p(self, compare, page):
        table = compare([classified([1, 1], probability=math.nan), classified([1, 1], "apnet")])
        assert table[["difference", "p", "p_holm"]].isna().all(axis=None)
        assert "| none |" in page()

    def test_nothing_to_compare_is_a_page_that_says_how_it_would_be(self, compare, page):
        assert compare([classified([1])]).empty
        assert "permutation test" in page()

    def test_two_runs_write_the_same_bytes(self, compare, page):
        frames = [classified([1, 1, 1, 0] * 5), classified([1, 0, 1, 0] * 5, "apnet")]
        compare(frames)
        first = page()
        compare(frames[::-1])
        assert page() == first


class TestRanks:
    """Areas depend on the order of scores, so systems are exchanged as ranks."""

    def test_ranks_lie_between_0_and_1_by_run_and_class_and_ties_share_theirs(self):
        clips = pd.DataFrame(
            {
                **{"fold": "official", "run": [0, 0, 0, 1, 1, 1], "clip": [*"abcabc"]},
                **{"label_dog": 1.0, "interpreter_dog": [0.1, 0.9, 0.9, 5.0, 6.0, np.nan]},
            }
        )
        found = ranked(clips)
        expected = [0.25, 0.625, 0.625, 0.25, 0.5, np.nan]
        assert found["interpreter_dog"].tolist() == pytest.approx(expected, nan_ok=True)
        assert (found["label_dog"] == 1).all() and found["clip"].tolist() == [*"abcabc"]

    def test_being_less_sure_of_the_same_order_is_no_difference(self):
        rng = np.random.default_rng(0)
        label = np.arange(60) % 2
        clips = pd.DataFrame(
            {"fold": "official", "run": 0, "clip": [f"{i:02d}" for i in range(60)]}
        )
        sure = clips.assign(label_dog=label, probability_dog=rng.random(60) * 0.6 + 0.4 * label)
        unsure = sure.assign(probability_dog=sure["probability_dog"] ** 3 / 10 + 0.01)
        (score, *_) = classification_scores("auprc", ["dog"], [])
        pairs = compared_pairs({"a": sure, "b": unsure}, score, statistics=STATISTICS, seed=0)
        assert pairs[0]["p"] == 1.0

    def test_how_sure_a_system_is_of_its_order_does_not_count(self):
        rng = np.random.default_rng(1)
        label = (np.arange(80) % 4 == 0).astype(float)
        clips = pd.DataFrame(
            {"fold": "official", "run": 0, "clip": [f"{i:02d}" for i in range(80)]}
        )
        good, bad = (
            clips.assign(label_dog=label, probability_dog=(rng.random(80) * s + label) / (s + 1))
            for s in (2.5, 4.0)
        )
        unsure = good.assign(probability_dog=good["probability_dog"] ** 4 / 2 + 0.01)
        (score, *_) = classification_scores("auprc", ["dog"], [])
        first, second = (
            compared_pairs({"a": system, "b": bad}, score, statistics=STATISTICS, seed=0)[0]["p"]
            for system in (good, unsure)
        )
        assert first == second and 1 / 201 < first < 1
