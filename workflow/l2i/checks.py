"""Checks whose messages name the file or argument, the rule and the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # planning checks its input without either
    from numpy import ndarray
    from torch import Tensor


# What to do about a damaged result, whatever command it was that made it.
REMAKE = "delete it and give your command again"


class InputError(ValueError):
    """Bad input from outside: a file, a corpus or a configuration key.

    Its message is all that a user sees, so it says what is wrong, where, and what to do.
    """


def raise_all(problems: Sequence[str], heading: str) -> None:
    """Raise one InputError that lists every problem; do nothing where there is none.

    Parameters
    ----------
    problems : sequence of str
        One line each: file, what is wrong, what to do.
    heading : str
        What was being checked.
    """
    if not problems:
        return
    noun = "problem" if len(problems) == 1 else "problems"
    lines = "\n".join(f"  - {problem}" for problem in problems)
    raise InputError(f"{heading}: {len(problems)} {noun}\n{lines}")


def require_nonnegative(array: ndarray | Tensor, name: str) -> None:
    """Raise InputError unless every entry of `array` (NumPy or torch) is finite and at least 0."""
    if not len(array):
        return
    low = float(array.min())
    high = float(array.max())
    if not low >= 0:  # also catches NaN, which compares false
        raise InputError(f"{name} must be non-negative, its smallest entry is {low:g}")
    if high == float("inf") or high != high:
        raise InputError(f"{name} must be finite, its largest entry is {high:g}")


def require_shape(array: ndarray | Tensor, shape: tuple[int | None, ...], name: str) -> None:
    """Raise InputError unless `array` has `shape`; None matches any length."""
    got = tuple(array.shape)
    if len(got) != len(shape) or any(w not in (None, g) for w, g in zip(shape, got, strict=True)):
        want = ", ".join("*" if n is None else str(n) for n in shape)
        raise InputError(f"{name} must have shape ({want}), got {got}")
