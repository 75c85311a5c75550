"""Lists and mappings that earlier jobs wrote, read back: damage is told with its remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from l2i.checks import REMAKE, InputError, reason


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
        raise InputError(
            f"{path} is no JSON that can be read ({reason(error)}); {REMAKE}"
        ) from error
    texts = kind is dict or (isinstance(value, list) and all(isinstance(v, str) for v in value))
    if not isinstance(value, kind) or not texts:
        what = "a mapping" if kind is dict else "a list of names"
        raise InputError(f"{path} does not hold {what}; {REMAKE}")
    return value
