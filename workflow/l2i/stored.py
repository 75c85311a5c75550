"""Tables and lists that earlier jobs wrote, read back: damage is told with its remedy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from l2i.checks import REMAKE, InputError


def read_table(path: str | Path, *, columns: Sequence[str] = (), **options: Any) -> pd.DataFrame:
    """A csv table of ours.

    Parameters
    ----------
    path : str or Path
    columns : sequence of str
        What it must have.
    **options
        Of :func:`pandas.read_csv`, such as `dtype`.

    Raises
    ------
    InputError
        If it cannot be read as such a table.
    """
    try:
        table = pd.read_csv(path, **options)
    except (OSError, ValueError, OverflowError) as error:  # pandas' own errors are ValueErrors
        raise InputError(f"{path} is no table to be read ({_why(error)}); {REMAKE}") from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise InputError(f"{path} lacks the column(s) {', '.join(missing)}; {REMAKE}")
    return table


def read_json(path: str | Path, kind: type[dict] | type[list]) -> Any:
    """A JSON file of ours that holds a `kind`, dict or list; a list is one of texts.

    Raises
    ------
    InputError
        If it holds anything else.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON that can be read ({_why(error)}); {REMAKE}") from error
    texts = kind is dict or (isinstance(value, list) and all(isinstance(v, str) for v in value))
    if not isinstance(value, kind) or not texts:
        what = "a mapping" if kind is dict else "a list of names"
        raise InputError(f"{path} does not hold {what}; {REMAKE}")
    return value


def _why(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
