"""The pairs of Tables IV and VIII, on scores made by hand."""

from __future__ import annotations

import math

import pytest

from helpers.tables import STATISTICS, classified, followed, of_datasets, one, tagged, tags

POSTHOC = {"l2i_att": "l2i_posthoc"}


@pytest.fixture
def compare(tabulate):
    def run(clips=(), classifier=(), posthoc=(), number="8", datasets=("esc50",), **changes):
        settings = {"systems": ["l2i_bd", "apnet"], "as_classifier": POSTHOC} | changes
        return tabulate(
            "compare_systems",
            inputs={"clips": clips, "classifier": classifier, "posthoc": posthoc},
            table=int(number),
            number=number,
            datasets=of_datasets(*datasets),
            statistics=STATISTICS,
            seed=0,
            **settings,
        )

    return run


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
        assert page().startswith("# Table S9: numbers\n")
        assert "| APNet | classifier f | -75.0 [" in page()
        assert "| 1 | 1 | 20 | 20 |" in page()
        assert "With 200 permutations the smallest possible p is 0.005, and stands" in page()

    def test_families_are_data_sets(self, compare):
        frames = [classified([1, 1, 1, 0] * 5), classified([0, 1, 0, 0] * 5, "apnet")]
        frames += [tagged(), tagged(system="apnet", probability_dog=0.5)]
        table = compare(frames, datasets=["esc50", "sonyc_ust"])
        assert list(table["metric"]) == ["accuracy", "mean_average_precision"]
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
        assert "| APNet | task-driven NMF | none |  |  | 0 | 0 | 0 | 0 |" in page()

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
