"""What figures are put together from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from l2i.names import class_title
from l2i.reporting.figures.panels import side_by_side, signed, without_few


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, "0.50"), (-0.126, "\N{MINUS SIGN}0.13"), (-0.001, "0.00"), (0.0, "0.00")],
)
def test_numbers_have_true_minus_signs_and_zero_has_none(value, shown):
    assert signed(value) == shown


def test_classes_are_printed_without_underscores():
    names = ["mallet_percussion", "machinery-impact", "dog", "___"]
    assert [class_title(name) for name in names] == [
        *("mallet percussion", "machinery-impact", "dog", "___")
    ]


def test_fewer_than_five_clips_have_no_interval():
    table = pd.DataFrame({"n_clips": [0, 4, 5, 900], "mean": 1.0, "low": 0.5, "high": 1.5})
    shown = without_few(table)
    assert shown["low"].isna().tolist() == shown["high"].isna().tolist()
    assert shown["low"].isna().tolist() == [True, True, False, False]
    assert (shown["mean"] == 1).all() and table["low"].notna().all()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_places_lie_evenly_about_the_middle(n):
    places = side_by_side(n, 0.6)
    assert places.sum() == pytest.approx(0)
    assert np.diff(places) == pytest.approx(0.6 / n) and abs(places).max() < 0.3
