"""l2i.reporting.numbers: how many digits a number has in print."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2i.reporting.numbers import number_cell, p_text, setting_text, true_minus


def printed(mean, spread=math.nan, low=math.nan, high=math.nan, digits=3):
    return number_cell(SimpleNamespace(mean=mean, spread=spread, low=low, high=high), digits)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ({"mean": 0.002}, "0.002"),  # as the paper, not 0.0020
        ({"mean": 0.5698, "spread": 0.0434}, "0.570 ± 0.043"),
        ({"mean": 0.0007, "spread": 0.0008, "low": -0.0002, "high": 0.01}, "0.0007 ± 0.0008 "),
        ({"mean": 0.0}, "0.000"),
        ({"mean": 0.001, "spread": 0.0}, "0.001 ± 0.000"),  # which its last digit says
        ({"mean": -0.00001}, "0.0000"),  # never minus zero
        ({"mean": -3.6e-15, "spread": 3.333, "digits": 1}, "0.0 ± 3.3"),  # 0 but for rounding
        ({"mean": math.nan}, ""),
        ({"mean": 81.25, "low": 79.2, "high": 83.2, "digits": 1}, "81.2 [79.2, 83.2]"),
    ],
)
def test_digits_are_the_papers_and_one_more_where_these_would_say_nothing(number, text):
    assert printed(**number).startswith(text)
    assert "-0.0000" not in printed(**number)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.8, 1, "0.8"),
        (0.08, 1, "0.08"),
        (10.0, 1, "10.0"),
        (100, 0, "100"),
        (1 / 3, 1, "0.333333"),
    ],
)
def test_settings_have_all_of_their_digits(value, digits, text):
    assert setting_text(value, digits) == text


def test_the_smallest_p_that_a_test_can_give_is_a_bound():
    smallest = 1 / 201
    assert p_text(smallest, smallest) == "≤ 0.005"
    assert p_text(float(f"{smallest:.6g}"), smallest) == "≤ 0.005"  # as it is read from the csv
    assert p_text(float(f"{1 / 1001:.6g}"), 1 / 1001) == "≤ 0.001"  # where it is rounded up
    assert p_text(2 / 201, smallest) == "0.01" and p_text(0.31, smallest) == "0.31"
    assert p_text(math.nan, smallest) == ""


@given(st.floats(-1e3, 1e3), st.integers(0, 4))
def test_a_minus_is_a_minus_and_nothing_else_changes(value, digits):
    text = f"{value:z.{digits}f}"
    assert true_minus(f"{text} [{text}, {text}]").replace("−", "-") == f"{text} [{text}, {text}]"
    assert "-" not in true_minus(f"{text} [{text}]")
    for name in ("L2I-PostHoc", "ESC-50", "top-1", "1-100032-A-0", "- 3"):
        assert true_minus(name) == name
