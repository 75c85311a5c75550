"""l2i.reporting.two_runs: numbers of two runs side by side."""

from __future__ import annotations

import math

import pytest

from l2i.checks import InputError
from l2i.reporting.beside_paper import welch_margin
from l2i.reporting.two_runs import Number, Value, compare_tables, rests_on

nan = math.nan
HEAD = "table,system,dataset,metric,condition,mean,spread,n,low,high\n"


def verdict(a, b):
    return Number("table_4", {}, a, b, is_cost=False).verdict


class TestVerdict:
    def test_the_same_is_equal_also_where_it_is_no_number(self):
        assert verdict(Value(0.5, 0.1, 5, 0.4, 0.6), Value(0.5, 0.1, 5, 0.4, 0.6)) == "equal"
        assert verdict(Value(nan, n=5), Value(nan, n=5)) == "equal"

    @pytest.mark.parametrize("change", [{"spread": 0.2}, {"n": 4}, {"low": 0.3}, {"high": 0.7}])
    def test_a_mean_alone_does_not_make_it_equal(self, change):
        value = Value(0.5, 0.1, 5, 0.4, 0.6)
        assert verdict(value, value._replace(**change)) == "within"

    def test_spreads_decide_by_the_margin_of_welch(self):
        margin = welch_margin((0.1, 5), (0.2, 3))
        a = Value(0.0, 0.1, 5, -9, 9)
        assert verdict(a, Value(0.99 * margin, 0.2, 3, 8, 9)) == "within"
        assert verdict(a, Value(1.01 * margin, 0.2, 3, -9, 9)) == "beyond"
        assert verdict(Value(0.0, 0.1, 5), Value(0.99 * margin, 0.2, 3)) == "within"

    def test_intervals_that_lie_apart_decide_whatever_the_spreads(self):
        a = Value(0.0, 9, 2, -1, 1)
        assert verdict(a, Value(2, 9, 2, 1.5, 3)) == "beyond"
        assert verdict(a, Value(2, 9, 2, 0.5, 3)) == "within"

    @pytest.mark.parametrize("n", [1, nan])
    def test_without_a_spread_intervals_decide(self, n):
        a = Value(0.5, nan, n, 0.4, 0.6)
        assert verdict(a, Value(0.65, nan, n, 0.6, 0.7)) == "within"
        assert verdict(a, Value(0.65, nan, n, 0.61, 0.7)) == "beyond"
        assert verdict(Value(0.65, nan, n, 0.61, 0.7), a) == "beyond"

    def test_the_spread_of_one_value_tells_nothing(self):
        assert verdict(Value(0.5, 0.0, 1, 0.4, 0.6), Value(0.55, 0.0, 1, 0.4, 0.6)) == "within"

    def test_what_has_neither_just_differs(self):
        assert verdict(Value(5), Value(6)) == "differs"

    def test_what_one_run_lacks_is_only_in_the_other(self):
        assert verdict(Value(5), None) == "only in A" and verdict(None, Value(5)) == "only in B"

    def test_what_is_no_number_any_more_differs(self):
        assert verdict(Value(0.5, 0.1, 5), Value(nan, nan, 5)) == "differs"
        assert verdict(Value(0.5, 0.1, 5), Value(nan, 0.1, 5)) == "beyond"


def compared(tmp_path, a, b, name="table_4.csv"):
    for side, text in (("a", a), ("b", b)):
        (tmp_path / side).mkdir(exist_ok=True)
        if text is not None:
            (tmp_path / side / name).write_text(text)
    return compare_tables(tmp_path / "a", tmp_path / "b")


def test_rows_are_matched_by_their_keys_whatever_their_order(tmp_path):
    rows = ["4,x,esc50,m,,0.5,0.1,5,0.4,0.6\n", '4,y,esc50,m,"a=1, b=2",0.7,,,,\n']
    numbers = compared(tmp_path, HEAD + "".join(rows), HEAD + "".join(reversed(rows)))
    assert [number.verdict for number in numbers] == ["equal", "equal"]
    assert numbers[1].key == {"system": "y", "dataset": "esc50", "metric": "m"} | {
        "condition": "a=1, b=2"
    }


def test_a_row_or_a_table_of_one_run_is_found(tmp_path):
    row = "4,x,esc50,m,,0.5,0.1,5,0.4,0.6\n"
    numbers = compared(tmp_path, HEAD + row, HEAD)
    assert [number.verdict for number in numbers] == ["only in A"]
    (tmp_path / "c").mkdir()
    assert [n.verdict for n in compare_tables(tmp_path / "c", tmp_path / "a")] == ["only in B"]


def test_what_the_paper_alone_has_is_no_number_of_a_run(tmp_path):
    assert compared(tmp_path, HEAD + "4,x,esc50,m,,,,,,\n", HEAD) == []


