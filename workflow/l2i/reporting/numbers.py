"""Numbers as text: as many digits as the paper has, one more where these would say nothing."""

from __future__ import annotations

import math
import re
from typing import Any

_MINUS = re.compile(r"(?<![\w-])-(?=\d)")  # in front of a number, as in -0.3 and [-0.3, 0.1]
MOST_DIGITS = 6  # behind the point, of settings
NOTHING = 1e-9  # what sums of the same terms in another order may leave of 0


def number_cell(row: Any, digits: int) -> str:
    """Mean, spread and interval of a row, as far as it has them."""
    if math.isnan(row.mean):
        return ""
    digits = digits_of(row.mean, digits)
    interval = "" if math.isnan(row.low) else f" [{row.low:z.{digits}f}, {row.high:z.{digits}f}]"
    return f"{with_spread(row.mean, row.spread, digits)}{interval}"


def with_spread(mean: float, spread: float, digits: int) -> str:
    """A mean ± its spread, where there is one."""
    behind = "" if math.isnan(spread) else f" ± {spread:z.{digits}f}"
    return f"{mean:z.{digits}f}{behind}"


def digits_of(value: float, digits: int) -> int:
    """One more than `digits` where a number is smaller than the last of them counts."""
    return digits + 1 if NOTHING < abs(value) < 10**-digits else digits


def setting_text(value: float, digits: int) -> str:
    """A setting to the last of its digits, and at least to as many."""
    return next(
        text
        for n in range(digits, MOST_DIGITS + 1)
        if float(text := f"{value:.{n}f}") == value or n == MOST_DIGITS
    )


def p_text(p: float, smallest: float = 0.0) -> str:
    """A p-value; one that is the smallest that a test could give is a bound.

    Of a test by n permutations, `smallest` is 1 / (1 + n).
    """
    if math.isnan(p):
        return ""
    text = f"{p:.2g}" if p < 0.1 else f"{p:.2f}"
    return f"≤ {text}" if p <= smallest * (1 + 1e-6) else text


def true_minus(text: str) -> str:
    """Text with a minus sign for the hyphen in front of a number."""
    return _MINUS.sub("−", text)
