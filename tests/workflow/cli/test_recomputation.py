"""Numbers of tables, computed once more from the scores of clips."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cli.recomputation import Compared, recompute_cell, recomputed_table
from helpers.cells import check_all_rows
from helpers.scored_run import ScoredRun, scored_run
from l2i.checks import InputError
from l2i.provenance.records import load_record
from l2i.reporting.cells import cells_of, find_cell, parse_address, titles_in
from l2i.reporting.evidence import evidence_of

SMALL = [
    *("table_1", "table_2", "table_4", "table_5", "table_6", "table_8", "comparisons_4"),
    *("comparisons_8", "classes", "cost", "figure_2", "figure_6", "corruption"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return scored_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def own_run(run, tmp_path):
    """A copy to change."""
    shutil.copytree(run.folder, tmp_path / "copy")
    return replace(run, folder=tmp_path / "copy")


def cell_of(run, text):
    address = parse_address(text, run.tables)
    return find_cell(address, run.rows(address.table), titles=titles_of(run, address.table))


def titles_of(run, table):
    return titles_in(run.record(table)["settings"])


def again(run, cell, **how):
    return recompute_cell(cell, run.record(cell.table), run.path_of, run.record_of, **how)


def check_whole_table(run, table, **how):
    """Every cell of a table comes out as it is printed; how many there are."""
    record, cells = run.record(table), cells_of(table, run.rows(table))
    rows = recomputed_table(record, run.path_of, run.record_of, **how)
    drawn = () if how or "statistics" not in record["settings"] else ("low", "high", "p", "p_holm")
    for cell, other in zip(cells, cells_of(table, rows), strict=True):
        assert cell.keys == other.keys
        for name, value in cell.number.items():
            same = name in drawn or Compared(name, value, other.number[name]).agrees
            assert same, f"{cell.name},{name}: {value} is printed, {other.number[name]} computed"
    return len(cells)


@pytest.mark.parametrize("table", SMALL)
class TestSmallTables:
    def test_every_cell_comes_out_as_printed(self, run, table):
        assert check_whole_table(run, table)

    def test_intervals_and_p_values_do_so_with_the_draws_of_the_record(self, run, table):
        assert check_whole_table(run, table, full=True)

    def test_every_row_is_found_by_its_names(self, run, table):
        check_all_rows(table, run.rows(table), titles_of(run, table))


def test_all_tables_of_the_small_run_are_tried(run):
    assert sorted(run.tables) == sorted(SMALL)


class TestCell:
    TEXT = "Table IV, L2I w/ ATT, ESC-50, top-1"

    def test_columns_are_compared_but_those_that_are_drawn(self, run):
        found = again(run, cell_of(run, self.TEXT))
        assert found.agrees and found.found and found.seconds > 0
        assert found.not_compared == ("low", "high")
        compared = {each.column: each.recomputed for each in found.compared}
        assert {"mean", "spread", "n", "gap", "verdict"} <= compared.keys()
        assert compared["mean"] == cell_of(run, self.TEXT).number["mean"]

    def test_all_columns_on_demand(self, run):
        found = again(run, cell_of(run, self.TEXT), full=True)
        assert found.agrees and found.not_compared == ()
        assert {"low", "high"} <= {each.column for each in found.compared}

    def test_costs_have_nothing_that_is_drawn(self, run):
        found = again(run, cell_of(run, "cost.csv:l2i_att"))
        assert found.agrees and found.not_compared == ()

    def test_nothing_is_left_behind_and_nothing_of_the_run_is_touched(
        self, run, monkeypatch, tmp_path
    ):
        before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")}
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        again(run, cell_of(run, self.TEXT))
        assert list(tmp_path.iterdir()) == []
        assert {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")} == before


class TestWhatWasChanged:
    TEXT = "table_4.csv:l2i_att,esc50,top_1"

    def test_one_score_of_one_clip_is_found(self, own_run):
        cell = cell_of(own_run, self.TEXT)
        (first, *_) = evidence_of(cell, own_run.record("table_4"), own_run.record_of).inputs

        def of_one_clip(rows):
            rows.loc[3, "rank"] = 9 if rows.loc[3, "rank"] == 1 else 1
            return rows

        own_run.change(first["path"], of_one_clip)
        found = again(own_run, cell)
        assert {"mean"} <= {each.column for each in found.compared if not each.agrees}
        assert found.found and not found.agrees

    @pytest.mark.parametrize("column", ["mean", "spread", "n", "paper_mean", "verdict"])
    def test_a_printed_number_is_found_to_its_last_digit(self, own_run, column):
        def other_cell(rows):
            value = rows.loc[0, column]
            new = "agrees!" if isinstance(value, str) else value + (1 if column == "n" else 1e-4)
            rows.loc[0, column] = new
            return rows

        own_run.change(own_run.tables["table_4"], other_cell)
        found = again(own_run, cell_of(own_run, self.TEXT))
        assert [each.column for each in found.compared if not each.agrees] == [column]
        assert found.found and not found.agrees

    def test_a_bound_is_found_on_demand_alone(self, own_run):
        own_run.change(own_run.tables["table_4"], lambda rows: rows.assign(low=rows["low"] + 0.001))
        cell = cell_of(own_run, self.TEXT)
        assert again(own_run, cell).agrees
        assert not again(own_run, cell, full=True).agrees

    def test_a_row_that_no_score_gives_is_not_found(self, own_run):
        own_run.change(
            own_run.tables["table_4"],
            lambda rows: rows.assign(system=rows["system"].replace("l2i_att", "invented")),
        )
        found = again(own_run, cell_of(own_run, "table_4.csv:invented,esc50,top_1"))
        assert not found.found and not found.agrees

    def test_a_number_in_the_place_of_none_is_found(self):
        assert not Compared("spread", None, 1.0).agrees
        assert not Compared("spread", 1.0, None).agrees
        assert Compared("spread", None, None).agrees
        assert Compared("mean", -3.6e-15, 0.0).agrees, "sums in another order"
        assert not Compared("mean", 80.0001, 80.0).agrees


class TestOtherCode:
    def refused(self, run, **changes):
        record = {**run.record("table_4"), **changes}
        with pytest.raises(InputError) as refused:
            recomputed_table(record, run.path_of, run.record_of)
        return str(refused.value)

    @pytest.mark.parametrize("rule", ["tabulate_tarot", "measure_fidelity", "os", "../job", ""])
    def test_a_rule_that_makes_no_table_is_refused(self, run, rule):
        assert "has no rule" in self.refused(run, rule=rule)

    def test_other_settings_than_the_rule_takes_are_named(self, run):
        settings = {**run.record("table_4")["settings"], "colour": "red"}
        del settings["top_k"]
        told = self.refused(run, settings=settings)
        assert "lacks top_k" in told and "has colour" in told

    def test_other_inputs_than_the_rule_takes_are_named(self, run):
        told = self.refused(run, inputs=[{"name": "songs", "path": "x"}])
        assert "has path_to_songs that is not taken" in told

    def test_scores_that_are_gone_are_named(self, own_run):
        (first, *_) = own_run.record("table_4")["inputs"]
        own_run.path_of(first["path"]).unlink()
        assert "fidelity.csv is no table to be read" in self.refused(own_run)


# ------------------------------------------------------- the same numbers by other means


def over_folds(frames, value_of):
    """Mean, spread and n as the paper takes them, of nothing but loops over files.

    `value_of` gives the statistic of one file. Files of a fold are averaged first; one fold alone
    has a value per file.
    """
    by_fold: dict[str, list[float]] = {}
    for frame in frames:
        by_fold.setdefault(str(frame["fold"][0]), []).append(value_of(frame))
    values = [np.mean(of_fold) for of_fold in by_fold.values()]
    if len(by_fold) == 1:
        (values,) = by_fold.values()
    return np.mean(values), np.std(values) if len(values) > 1 else np.nan, len(values)


def accuracy(frame):
    return 100 * sum(frame["correct"] == 1) / len(frame)


def top(k):
    return lambda frame: 100 * sum(frame["rank"] <= k) / len(frame)


def median_drop(threshold):
    def value_of(frame):
        rows = frame[(frame["removal"] == "relevant") & (frame["threshold"] == threshold)]
        drops = sorted(rows["probability_drop"])
        middle = len(drops) // 2
        return drops[middle] if len(drops) % 2 else (drops[middle - 1] + drops[middle]) / 2

    return value_of


def random_drop(baseline, threshold):
    def value_of(frame):
        rows = frame[(frame["removal"] == baseline) & (frame["threshold"] == threshold)]
        return np.mean([np.median(draw) for _, draw in rows.groupby("draw")["probability_drop"]])

    return value_of


BY_HAND = {
    "table_1.csv:base_f,esc50,accuracy": accuracy,
    "table_4.csv:l2i_att,esc50,top_1": top(1),
    "table_4.csv:l2i_att,esc50,top_3": top(3),
    "table_4.csv:l2i_max,esc50,top_1": top(1),
    "table_4.csv:vibi,esc50,top_1": top(1),
    "table_5.csv:l2i_att,esc50,ff_median,threshold=0.1": median_drop(0.1),
    "table_5.csv:l2i_max,esc50,ff_median,threshold=0.5": median_drop(0.5),
    "table_5.csv:random_unselected,esc50,ff_median,of=l2i_att": random_drop(
        "random_unselected", 0.1
    ),
    "table_8.csv:l2i_bd,esc50,accuracy": accuracy,
    "table_8.csv:apnet,esc50,accuracy": accuracy,
    "table_8.csv:l2i_posthoc,esc50,accuracy": lambda frame: (
        100 * float(np.mean(frame["interpreter_class"] == frame["label"]))
    ),
    "table_6.csv:l2i_att,esc50,fidelity_loss,taps=B4+B5+B6": lambda frame: frame[
        "fidelity_loss"
    ].mean(),
}


def check_by_hand(run, text, value_of):
    cell = cell_of(run, text)
    inputs = evidence_of(cell, run.record(cell.table), run.record_of).inputs
    frames = [pd.read_csv(run.path_of(each["path"])) for each in inputs]
    by_hand = [float(f"{x:.6g}") for x in over_folds(frames, value_of)]
    printed = [cell.number[name] for name in ("mean", "spread", "n")]
    numbers = [np.nan if value is None else value for value in printed]
    assert numbers == pytest.approx(by_hand, rel=2e-6, abs=1e-9, nan_ok=True)
    recomputed = {each.column: each.recomputed for each in again(run, cell).compared}
    assert [recomputed[name] for name in ("mean", "spread", "n")] == printed


@pytest.mark.parametrize("text", BY_HAND)
def test_other_code_gives_the_same_from_the_rows_of_clips(run, text):
    check_by_hand(run, text, BY_HAND[text])


# ------------------------------------------------------- on a run that is there


FINISHED = os.getenv("L2I_FINISHED", "")  # the folder of a run, as results/demo


@pytest.mark.slow
@pytest.mark.skipif(not FINISHED, reason="L2I_FINISHED names no finished run, such as results/demo")
class TestFinishedRun:
    @pytest.fixture
    def run(self):
        folder = Path(FINISHED).resolve()
        run = _FinishedRun(folder.parents[1])
        paths = [*folder.glob("tables/*.csv"), *folder.glob("figures/*.csv")]
        run.tables = {path.stem: path.relative_to(run.folder).as_posix() for path in paths}
        assert run.tables
        return run

    def test_every_cell_comes_out_as_printed(self, run):
        assert all(check_whole_table(run, table, full=True) for table in run.tables)

    def test_every_row_is_found_by_its_names(self, run):
        for table in run.tables:
            check_all_rows(table, run.rows(table), titles_of(run, table))

    def test_every_number_has_its_evidence_chosen(self, run):
        for table in run.tables:
            for cell in cells_of(table, run.rows(table)):
                assert evidence_of(cell, run.record(table), run.record_of).chosen, cell.name

    @pytest.mark.parametrize("text", BY_HAND)
    def test_other_code_gives_the_same(self, run, text):
        check_by_hand(run, text, BY_HAND[text])


class _FinishedRun(ScoredRun):
    def record_of(self, recorded):
        return load_record(self.path_of(recorded))

    def record(self, table):
        return self.record_of(self.tables[table])
