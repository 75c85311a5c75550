"""Numbers of tables, found by what a person types."""

from __future__ import annotations

import contextlib

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.cells import parts_of
from l2i.checks import InputError
from l2i.names import TITLES
from l2i.reporting.cells import (
    Address,
    cells_of,
    find_cell,
    parse_address,
    plain,
    titles_in,
)

TABLES = ["table_4", "table_5", "table_8", "comparisons_4", "classes", "cost", "corruption"]
TABLES += ["faithfulness_more", "figure_2"]
NAMED = {
    "l2i_att": "L2I w/ ATT",
    "l2i_max": "L2I w/ MAX",
    "flint": "FLINT",
    "l2i_bd_nopred": "L2I by design, NoPred",
}


def row(system="l2i_att", dataset="esc50", metric="top_1_fidelity", condition=None, **number):
    number = {"mean": 80.0, "spread": 1.5, "n": 2, "low": 70.0, "high": 90.0} | number
    key = {"table": 4, "system": system, "dataset": dataset, "metric": metric}
    return key | {"condition": condition} | number


FIDELITY = pd.DataFrame(
    [
        row(mean=1.0),
        row(metric="top_3_fidelity", mean=2.0),
        row(metric="top_1_difference", condition="minus=l2i_max", mean=3.0),
        row(metric="top_1_difference", condition="minus=l2i_bd_nopred", mean=4.0),
        row("l2i_max", mean=5.0),
        row("flint", mean=6.0),
        row("l2i_bd_nopred", mean=7.0),
        row("l2i_att", "sonyc_ust", "macro_auprc", mean=8.0),
        row("l2i_att", "sonyc_ust", "macro_auprc", "classes=all", mean=9.0),
        row("l2i_att", "sonyc_ust", "macro_auprc_11", mean=10.0),
        row("l2i_att", "openmic", "avg_weighted_f1", mean=11.0),
        *[
            row(metric="ff_median", condition=f"threshold={threshold}", mean=12.0 + i)
            for i, threshold in enumerate(("0.9", "0.1", "0.01"))
        ],
    ]
)


def found(text, rows=FIDELITY, titles=NAMED):
    return find_cell(parse_address(text, TABLES), rows, titles=titles)


def refusal(text, rows=FIDELITY):
    with pytest.raises(InputError) as refused:
        found(text, rows)
    return str(refused.value)


@pytest.mark.parametrize(
    "text, mean",
    [
        ("table_4.csv:l2i_att,esc50,top_1", 1.0),
        ("tables/table_4.csv:top_1,l2i_att,esc50", 1.0),
        ("/a b/run:1/tables/table_4.csv: esc50, top_1_fidelity, l2i_att", 1.0),
        ("Table IV, L2I w/ ATT, ESC-50, top-1", 1.0),
        ("table iv,l2i W/att,esc 50,Top 1", 1.0),
        ("Table 4: L2I ATT, ESC-50, top-1 fidelity", 1.0),
        ("Table 4: L2I, ESC-50, top-1 fidelity", None),
        ("Table 4: L2I w/ ATT, ESC-50, top-1 fidelity (%)", 1.0),
        ("table_4, flint", 6.0),
        ("Table IV, L2I by design, NoPred, top-1", 7.0),
        ("Table IV, L2I w/ ATT, difference in top-1 fidelity, paired by clip, minus=FLINT", None),
        ("Table IV, difference in top-1 fidelity, paired by clip, minus L2I w/ MAX", 3.0),
        ("table_4.csv:minus=L2I by design, NoPred", 4.0),
        ("table_4.csv:l2i_att,minus=l2i_bd_nopred,top_1_difference", 4.0),
        ("Table IV, macro-AUPRC, SONYC-UST, L2I w/ ATT", 8.0),
        ("table_4.csv:macro_auprc,sonyc_ust,l2i_att,classes=all", 9.0),
        ("Table IV, macro-AUPRC, 11 thresholds of the authors", 10.0),
        ("Table IV, OpenMIC-2018", 11.0),
        ("table_4.csv:threshold=0.10", 13.0),
        ("table_4.csv:threshold=.01", None),
        ("table_4.csv:threshold=0.01", 14.0),
        ("table_4.csv:system=l2i_att,dataset=openmic", 11.0),
    ],
)
def test_a_row_is_found_as_it_is_typed_or_printed(text, mean):
    if mean is None:
        refusal(text)
    else:
        assert found(text).number["mean"] == mean