def test_a_number_that_diverged_is_one(tmp_path):
    (number,) = compared(tmp_path, HEAD + "4,x,e,m,,,,5,,\n", HEAD + "4,x,e,m,,1,,5,,\n")
    assert number.verdict == "differs"


def test_a_key_that_stands_twice_is_named(tmp_path):
    row = "4,x,esc50,m,,0.5,0.1,5,0.4,0.6\n"
    with pytest.raises(InputError, match=r"table_4\.csv holds two rows of .*esc50"):
        compared(tmp_path, HEAD + row + row, HEAD)


def test_a_table_that_holds_no_numbers_is_named(tmp_path):
    with pytest.raises(InputError, match=r"table_4\.csv is no table of numbers"):
        compared(tmp_path, HEAD + "4,x,esc50,m,,many,0.1,5,0.4,0.6\n", HEAD)


def test_differences_of_systems_are_numbers_over_folds_or_runs(tmp_path):
    head = "table,dataset,metric,system,other,difference,spread,low,high,p,n_folds,n_runs\n"
    a, b = "4,esc50,m,x,y,1,0.1,0,2,0.5,5,1\n", "4,esc50,m,x,y,1,0.1,0,2,0.5,1,3\n"
    (number,) = compared(tmp_path, head + a, head + b, "comparisons_4.csv")
    assert (number.a.n, number.b.n) == (5, 3) and number.key["other"] == "y"


def test_costs_are_told_apart_from_what_is_counted(tmp_path):
    head = "dataset,system,device,n_parameters,seconds,seconds_per_epoch,seconds_per_epoch_low,"
    head += "seconds_per_epoch_high\n"
    a, b = "esc50,x,cpu,10,1,2,1,3\n", "esc50,x,gpu,11,5,6,5,7\n"
    found = {n.key["metric"]: n for n in compared(tmp_path, head + a, head + b, "cost.csv")}
    assert {name: n.is_cost for name, n in found.items()} == {
        "n_parameters": False,
        "seconds": True,
        "seconds_per_epoch": True,
    }
    assert found["seconds_per_epoch"].overlap is False
    assert found["n_parameters"].verdict == "differs"


# ------------------------------------------------------------------ inputs that a number rests on


def inputs_of(*systems, name="clips", dataset="esc50"):
    return [
        (name, {"dataset": dataset, "fold": "1"} | ({"system": system} if system else {}))
        for system in systems
    ]


TABLE_8 = [
    *inputs_of("l2i_bd", "apnet"),
    *inputs_of("", name="classifier"),
    *inputs_of("l2i_att", name="posthoc"),
]
ROWS_8 = ["apnet", "base_f", "l2i_bd", "l2i_posthoc"]


@pytest.mark.parametrize(
    ("key", "used"),
    [
        ({"system": "l2i_bd"}, {"l2i_bd"}),
        ({"system": "base_f"}, {""}),
        ({"system": "l2i_posthoc"}, {"l2i_att"}),
        ({"system": "l2i_bd", "condition": "minus=apnet"}, {"l2i_bd", "apnet"}),
        ({"system": "l2i_bd", "condition": "minus=base_f"}, {"l2i_bd", ""}),
        ({"system": "l2i_bd", "condition": "minus=l2i_posthoc"}, {"l2i_bd", "l2i_att"}),
        ({"system": "l2i_bd", "other": "apnet"}, {"l2i_bd", "apnet"}),
        ({"dataset": "esc50"}, {"l2i_bd", "apnet", "", "l2i_att"}),
    ],
)
def test_a_number_rests_on_the_systems_that_its_row_names(key, used):
    found = zip(TABLE_8, rests_on(key, TABLE_8, ROWS_8), strict=True)
    assert {wildcards.get("system", "") for (_, wildcards), is_used in found if is_used} == used


def test_a_random_baseline_rests_on_the_system_that_it_counters():
    inputs = inputs_of("l2i_att", "l2i_max")
    key = {"system": "random_all", "condition": "of=l2i_max, threshold=0.1"}
    assert rests_on(key, inputs, ["l2i_att", "l2i_max", "random_all"]) == [False, True]


def test_a_number_rests_on_its_data_set_and_fold():
    inputs = inputs_of("x") + inputs_of("x", dataset="openmic")
    assert rests_on({"system": "x", "dataset": "openmic"}, inputs, ["x"]) == [False, True]
    folds = [("clips", {"system": "x", "fold": fold}) for fold in "12"]
    key = {"system": "x", "condition": "fold=2, taps=B6"}
    assert rests_on(key, folds, ["x"]) == [False, True]


def test_in_doubt_a_number_rests_on_all_of_its_data_set():
    inputs = inputs_of("l2i_att", "l2i_max") + inputs_of("l2i_att", dataset="openmic")
    assert rests_on({"system": "l2i", "dataset": "esc50"}, inputs, ["l2i"]) == [True, True, False]
    inputs = inputs_of("x", "y")
    assert rests_on({"system": "gone"}, inputs, ["gone", "x", "y"]) == [True, True]
