"""Further measures of faithfulness, on scores made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.project import load_script
from helpers.tables import STATISTICS, masked, number_of, page_of, pages_in
from l2i.checks import InputError
from l2i.tables import read_rows

OPERATORS = ["log_magnitude", "noise_fill"]
TITLES = {"l2i_att": "L2I w/ ATT", "slime": "SLIME", "esc50": "ESC-50", "sonyc_ust": "SONYC-UST"}


@pytest.fixture
def tabulate(tmp_path, write):
    def run(systems, slime, datasets=("esc50",), **changes):
        load_script("tabulate_masks")(
            path_to_systems=write("systems", systems),
            path_to_slime=write("slime", slime),
            path_to_integrated_gradients=[],
            path_to_grad_cam=[],
            path_to_table=str(tmp_path / "table.csv"),
            path_to_pages=pages_in(tmp_path),
            **{
                "datasets": [*datasets],
                "systems": ["l2i_att"],
                "methods": ["slime"],
                "operators": OPERATORS,
                "page": page_of(TITLES),
                "statistics": STATISTICS,
                "seed": 0,
                **changes,
            },
        )
        table = read_rows(tmp_path / "table.csv")
        return table.assign(system=table["system"].astype(object).fillna(""))

    return run


@pytest.fixture
def page(tmp_path):
    return lambda: (tmp_path / "table.md").read_text(encoding="utf-8")


def both(ours, theirs):
    return {"log_magnitude": ours, "noise_fill": theirs}


def under(operator):
    return f"operator={operator}"


class TestNumbers:
    def test_drops_are_medians_and_the_rest_means_over_decisions(self, tabulate):
        rows = masked("l2i_att", both([0.1, 0.2, 0.9], [0.0, 0.1, 0.2]))
        rows["insertion"] = [0.1, 0.2, 0.6] * 2
        rows["increase"], rows["relative_gain"] = [1, 0, 0] * 2, [0.3, 0.0, 0.0] * 2
        table = tabulate([rows], [masked("slime", both([0.3, 0.3, 0.3], [0.0, 0.1, 0.2]))])

        def mean(metric, operator="log_magnitude", system="l2i_att"):
            return number_of(table, metric, under(operator) if operator else "", system)["mean"]

        assert mean("ff_median") == pytest.approx(0.2)
        assert mean("ff_median", "noise_fill") == pytest.approx(0.1)
        assert mean("ff_median", system="slime") == pytest.approx(0.3)
        assert mean("insertion") == pytest.approx(0.3)
        assert mean("average_increase") == pytest.approx(100 / 3, abs=1e-4)
        assert mean("average_gain") == pytest.approx(10)
        assert mean("average_drop") == pytest.approx(50) and mean("fidelity_in") == 0
        assert mean("energy_kept", None) == pytest.approx(25)
        assert mean("complexity", None) == pytest.approx(0.25)

    def test_empty_masks_are_counted(self, tabulate):
        rows = masked("slime", both([0.1, 0.2, 0.9, 0.4], [0.0, 0.1, 0.2, 0.4]))
        rows["empty"] = [1, 0, 0, 0] * 2
        table = tabulate([], [rows])
        assert number_of(table, "empty_mask", "", "slime")["mean"] == 25

    def test_every_decided_class_of_a_clip_counts_and_intervals_draw_sources(self, tabulate, page):
        names = [("c0", "dog"), ("c0", "rain"), *((f"c{i}", "dog") for i in range(1, 5))]
        drops = [0.1, 0.3, 0.7, 0.9, 0.4, 0.6]
        table = tabulate([masked("l2i_att", both(drops, drops), names=names)], [])
        row = number_of(table, "ff_median", under("noise_fill"), "l2i_att")
        assert row["mean"] == pytest.approx(0.5)
        assert row["low"] >= 0.1 and row["high"] <= 0.9 and row["low"] < row["high"]
        assert "ESC-50: 6 decisions in 5 clips." in page()


class TestAgreement:
    def test_of_rankings(self, tabulate):
        ours = masked("l2i_att", both([0.5, 0.6, 0.7], [0.1, 0.2, 0.3]))
        theirs = masked("slime", both([0.1, 0.2, 0.3], [0.5, 0.6, 0.7]))
        table = tabulate([ours], [theirs])
        condition = "measure=ff_median, operators=log_magnitude+noise_fill"
        assert number_of(table, "operator_tau", condition, "")["mean"] == -1
        condition = condition.replace("ff_median", "insertion")
        assert np.isnan(number_of(table, "operator_tau", condition, "")["mean"])  # all are equal

    def test_over_decisions(self, tabulate):
        ours = masked("l2i_att", both([0.5, 0.6, 0.7], [0.3, 0.2, 0.1]))
        theirs = masked("slime", both([0.1, 0.2, 0.3], [0.5, 0.6, 0.7]))
        table = tabulate([ours], [theirs])
        found = [
            number_of(table, "operator_spearman", "operators=log_magnitude+noise_fill", each)[
                "mean"
            ]
            for each in ("l2i_att", "slime")
        ]
        assert found == [-1, 1]

    def test_one_system_has_no_order_and_one_operator_none_to_agree_with(self, tabulate):
        rows = masked("l2i_att", both([0.5, 0.6], [0.1, 0.2]))
        assert "operator_tau" not in set(tabulate([rows], [])["metric"])
        one = tabulate([rows], [], operators=["noise_fill"])
        assert not {"operator_tau", "operator_spearman"} & set(one["metric"])

    def test_other_decisions_are_refused(self, tabulate):
        ours = masked("l2i_att", both([0.5, 0.6], [0.1, 0.2]))
        with pytest.raises(InputError, match=r"masks\.csv of some systems holds other clips"):
            tabulate([ours], [masked("slime", both([0.5], [0.1]))])


class TestPage:
    def test_where_removals_are_the_same_it_is_said(self, tabulate, page):
        tabulate([masked("l2i_att", both([0.1, 0.2, 0.3], [0.1, 0.2, 0.4]))], [])
        assert "ESC-50: 2 of 3 explanations leave the same under log magnitude and noise" in page()

    def test_systems_stand_side_by_side_under_each_removal(self, tabulate, page):
        rows = [masked(name, both([0.1, 0.2] * 3, [0.3, 0.4] * 3)) for name in ("l2i_att", "slime")]
        tabulate(rows[:1], rows[1:])
        lines = page().splitlines()
        assert lines[0] == "# Table S9: numbers"
        assert "| measure | removal | L2I w/ ATT | SLIME |" in lines
        (line,) = [each for each in lines if "median faithfulness" in each and "noise fill" in each]
        assert "0.350 [" in line and "↑" in line
        assert "[Where each of these numbers comes from]" in lines[-1]

    def test_a_data_set_in_which_nothing_is_decided_is_said_to_have_none(self, tabulate, page):
        nothing = masked("l2i_att", both([], []), dataset="sonyc_ust")
        rows = masked("l2i_att", both([0.1, 0.2], [0.3, 0.4]))
        table = tabulate([rows, nothing], [], datasets=["esc50", "sonyc_ust"])
        assert set(table["dataset"]) == {"esc50"}
        assert "SONYC-UST: no class is decided for" in page()
        assert tabulate([nothing], [], datasets=["sonyc_ust"]).empty
