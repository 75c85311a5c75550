"""Tables in print: as csv for programs, as a page of Markdown for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

LEGEND = (
    "Ours is the mean over folds, or over runs where there is one fold; n counts them, and sd is "
    "their population standard deviation. The interval is a bootstrap over the clips of each fold, "
    "with the same draws for all that was measured on these clips. Differences are paired: they "
    "are taken clip by clip, and only then summarised.",
    "Verdicts: agrees where |gap| ≤ 2 √(sd²/n + sd²/n), ours and the paper's, and differs beyond; "
    "no spread where one side has none; other data where ours are not the paper's; reference where "
    "the paper quotes a system from elsewhere.",
)


def write_table(
    rows: pd.DataFrame,
    path_to_table: str | Path,
    path_to_page: str | Path,
    *,
    reference: Mapping,
    confidence: float | None = None,
) -> None:
    """Write one table as csv and as a page with the paper's caveats; see `to_markdown`."""
    entry = reference["tables"][str(rows["table"].iloc[0])]
    notes = [*entry["notes"], *([] if confidence is None else LEGEND)]
    page = to_markdown(rows, entry["title"], notes, reference=reference, confidence=confidence)
    Path(path_to_table).write_text(to_csv(rows), encoding="utf-8")
    Path(path_to_page).write_text(page, encoding="utf-8")


def to_csv(rows: pd.DataFrame) -> str:
    """Text of the table, the same bytes for the same numbers (six significant digits)."""
    return rows.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def to_markdown(
    rows: pd.DataFrame,
    title: str,
    notes: Sequence[str],
    *,
    reference: Mapping,
    confidence: float | None = None,
) -> str:
    """A page for reading: one section per metric, its unit in the heading.

    Parameters
    ----------
    rows : DataFrame
        See `l2i.tables.beside_paper`.
    title : str
        Heading of the page.
    notes : sequence of str
        Printed below the sections, one point each.
    reference : mapping
        The parsed ``paper.yaml``, for the names of systems and the names, units and digits of
        metrics. A system that it does not know is printed as it is.
    confidence : float, optional
        Of the intervals. Without it the rows are settings, which have no spread to explain.

    Returns
    -------
    str
    """
    ours = "ours" if confidence is None else f"ours: mean ± sd [{confidence * 100:g} % interval]"
    parts = [f"# {title}"]
    for metric, part in rows.groupby("metric", sort=False):
        entry = reference["metrics"][metric]
        unit = "" if entry["unit"] == "1" else f" ({entry['unit']})"
        cells = (_cells(r, ours, entry["digits"], reference["systems"]) for r in part.itertuples())
        parts.append(f"## {entry['title']}{unit}\n\n{_pipe_table(list(cells))}")
    parts += ["\n".join(f"- {note}" for note in notes)] if notes else []
    return "\n\n".join(parts) + "\n"


def _cells(row, ours: str, digits: int, systems: Mapping[str, Mapping]) -> dict[str, str]:
    return {
        "data set": row.dataset,
        "system": systems.get(row.system, {}).get("title", row.system),
        "condition": row.condition,
        ours: _our_cell(row, digits),
        "n": "" if pd.isna(row.n) else str(row.n),
        "paper": _paper_cell(row, digits),
        "gap": "" if pd.isna(row.gap) else f"{row.gap:+z.{digits}f}",
        "verdict": row.verdict,
    }


def _our_cell(row, digits: int) -> str:
    if row.verdict in ("missing", "diverged", "mixed"):
        return f"**{row.verdict}**"
    if math.isnan(row.mean):
        return ""
    spread = "" if math.isnan(row.spread) else f" ± {row.spread:z.{digits}f}"
    interval = (
        f" [{row.low:z.{digits}f}, {row.high:z.{digits}f}]" if not math.isnan(row.low) else ""
    )
    return f"{row.mean:z.{digits}f}{spread}{interval}"


def _paper_cell(row, digits: int) -> str:
    if math.isnan(row.paper_mean):
        return ""
    if not pd.isna(row.bound):
        return f"{row.bound} {row.paper_mean:g}"
    spread = "" if math.isnan(row.paper_spread) else f" ± {row.paper_spread:z.{digits}f}"
    return f"{row.paper_mean:z.{digits}f}{spread}"


def _pipe_table(cells: list[dict[str, str]]) -> str:
    """GitHub's table; columns that are empty throughout are left out."""
    columns = [name for name in cells[0] if any(row[name] for row in cells)]
    lines = [columns, ["---"] * len(columns), *([row[name] for name in columns] for row in cells)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
