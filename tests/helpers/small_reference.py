"""A reference of five printed numbers, and measured ones to stand beside them."""

from __future__ import annotations

import pandas as pd

from l2i.reporting.beside_paper import paper_numbers

REFERENCE = {
    "systems": {"human": {"title": "human listeners", "quoted": True}},
    "datasets": {name: {"title": name} for name in ("sonyc_ust", "openmic")}
    | {"esc50": {"title": "ESC-50"}},
    "tables": {
        "1": {"heads": [["system", "System"]], "metrics": [["accuracy", "top-1"]], "bold": None}
        | {"notes": ["A caveat."]}
    },
    "numbers": [
        {"table": 1, "system": "human", "dataset": "esc50", "metric": "accuracy", "mean": 81.3}
        | {"spread": None, "n": None},
        {"table": 1, "system": "ours", "dataset": "esc50", "metric": "accuracy", "mean": 80.0}
        | {"spread": 2.0, "n": 5},
        {"table": 1, "system": "other", "dataset": "esc50", "metric": "accuracy", "mean": 1.0}
        | {"spread": 0.5, "n": 5},
        {"table": 1, "system": "ours", "dataset": "sonyc_ust", "metric": "accuracy", "mean": 3.0}
        | {"spread": None, "n": None},
        {"table": 2, "system": "ours", "dataset": "esc50", "metric": "accuracy", "mean": 9.0}
        | {"spread": None, "n": None},
    ],
}


def measured(mean=80.0, *, system="ours", dataset="a", metric="accuracy", condition="", **other):
    """A measured number of `ours`."""
    key = {"table": 1, "system": system, "dataset": dataset, "metric": metric}
    number = {"mean": mean, "spread": 1.0, "n": 4, "low": mean - 2, "high": mean + 2}
    return pd.DataFrame([key | {"condition": condition} | number | other])


def paper(datasets=None, systems=("ours",), reference=REFERENCE):
    """The printed numbers that stand beside systems that run."""
    return paper_numbers(reference, 1, datasets=datasets or {"a": "esc50"}, systems=systems)


def printed(**changes):
    """The reference with the printed number of `ours` on ESC-50 changed."""
    numbers = [dict(number) for number in REFERENCE["numbers"]]
    numbers[1] |= changes
    return REFERENCE | {"numbers": numbers}
