"""A table of the paper: measured numbers beside the printed ones, as csv and as a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import pandas as pd

from l2i.reporting.beside_paper import MEASURED, beside_paper, paper_numbers
from l2i.reporting.markdown import write_table


def rows_beside_paper(
    measured: Iterable[Mapping[str, Any]],
    *,
    table: int,
    datasets: Sequence[Mapping[str, Any]],
    systems: Sequence[str],
    paper: Mapping[str, Any],
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
    return beside_paper(
        rows, printed, datasets=[each["name"] for each in datasets], comparable=comparable
    )


def write_paper_table(
    measured: Iterable[Mapping[str, Any]],
    path_to_table: str,
    path_to_pages: Sequence[str],
    *,
    table: int,
    datasets: Sequence[Mapping[str, Any]],
    systems: Sequence[str],
    paper: Mapping[str, Any],
    titles: Mapping[str, str],
    confidence: float,
    notes: Sequence[str] = (),
) -> None:
    """Write `rows_beside_paper`; `titles`, `confidence` and `notes` are those of `write_table`."""
    rows = rows_beside_paper(measured, table=table, datasets=datasets, systems=systems, paper=paper)
    write_table(
        rows,
        path_to_table,
        path_to_pages,
        paper=paper,
        titles=titles,
        confidence=confidence,
        notes=notes,
    )
