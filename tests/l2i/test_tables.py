from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.tables import read_rows, to_csv, write_rows

NAMES = ["NA", "null", "None", "nan", "007", "1e5", "True", "-1", "=1+1", "'=1", "+x", "@a", "'tis"]


@pytest.mark.parametrize("write", [write_rows, lambda rows, path: path.write_text(to_csv(rows))])
def test_names_come_back_as_they_were(write, tmp_path):
    rows = pd.DataFrame({"clip": NAMES, "class": NAMES[::-1], "value": np.arange(13) / 4})
    write(rows, tmp_path / "t.csv")
    pd.testing.assert_frame_equal(read_rows(tmp_path / "t.csv"), rows, check_dtype=False)


@given(names=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1)))
@settings(deadline=None, max_examples=50)
def test_any_name_comes_back_and_none_is_a_formula(names, tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    write_rows(pd.DataFrame({"class": names, "n": range(len(names))}), path)
    assert read_rows(path)["class"].tolist() == names
    with path.open(newline="", encoding="utf-8") as file:
        assert not [row for row in csv.reader(file) if row[0][:1] in {*"=+-@\t\r"}]


def test_headings_are_safe_too_and_come_back(tmp_path):
    rows = pd.DataFrame({"=cmd": [1], "label_=x": [0.5]})
    write_rows(rows, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().startswith("'=cmd,")
    assert list(read_rows(tmp_path / "t.csv")) == ["=cmd", "label_=x"]


def test_only_empty_cells_are_missing_and_numbers_stay_numbers(tmp_path):
    rows = pd.DataFrame({"clip": ["a", None], "fold": [1, 2], "value": [-0.1, np.nan]})
    write_rows(rows, tmp_path / "t.csv")
    found = read_rows(tmp_path / "t.csv")
    assert found.isna().to_numpy().tolist() == [[False] * 3, [True, False, True]]
    assert found["value"][0] == -0.1 and found["fold"].tolist() == [1, 2]
    assert read_rows(tmp_path / "t.csv", fold=str)["fold"].tolist() == ["1", "2"]


def test_floats_come_back_to_the_last_bit(tmp_path):
    values = np.random.default_rng(0).standard_normal(200)
    write_rows(pd.DataFrame({"value": values}), tmp_path / "t.csv")
    np.testing.assert_array_equal(read_rows(tmp_path / "t.csv")["value"], values)


def test_the_same_table_is_not_changed_by_writing_it(tmp_path):
    rows = pd.DataFrame({"class": ["=x"]})
    write_rows(rows, tmp_path / "t.csv")
    assert rows["class"].tolist() == ["=x"]