def test_a_cell_says_its_keys_and_its_number():
    cell = found("table_4.csv:macro_auprc,sonyc_ust,l2i_att,classes=all")
    assert cell.keys == {
        **{"system": "l2i_att", "dataset": "sonyc_ust", "metric": "macro_auprc"},
        "condition": "classes=all",
    }
    assert cell.number == {"mean": 9.0, "spread": 1.5, "n": 2, "low": 70.0, "high": 90.0}
    assert (cell.table, cell.place, cell.column) == ("table_4", 8, None)
    assert found(cell.name) == cell


@pytest.mark.parametrize("typed, column", [("low", "low"), ("sd", "spread"), ("Ours", "mean")])
def test_one_more_word_is_a_column_of_the_number(typed, column):
    assert found(f"Table IV, FLINT, ESC-50, top-1, {typed}").column == column


def test_a_word_that_is_a_key_as_well_is_a_column_where_that_gives_a_row():
    rows = pd.DataFrame({"class": ["low", "high"], "removal": "relevant", "low": [1.0, 2.0]})
    assert found("figure_2.csv:low,relevant", rows).column is None
    cell = found("figure_2.csv:high,relevant,low", rows)
    assert (cell.keys["class"], cell.column) == ("high", "low")


@pytest.mark.parametrize(
    "text, table",
    [
        ("Table IV, pair by pair, x", "comparisons_4"),
        ("comparisons_4.csv:x", "comparisons_4"),
        ("What training costs, x", "cost"),
        ("Class by class, x", "classes"),
        ("Further measures of faithfulness, x", "faithfulness_more"),
        ("Clips in company, x", "corruption"),
        ("Fig. 2, x", "figure_2"),
        ("FIGURE II: x", "figure_2"),
        ("table-5: x", "table_5"),
    ],
)
def test_tables_have_the_names_that_stand_over_them(text, table):
    assert parse_address(text, TABLES) == Address(table, ("x",))


@pytest.mark.parametrize("system", ["l2i_att", "L2I w/ ATT", "l2i att"])
def test_names_that_differ_in_case_alone_are_told_apart_by_it(system):
    rows = pd.DataFrame([row() | {"class": "dog"}, row() | {"class": "Dog"}])
    for name in ("dog", "Dog"):
        assert found(f"table_4.csv:{system},{name}", rows).keys["class"] == name
    assert "names 2 rows" in refusal("table_4.csv:DOG", rows)


