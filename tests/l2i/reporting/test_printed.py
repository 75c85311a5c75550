"""l2i.reporting.printed: the model of a table in print."""

from __future__ import annotations

import pytest

from l2i.reporting.printed import Column, Grid, Line, cell, grid, groups


def test_columns_that_are_empty_throughout_are_left_out():
    shown = grid([{"a": "1", "b": "", "c": ""}, {"a": "2", "b": "", "c": Line("x")}], n_heads=2)
    assert [column.heading for column in shown.columns] == ["a", "c"]
    assert shown.rows == [[cell("1"), cell("")], [cell("2"), (Line("x"),)]]
    assert shown.n_heads == 1  # of the two one is gone


def test_a_row_that_lacks_a_column_has_an_empty_cell():
    shown = grid([{"a": "1", "b": "2"}, {"a": "3"}])
    assert shown.rows[1] == [cell("3"), cell("")]


def test_rows_have_as_many_cells_as_there_are_columns():
    with pytest.raises(ValueError, match="as many cells"):
        Grid([Column("a")], [[cell("1"), cell("2")]])


def test_neighbours_of_one_group_stand_under_it():
    columns = [Column("a"), Column("b", "x"), Column("c", "x"), Column("d", "y"), Column("e", "x")]
    assert groups(columns) == [("", 1), ("x", 2), ("y", 1), ("x", 1)]
