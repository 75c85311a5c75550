"""Progress bars, for people only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(
    iterable: Iterable[Item], *, description: str, unit: str, total: int | None = None
) -> Iterator[Item]:
    """Iterate under a bar on the terminal; without a terminal, just iterate.

    The bar goes to the process's original standard error, around the copy into the job's log
    file that workflow/harness puts in its place: redrawn bars would fill the log with garbage.

    Parameters
    ----------
    iterable : iterable
        What to walk over.
    description : str
        Verb and noun in front of the bar.
    unit : str
        What one item is, e.g. "clip".
    total : int, optional
        Number of items, where `iterable` does not know it.
    """
    return iter(
        tqdm(
            iterable,
            desc=description,
            unit=unit,
            total=total,
            file=sys.__stderr__,
            disable=None,  # None: disabled where the stream is no terminal
            leave=False,
            dynamic_ncols=True,
        )
    )