class TestWhatIsNotFound:
    def test_an_unknown_table_is_told_with_those_that_there_are(self):
        told = refusal("table_44.csv:l2i_att")
        assert "'table_44' is no table of this run" in told and "table_4, " in told
        assert "no table of this run" in refusal("") and "no table" in refusal(",,")

    def test_an_unknown_name_is_told_with_what_is_near(self):
        told = refusal("table_4.csv:l2i_atz,esc50,top_1")
        assert "'l2i_atz' names nothing in it (near: l2i_att" in told
        assert "dataset: esc50, sonyc_ust, openmic" in told
        assert "table_4.csv:l2i_att,esc50,top_1" in told, "how to name one"

    def test_several_rows_are_told_with_what_tells_them_apart(self):
        told = refusal("table_4.csv:l2i_att,esc50,ff_median")
        assert "names 3 rows, which differ in condition: " in told
        assert "table_4.csv:l2i_att,esc50,ff_median,threshold=0.9; " in told

    def test_few_of_many_are_listed(self):
        rows = pd.DataFrame([row(f"system_{i}") for i in range(500)])
        told = refusal("table_4.csv:esc50", rows)
        assert "names 500 rows" in told and "and 494 more" in told
        assert len(told) < 1000
        assert len(refusal("table_4.csv:nothing", rows)) < 1000

    def test_names_that_no_row_has_together_are_told_with_rows_that_come_near(self):
        told = refusal("table_4.csv:flint,top_3,esc50")
        assert "no row is flint, top_3, esc50 at once" in told
        assert "table_4.csv:flint,esc50,top_1_fidelity" in told
        assert "table_4.csv:l2i_att,esc50,top_3_fidelity" in told

    def test_a_table_alone_and_a_column_alone_are_no_cell(self):
        assert "which of its rows? It has, by system: l2i_att" in refusal("table_4.csv")
        assert "low is a column: of which row?" in refusal("Table IV, low")

    def test_a_row_that_stands_twice_is_never_chosen(self):
        told = refusal("table_4.csv:flint", pd.DataFrame([row("flint"), row("flint")]))
        assert "differ in no key" in told

    def test_an_empty_table_has_no_cell(self):
        assert "names nothing in it" in refusal("table_4.csv:flint", FIDELITY[:0])

    def test_more_parts_than_any_row_has_keys_are_refused(self):
        assert "no 5000 keys" in refusal(f"table_4.csv:{'esc50,' * 5000}")

    def test_what_would_steer_a_terminal_is_escaped(self):
        assert "\x1b" not in refusal("table_4.csv:\x1b[31m")


def test_titles_are_those_of_the_settings_and_of_the_paper():
    paper = {"systems": {"human": {"title": "human listeners (quoted)"}, "l2i": {}}}
    assert titles_in({"titles": {"flint": "FLINT"}, "paper": paper}) == {
        "human": "human listeners (quoted)",
        "flint": "FLINT",
    }
    assert titles_in({}) == {}


def test_quoted_rows_are_called_as_on_their_page():
    of_paper = {"dataset": "mine", "paper_dataset": "esc50"}
    quoted = row(verdict="reference", system="human", **of_paper)
    rows = pd.DataFrame([quoted, row(verdict="", **of_paper)])
    for typed in ("human,esc50 of the paper", "human, ESC-50 of the paper", "human,mine"):
        assert found(f"table_4.csv:{typed}", rows).keys["system"] == "human"


# ---------------------------------------------------------------- every row, whatever its names

# Names that differ in punctuation, case or zeros alone, hold commas, or look like something else.
CLASSES = ["dog", "Dog", "d-o-g", "dog, cat", "cat", "007", "7", "0.70", "a=b", "???", "犬", "of"]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["l2i_att", "l2i_bd_nopred", "random_all", "nothing"]),
        st.sampled_from(["esc50", "sonyc_ust", "openmic"]),
        st.sampled_from(CLASSES),
        st.sampled_from(["top_1_fidelity", "macro_auprc", "macro_auprc_11", "ff_median"]),
        st.sampled_from(
            ["", "of=l2i_att", "of=l2i_att, threshold=0.1", "threshold=0.1", "excluded=a+b, c"]
        ),
    ),
    min_size=1,
    max_size=12,
    unique=True,
)


@settings(deadline=None)
@given(ROWS, st.booleans(), st.booleans(), st.randoms())
def test_every_row_is_found_by_its_own_keys_in_any_order(keys, printed, qualified, shuffled):
    names = ["system", "dataset", "class", "metric", "condition"]
    rows = pd.DataFrame(keys, columns=names).assign(mean=1.0)
    titles = {**TITLES, **NAMED}
    for cell in cells_of("classes", rows):
        parts = [*parts_of(cell, titles if printed else None, qualified=qualified)]
        shuffled.shuffle(parts)
        text = f"classes.csv:{','.join(parts)}"
        assert found(text, rows).place == cell.place


@settings(deadline=None)
@given(st.text())
def test_whatever_is_typed_is_answered_or_refused_in_words(text):
    for address in (text, f"table_4.csv:{text}"):
        with contextlib.suppress(InputError):
            found(address)


@settings(deadline=None)
@given(st.text())
def test_a_name_without_what_does_not_matter_is_that_already(text):
    assert plain(plain(text)) == plain(text)
