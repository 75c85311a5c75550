"""How a run stands to the paper: its numbers by their verdicts, and what it has not measured.

Read from finished tables, see `l2i.reporting.beside_paper`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from l2i.reporting.beside_paper import condition_text

NUMBER = ["table", "system", "paper_dataset", "metric", "condition"]  # what is one of the paper
# The verdicts that a number of a run can have beside the paper's, in the order of pages.
VERDICTS = ("agrees", "differs", "no spread", "other data", "diverged")


def beside_the_papers(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The measured numbers of tables that stand beside a printed one.

    Left out are settings, which nobody measures (they have no n), what the paper quotes from
    elsewhere, and what it does not print or we do not have.

    Parameters
    ----------
    tables : iterable of DataFrame
        With the columns of `l2i.reporting.beside_paper.COLUMNS`.

    Returns
    -------
    DataFrame
        Their rows, in the order of tables.
    """
    parts = [rows[rows["verdict"].isin(VERDICTS) & rows["n"].notna()] for rows in tables]
    rows = pd.concat(parts, ignore_index=True)
    return rows.fillna({"condition": ""}).astype({"table": str})


def printed_numbers(numbers: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The numbers that the paper prints of its own, by the columns `NUMBER`.

    Parameters
    ----------
    numbers : iterable of mapping
        ``table``, ``system``, ``dataset``, ``metric`` and, where one tells them apart,
        ``condition``: see workflow/reference/paper.yaml.
    """
    rows = [
        (str(n["table"]), n["system"], n["dataset"], n["metric"], condition_text(n["condition"]))
        for n in ({"condition": None} | dict(n) for n in numbers)
    ]
    return pd.DataFrame(rows, columns=NUMBER)


def not_measured(printed: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Those of the `printed_numbers` that no row of `beside_the_papers` stands beside."""
    measured = {*rows[NUMBER].itertuples(index=False, name=None)}
    missing = [each not in measured for each in printed[NUMBER].itertuples(index=False, name=None)]
    return printed[missing].reset_index(drop=True)


def tally(rows: pd.DataFrame) -> dict[str, int]:
    """How many numbers have each verdict, of those that occur."""
    counts = rows["verdict"].value_counts()
    return {verdict: int(counts[verdict]) for verdict in VERDICTS if verdict in counts}


def in_order_of_gap(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the largest gap first, as a share of the paper's number."""
    share = (rows["gap"] / rows["paper_mean"]).abs()
    return rows.loc[share.sort_values(ascending=False, kind="stable").index]
