"""l2i.reporting.as_printed: each number in the cell of the paper, and bold where the paper is."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configuration.job_settings import printed_in
from configuration.reading import load_reference
from l2i.reporting.as_printed import NONE, as_printed
from l2i.reporting.beside_paper import condition_text
from l2i.reporting.tables import rows_beside_paper

PAPER = load_reference("paper")
DATASETS = [
    {"name": name, "paper_dataset": name, "paper_comparable": True} for name in PAPER["datasets"]
]
TITLES = {name: each["title"] for name, each in PAPER["datasets"].items()}


def ours_of(table, shift=0.0):
    """A number of ours for each of the paper's that is not quoted."""
    quoted = {name for name, each in PAPER["systems"].items() if each.get("quoted")}
    return [
        {key: number[key] for key in ("system", "dataset", "metric")}
        | {"condition": condition_text(number.get("condition")), "mean": number["mean"] + shift}
        | {"spread": 0.0, "n": 2, "low": 0.0, "high": 1.0}
        for number in PAPER["numbers"]
        if number["table"] == table and number["system"] not in quoted
    ]


def shown(table, measured, datasets=DATASETS, titles=TITLES):
    systems = list(dict.fromkeys(each["system"] for each in measured))
    paper = printed_in(table)
    rows = rows_beside_paper(measured, table=table, datasets=datasets, systems=systems, paper=paper)
    return as_printed(rows, paper, titles)


def texts(grid):
    return [[[line.text for line in cell] for cell in row] for row in grid.rows]


# What the paper prints, typed from its pages a second time: heads of rows and of columns, and
# its lines of numbers, those in stars being bold.
PAGES = {
    2: """Dataset | α | β | K | # of epochs
esc50 | 10.0 | 0.8 | 100 | 35
sonyc_ust | 10.0 | 0.8 | 80 | 21
openmic | 5.0 | 0.2 | 300 | 21""",
    3: """Dataset | first weight | α | β | K | # of epochs
esc50 | 1.0 | 3.0 | 0.2 | 100 | 51
sonyc_ust | 1.0 | 4.0 | 0.2 | 80 | 21
openmic | 1.0 | 3.0 | 0.2 | 300 | 21""",
    4: """System | top-1 | top-5 | macro-AUPRC | micro-AUPRC | avg-weighted-F1
l2i_att | 65.7 ± 2.8 | 88.2 ± 1.7 | *0.909 ± 0.011* | *0.917 ± 0.008* | *0.920 ± 0.004*
l2i_max | 73.3 ± 2.3 | 92.7 ± 1.2 | 0.866 ± 0.014 | 0.913 ± 0.012 | 0.906 ± 0.004
flint | *73.5 ± 2.3* | *93.4 ± 0.9* | 0.816 ± 0.013 | 0.907 ± 0.011 | 0.907 ± 0.004
vibi | 27.7 ± 2.3 | 53.0 ± 1.8 | 0.608 ± 0.027 | 0.575 ± 0.019 | 0.581 ± 0.037""",
    5: """System | Threshold τ | FF median
l2i_att | 0.9 | 0.002
l2i_att | 0.7 | 0.004
l2i_att | 0.5 | 0.012
l2i_att | 0.3 | 0.040
l2i_att | 0.1 | 0.113
random_unselected, against l2i_att | 0.1 | < 0.0001""",
    6: """ConvBlocks | L_NMF | L_FID | top-1
B3 | 0.104 | 1.788 | 53.0
B6 | 0.118 | 1.698 | 57.8
B2+B3 | 0.093 | 1.966 | 51.8
B5+B6 | 0.103 | 1.572 | 61.5
*B4+B5+B6* | *0.079* | *1.546* | *65.5*
Input | 0.102 | 2.384 | 34.5""",
    7: """α | β | L_NMF | L_FID | macro-AUPRC
*10.0* | *0.8* | *0.028* | *0.386* | *0.900*
10.0 | 8.0 | 0.048 | 0.386 | 0.879
10.0 | 0.08 | 0.028 | 0.388 | 0.876
1.0 | 0.8 | 0.045 | 0.375 | 0.921
100.0 | 0.8 | 0.027 | 0.445 | 0.612""",
    8: """System | accuracy | macro-AUPRC | avg-weighted-F1
l2i_bd | 70.1 ± 1.5 | 0.581 ± 0.008 | 0.825 ± 0.005
apnet | 63.6 ± 1.7 | 0.422 ± 0.012 | 0.563 ± 0.025
nmf_linear | 39.4 ± 2.3 | 0.373 ± 0.006 | 0.659 ± 0.018
tdl_nmf | 46.7 ± 2.7 | 0.431 ± 0.018 | 0.699 ± 0.012
l2i_posthoc | 65.4 ± 3.4 | 0.567 ± 0.007 | 0.825 ± 0.003
l2i_bd_nopred | 64.4 ± 1.1 | 0.563 ± 0.004 | 0.746 ± 0.006
flint_bd | 75.3 ± 3.6 | 0.556 ± 0.008 | 0.827 ± 0.002
base_f | 82.5 ± 1.9 | 0.601 | 0.831""",
}


