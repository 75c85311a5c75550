"""What a table says first, in a line of text, for pages that lead to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from l2i.names import class_title
from l2i.reporting.conditions import in_words
from l2i.reporting.costs import Spent, spent
from l2i.reporting.numbers import digits_of, true_minus
from l2i.reporting.quantities import quantity
from l2i.reporting.sanity import DOES_NOT, NOTICES

SIGNIFICANT = 0.05  # of p-values corrected by Holm
SIMULATED = "SIMULATED ANSWERS"  # no listener gave them, see l2i.listening_test


def highlight_of(rows: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """A table's first number, or what its rows come to; the empty text of an empty table.

    Parameters
    ----------
    rows : DataFrame
        Any table of a run, as its csv has it.
    titles : mapping
        What systems and data sets are called in print.
    """
    if rows.empty:
        return ""
    if "seconds_of_all" in rows:
        return cost_text(spent(rows))
    if "p_holm" in rows:
        n = int((rows["p_holm"] <= SIGNIFICANT).sum())
        return f"{n} of {len(rows)} pairs differ at p ≤ {SIGNIFICANT:g}, corrected by Holm"
    if "noticed" in rows:
        asked = rows["noticed"].isin([NOTICES, DOES_NOT])
        n = int((rows["noticed"] == NOTICES).sum())
        return f"{n} of {asked.sum()} comparisons notice the other network"
    if "quantity" in rows:
        return f"{len(rows.drop_duplicates(['dataset', 'class']))} classes"
    if "paper_mean" in rows and rows["n"].isna().all():
        both = rows.dropna(subset=["mean", "paper_mean"])
        n = int((both["mean"] == both["paper_mean"]).sum())
        return f"{n} of {len(both)} settings are the paper's"
    measured = rows[rows["mean"].notna()]
    said = "" if measured.empty else _number(measured.iloc[0], titles)
    simulated = "simulated" in rows and rows["simulated"].any()
    return f"{SIMULATED}: {said}" if simulated else said


def _number(row: pd.Series, titles: Mapping[str, str]) -> str:
    system, dataset = (titles.get(row[name], row[name]) for name in ("system", "dataset"))
    said = [f"{system} on {dataset}", quantity(row["metric"]).title]
    said += [class_title(row["class"])] if isinstance(row.get("class"), str) else []
    said += (
        [true_minus(in_words(row["condition"], titles))]
        if isinstance(row["condition"], str)
        else []
    )
    beside = f", the paper’s {paper_text(row)}" if pd.notna(row.get("paper_mean")) else ""
    return f"{', '.join(said)}: {number_text(row['metric'], row['mean'])}{beside}"


def paper_text(row: Any) -> str:
    """The paper's number of a row beside ours, which may be a bound."""
    bound = "" if pd.isna(row.bound) else f"{row.bound} "
    return f"{bound}{number_text(row.metric, row.paper_mean)}"


def number_text(metric: str, value: float, *, signed: bool = False) -> str:
    """A number of a metric with its unit, as text."""
    shown = quantity(metric)
    percent = "\N{NO-BREAK SPACE}%" if shown.unit == "%" else ""
    form = f"{'+' if signed else ''}z.{digits_of(value, shown.digits)}f"
    return true_minus(f"{value:{form}}{percent}")


def cost_text(cost: Spent) -> str:
    """What training took, in a sentence."""
    parts = [f"{hours_text(cost.gpu_hours)} GPU hours"] if cost.gpu_hours else []
    if cost.core_hours or not parts:
        parts.append(f"{hours_text(cost.core_hours)} core hours on CPUs")
    return f"Training {cost.n_models} models took {' and '.join(parts)}"


def hours_text(value: float) -> str:
    """Hours with the digits that matter."""
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"
