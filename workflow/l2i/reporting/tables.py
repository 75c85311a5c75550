"""A table of the paper: measured numbers beside the printed ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import pandas as pd

from l2i.reporting.beside_paper import MEASURED, beside_paper, paper_numbers

MISSING = "missing"


def rows_beside_paper(
    measured: Iterable[Mapping[str, Any]],
    *,
    table: int,
    datasets: Sequence[Mapping[str, Any]],
    systems: Sequence[str],
    paper: Mapping[str, Any],
    is_run: Callable[[str, str, str], bool] = lambda system, metric, condition: True,
) -> pd.DataFrame:
    """Every number of one table: ours, the paper's, the gap between them and a verdict.

    Parameters
    ----------
    measured : iterable of mapping
        ``system``, ``dataset``, ``metric``, ``condition`` and the number as in
        `l2i.reporting.beside_paper.summarise`.
    table : int
        Its number in the paper.
    datasets : sequence of mapping
        In the order of printing: ``name``, ``paper_dataset``, ``paper_comparable``.
    systems : sequence of str
        Those that we measure.
    paper : mapping
        What the paper prints in this table, see ``workflow/reference/paper.yaml``.
    is_run : callable
        Whether this run is to measure a number, by its system, metric and condition. What is, and
        was not measured, is a row that says so; what is not has no row.

    Returns
    -------
    DataFrame
        See `l2i.reporting.beside_paper.beside_paper`.
    """
    rows = pd.DataFrame([{"table": table} | dict(row) for row in measured], columns=MEASURED)
    # By name, so that the order of quoted systems does not hang on that in which data sets run.
    of_paper = {
        each["name"]: each["paper_dataset"] for each in sorted(datasets, key=itemgetter("name"))
    }
    printed = paper_numbers(paper, table, datasets=of_paper, systems=systems)
    comparable = {each["name"]: each["paper_comparable"] for each in datasets}
    rows = beside_paper(
        rows, printed, datasets=[each["name"] for each in datasets], comparable=comparable
    )
    asked = [
        row.verdict != MISSING or is_run(row.system, row.metric, row.condition)
        for row in rows.itertuples()
    ]
    return rows[pd.Series(asked, index=rows.index, dtype=bool)].reset_index(drop=True)
