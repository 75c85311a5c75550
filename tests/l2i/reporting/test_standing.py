"""How a run stands to the paper: counts against a count by hand of the same csv."""

from __future__ import annotations

import csv
from collections import Counter

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from configuration.reading import load_reference
from l2i.reporting.standing import (
    beside_the_papers,
    in_order_of_gap,
    not_measured,
    printed_numbers,
    tally,
)
from l2i.tables import read_rows

BESIDE = ("agrees", "differs", "no spread", "other data", "diverged")
OTHERS = ("", "reference", "missing", "mixed", "as set")
HEAD = "table,system,dataset,metric,condition,mean,spread,n,low,high"
HEAD += ",paper_dataset,paper_mean,paper_spread,paper_n,bound,gap,verdict"


def written(path, rows):
    """A csv of rows (number, verdict, n, mean, paper, gap)."""
    lines = [
        f"4,s{i},d,accuracy,,{mean},,{n},,,{'p' if paper else ''},{paper},,,,{gap},{verdict}"
        for i, (verdict, n, mean, paper, gap) in enumerate(rows)
    ]
    path.write_text("\n".join([HEAD, *lines]) + "\n")
    return path


numbers = st.tuples(
    st.sampled_from([*BESIDE, *OTHERS]),
    st.sampled_from(["", 1, 5]),
    *[st.sampled_from([1.5, 70])] * 2,
    st.sampled_from(["", 0.5, -3]),
)


@given(rows=st.lists(numbers, min_size=1, max_size=12))
def test_counts_are_those_of_the_csv(tmp_path_factory, rows):
    path = written(tmp_path_factory.mktemp("t") / "table_4.csv", rows)
    with path.open() as file:
        expected = Counter(
            row["verdict"] for row in csv.DictReader(file) if row["n"] and row["verdict"] in BESIDE
        )
    assert tally(beside_the_papers([read_rows(path)])) == dict(expected)


def test_the_paper_prints_what_its_reference_says():
    ours = [n for n in load_reference("paper")["numbers"] if n["table"] in (5, 6)]
    printed = printed_numbers(ours)
    assert len(printed) == 24 and len(printed.drop_duplicates()) == 24
    assert {*printed.loc[printed["table"] == "6", "condition"]} >= {"fold=1, taps=B3"}
    assert {*printed.loc[printed["table"] == "5", "condition"]} >= {"threshold=0.1"}


def test_what_is_not_measured_is_the_rest(tmp_path):
    printed = printed_numbers(
        {"table": 4, "system": f"s{i}", "dataset": "p", "metric": "accuracy"} for i in range(4)
    )
    rows = [("agrees", 5, 1, 2, ""), ("missing", "", "", 2, ""), ("other data", 1, 1, 2, "")]
    beside = beside_the_papers([read_rows(written(tmp_path / "x.csv", rows))])
    assert list(not_measured(printed, beside)["system"]) == ["s1", "s3"]
    nothing = beside.iloc[:0]
    assert len(not_measured(printed, nothing)) == 4 and tally(nothing) == {}


def test_the_largest_gap_comes_first_as_a_share_of_the_papers_number():
    rows = pd.DataFrame({"gap": [-1.0, 2.0, None, 0.3], "paper_mean": [10.0, 80.0, 1.0, 0.5]})
    assert list(in_order_of_gap(rows).index) == [3, 0, 1, 2]
