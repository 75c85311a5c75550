from __future__ import annotations

import csv
import io
import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.checks import InputError
from l2i.datasets.spreadsheets import numbers, read_table, read_text, truth, whole


@pytest.fixture
def table(tmp_path):
    return tmp_path / "t.csv"


CELL = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=6)


class TestTables:
    def test_columns_are_found_by_name_and_cells_are_text(self, table):
        table.write_text('b,x,a\n01,,"NA"\n,,1.50\nnull,,None\n')
        rows = read_table(table, ("a", "b"))
        assert list(rows) == ["a", "b"]
        assert rows.to_numpy().tolist() == [["NA", "01"], ["1.50", ""], ["None", "null"]]

    def test_optional_columns_are_read_where_they_are(self, table):
        table.write_text("a,c\n1,2\n")
        assert list(read_table(table, ["a"], optional=["b", "c"])) == ["a", "c"]

    def test_cells_that_a_short_row_lacks_are_empty(self, table):
        table.write_text("a,b\n1\n")
        assert read_table(table, ("a", "b")).to_numpy().tolist() == [["1", ""]]

    @pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_what_spreadsheets_make_of_a_table_is_the_same_table(
        self, table, separator, encoding, end
    ):
        rows = [["a", "b", "c"], ["1", "x y", "ü"], ["", "", ""], ["2", "q", "", ""]]
        text = end.join(separator.join(row) for row in rows) + end
        table.write_bytes(text.encode(encoding))
        found = read_table(table, ("a", "b", "c"))
        assert found.to_numpy().tolist() == [["1", "x y", "ü"], ["2", "q", ""]]
        assert list(found.index) == [2, 4], "lines of the file"

    def test_a_line_that_names_the_separator_is_none_of_the_table(self, table):
        table.write_text("sep=;\na;b\n1;2,5\n")
        assert read_table(table, ("a", "b")).to_numpy().tolist() == [["1", "2,5"]]

    @given(rows=st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=5))
    @settings(deadline=None, max_examples=50)
    def test_any_text_comes_back(self, rows, tmp_path_factory):
        path = tmp_path_factory.mktemp("any") / "t.csv"
        text = io.StringIO()
        csv.writer(text).writerows([["a", "b", "c"], *rows])
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
        import unicodedata

        composed = [
            [unicodedata.normalize("NFC", cell) for cell in row] for row in rows if any(row)
        ]
        assert read_table(path, ("a", "b", "c")).to_numpy().tolist() == composed

    @given(content=st.binary(max_size=200))
    @settings(deadline=None, max_examples=100)
    def test_of_any_bytes_nothing_worse_comes_than_a_message(self, content, tmp_path_factory):
        path = tmp_path_factory.mktemp("any") / "t.csv"
        path.write_bytes(b"a,b\n" + content)
        try:
            read_table(path, ("a", "b"))
        except InputError as error:
            assert "t.csv" in str(error)

    @pytest.mark.parametrize(
        ("content", "match"),
        [
            (b"a,x\n", "lacks the columns b, c; restore it. Its first line says a, x"),
            (b"", "is no csv table"),
            (b'"a,b\n\xff\xfe', "is no csv table"),
            (b'a,b,c\n"1,2,3\n', "is no csv table"),
            (b"a,b,c\n1,2,3\n1,2,3,4\n", "line 3 has 4 cells, and the first one has 3"),
            (b"a,b,c\nM\xfcller,2,3\n", "save it as such .of a spreadsheet: CSV UTF-8"),
            (b"a,b,c\n1,\x00,3\n", "it holds NUL"),
            (b"a,b,c,a\n1,2,3,4\n", "has the columns a twice"),
        ],
    )
    def test_what_is_no_such_table_is_refused(self, table, content, match):
        table.write_bytes(content)
        with pytest.raises(InputError, match=match):
            read_table(table, ("a", "b", "c"))

    def test_a_missing_table_is_named(self, tmp_path):
        with pytest.raises(InputError, match=r"t\.csv: no such file.*machine\.data"):
            read_table(tmp_path / "t.csv", ("a",))

    def test_letters_are_composed(self, table):
        table.write_text("a\nFlo\u0308te\n", encoding="utf-8")
        assert read_table(table, ["a"]).iloc[0, 0] == "Flöte"


def test_text_is_read_with_and_without_its_mark(tmp_path):
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "t").write_bytes("é{}".encode(encoding))
        assert read_text(tmp_path / "t") == "é{}"


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.0", "1"), ("-1.00", "-1"), ("1,0", "1"), ("007", "007"), ("1,000", "1,000")]
    + [("1.5", "1.5"), ("", ""), ("1e5", "1e5"), ("x", "x")],
)
def test_whole_numbers_are_written_without_a_point(text, number):
    assert whole(text) == number


@given(st.text(string.printable, max_size=8))
def test_other_text_is_no_number_and_no_truth(text):
    if not text.strip().replace(".", "").replace(",", "").lstrip("+-").isdecimal():
        assert whole(text) == text
    if text.casefold() not in ("true", "false"):
        assert truth(text) == text


def test_truth_and_decimals_of_spreadsheets():
    assert [truth(text) for text in ("TRUE", "false", "True", "1")] == [
        "True",
        "False",
        "True",
        "1",
    ]
    found = numbers(pd.Series(["0,5", "0.5", "1", "", "x", "1,2,3"]))
    np.testing.assert_array_equal(found, [0.5, 0.5, 1, np.nan, np.nan, np.nan])