@pytest.mark.parametrize("table", PAGES)
def test_the_papers_lines_are_its_pages_cell_by_cell(table):
    head, *lines = (
        [each.strip() for each in line.split(" | ")] for line in PAGES[table].split("\n")
    )
    grid = shown(table, ours_of(table), titles={})
    assert [re.sub(r" \(in.%\)", "", column.heading) for column in grid.columns] == head
    printed = [
        [f"*{cell[-1].text}*" if cell[-1].bold else cell[-1].text for cell in row]
        for row in grid.rows
    ]
    assert printed == lines


def test_what_the_paper_quotes_stands_first_and_has_none_of_ours():
    grid = texts(shown(1, ours_of(1)))
    assert [row[0] for row in grid] == [
        [name] for name in ("human", "esc50_cnn", "arnault", "koutini", "vggish", "base_f")
    ]
    assert grid[0] == [["human"], [NONE, "81.3"], [""], [""]]
    assert grid[-1][1:] == [["82.5 ± 0.0", "82.5 ± 1.9"], ["0.601 ± 0.000", "0.601"]] + [
        ["0.831 ± 0.000", "0.831"]
    ]


# ---------------------------------------------------------------- a twin, by brute force


@settings(deadline=None, max_examples=25)
@given(st.sampled_from([4, 5, 6, 7, 8]), st.data())
def test_each_number_stands_where_its_key_says_whatever_is_measured(table, data):
    every = ours_of(table)
    measured = data.draw(st.lists(st.sampled_from(every), min_size=1, unique_by=id))
    for i, each in enumerate(measured):
        each["mean"] = round(0.11 + 0.001 * i, 3) * (100 if each["metric"] == "accuracy" else 1)
    grid = shown(table, data.draw(st.permutations(measured)))
    heads = dict(PAPER["tables"][str(table)]["heads"])
    metrics = dict(PAPER["tables"][str(table)]["metrics"])
    cells = {}
    for row in grid.rows:
        key = tuple(line.text for cell in row[: len(heads)] for line in cell)
        for column, cell in zip(grid.columns[len(heads) :], row[len(heads) :], strict=True):
            heading = column.heading.split(" (in")[0]
            assert (*key, column.group, heading) not in cells, "a row or column stands twice"
            cells[*key, column.group, heading] = cell
    for each in measured:
        values = dict(part.split("=") for part in each["condition"].split(", ") if part)
        known = values | {"system": each["system"]}
        if "of" in values:
            known["system"] += f", against {values['of']}"
        if "sparsity_weight" in values:
            known = {name: f"{float(known[name]):.2f}".rstrip("0") for name in heads}
            known = {name: text + "0" * text.endswith(".") for name, text in known.items()}
        if known.get("taps") == "input":
            known["taps"] = "Input"
        key = *(known[name] for name in heads), TITLES[each["dataset"]], metrics[each["metric"]]
        digits = 1 if each["metric"] in ("accuracy",) or each["metric"].startswith("top_") else 3
        assert cells[key][0].text == f"{each['mean']:.{digits}f} ± {0:.{digits}f}"
    filled = sum(
        bool(cell[0].text) and cell[0].text not in (NONE, "missing") for cell in cells.values()
    )
    assert filled == len(measured)


def test_the_largest_of_ours_is_bold_by_the_papers_rule_and_ties_both():
    measured = [each for each in ours_of(4) if each["metric"] == "top_1_fidelity"]
    for each, mean in zip(measured, (50.0, 70.0, 70.0, float("nan")), strict=True):
        each["mean"] = mean
    column = [row[1] for row in shown(4, measured).rows]
    assert [cell[0].bold for cell in column] == [False, True, True, True]  # the last diverged
    assert column[-1][0].text == "diverged"
    assert [cell[1].bold for cell in column] == [False, False, True, False]


def test_a_number_that_should_be_there_and_is_not_stays_visible():
    measured = [each for each in ours_of(4) if each["metric"] != "top_5_fidelity"]
    cell = shown(4, measured).rows[0][2]
    assert cell[0].text == "missing" and cell[0].bold and cell[1].text == "88.2 ± 1.7"


def test_what_is_ours_alone_follows_and_what_is_of_another_kind_stays_out():
    more = [{**each, "system": "mine"} for each in ours_of(4) if each["system"] == "vibi"]
    other = [{**each, "condition": "classes=all"} for each in more]
    grid = texts(shown(4, [*more, *ours_of(4), *other]))
    assert grid[-1][0] == ["mine"] and grid[-1][1] == ["27.7 ± 0.0", NONE] and len(grid) == 5


def test_columns_tell_our_data_from_the_papers():
    datasets = [{"name": "esc10", "paper_dataset": "esc50", "paper_comparable": False}]
    measured = [{**each, "dataset": "esc10"} for each in ours_of(6)]
    groups = {column.group for column in shown(6, measured, datasets, {"esc10": "ESC-10"}).columns}
    assert groups == {"", "ESC-10 (paper: ESC-50)"}


def test_nothing_measured_is_no_row():
    paper = printed_in(6)
    rows = rows_beside_paper([], table=6, datasets=[], systems=[], paper=paper)
    assert as_printed(rows, paper, {}).rows == []
    assert isinstance(rows, pd.DataFrame)
