"""Checks whose messages name the file or argument, the rule and the remedy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # planning checks its input without either
    from numpy import ndarray
    from torch import Tensor


# What to do about a damaged result, whatever command it was that made it.
REMAKE = "delete it and give your command again"
MANY = 10  # lines that differ in names and numbers only; of more, the first `FEW` are told
FEW = 5
# Whatever may be a name or a number in a line: quoted, or with a digit, a dot or a slash in it.
_SPECIFIC = re.compile(r"'[^']*'|\S*[\d./\\]\S*")


class InputError(ValueError):
    """Bad input from outside: a file, a corpus or a configuration key.

    Its message is all that a user sees, so it says what is wrong, where, and what to do. Names from
    outside may stand in it as they are: what would steer a terminal is escaped.
    """

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(map(printable, message.split("\n"))))


def printable(text: str) -> str:
    """The text with all but letters, signs and blanks escaped, so that it can do nothing but show.

    Control characters would move the cursor, end the line or hide what follows; a byte of a file
    name that is no UTF-8 cannot be written at all.
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


def reason(error: Exception) -> str:
    """The first line of what another library says went wrong."""
    return (str(error) or type(error).__name__).splitlines()[0]


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Say of what it is that goes wrong inside, where the message does not say so already."""
    try:
        yield
    except InputError as error:
        known = printable(what) in str(error)
        raise InputError(str(error) if known else f"{what}: {error}") from error


def raise_all(problems: Sequence[str], heading: str) -> None:
    """Raise one InputError that lists every problem; do nothing where there is none.

    Parameters
    ----------
    problems : sequence of str
        One line each: file, what is wrong, what to do. Where many differ in names and numbers
        only, a few are told and the others counted.
    heading : str
        What was being checked.
    """
    if not problems:
        return
    noun = "problem" if len(problems) == 1 else "problems"
    lines = "\n".join(f"  - {printable(problem)}" for problem in _first_of_each_kind(problems))
    raise InputError(f"{heading}: {len(problems)} {noun}\n{lines}")


def _first_of_each_kind(problems: Sequence[str]) -> list[str]:
    kinds = [_SPECIFIC.sub("...", problem) for problem in problems]
    n_of, told, lines = Counter(kinds), Counter[str](), []
    for problem, kind in zip(problems, kinds, strict=True):
        told[kind] += 1
        if n_of[kind] <= MANY or told[kind] <= FEW:
            lines.append(problem)
        elif told[kind] == FEW + 1:
            lines.append(f"and {n_of[kind] - FEW} more of this kind")
    return lines


def require_distinct(names: Sequence[str], what: str) -> None:
    """Raise InputError if a name stands in `what` more than once."""
    if repeated := [name for name, n in Counter(names).items() if n > 1]:
        raise InputError(
            f"{what} names {', '.join(map(repr, repeated))} more than once: give each a name of "
            "its own"
        )


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
