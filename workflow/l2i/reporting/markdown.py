"""Tables in print: as csv for programs, as a page of Markdown for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from l2i.disk import write_text
from l2i.names import TITLES
from l2i.reporting.pipe_tables import Markdown, pipe_table
from l2i.reporting.quantities import quantity
from l2i.tables import to_csv

_INTERVAL = (
    "The interval is one over recordings: a bootstrap that draws the sources of each fold anew, "
    "each with all of its clips (ESC-50: the recording that clips were cut from; SONYC-UST: the "
    "sensor, with identical files; OpenMIC: the track), and draws the same for all that was "
    "measured on these clips. Of scores it is Wilson's, of differences between them Student's, "
    "with the variance of the resampled numbers; of means and medians of values it is made of "
    "percentiles."
)
LEGEND = (
    "Ours is the mean over folds, or over runs where there is one fold; n counts them, and sd is "
    "their population standard deviation. Runs on one fold share its classifier and dictionary, "
    "as the three runs of SONYC-UST and OpenMIC do: their sd leaves out what another training of "
    "these would change.",
    _INTERVAL,
    "Differences are paired: they are taken clip by clip and only then summarised or, of metrics "
    "that clips only have together, resampling by resampling; on the folds and runs that both "
    "systems have, as their n tells.",
    "Verdicts: agrees where |gap| ≤ t √(s²/n + s²/n), ours and the paper's, and differs beyond; "
    "s² = sd² n / (n - 1) is the variance of a sample, t the quantile of Welch's test at 95 %; no "
    "spread where one side has none; other data where ours are not the paper's; reference where "
    "the paper quotes a system from elsewhere, measured on the paper's own data.",
)
CLASS_SECTIONS = {
    "labels": "test clips",
    "classification": "the classifier against the labels",
    "fidelity": "the interpreters against the classifier's decisions",
    "faithfulness": "median drop where the classifier decides, threshold={threshold}",
    "removed": "what is removed there, threshold={threshold}",
}
CLASSES_LEGEND = (
    _INTERVAL,
    "Positives and negatives count what annotators labelled; decided counts what the classifier "
    "decides, labelled or not.",
    "Undefined: no clip holds the class, or the classifier decides on none, or a network diverged. "
    "Resamplings without any such clip are left out of an interval.",
)
# Metric -> what a reader of its numbers must know; metrics may share a note.
_GRID = (
    "The authors' thresholds: 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95 for classifiers, every tenth "
    "between 0.1 and 0.9, 0.05 and 0.95 for fidelity. Precision is 1 where nothing is above one."
)
_OFFICIAL = (
    "AUPRC is that of the evaluator of DCASE 2020 task 5: a point for every score of at least 0.01 "
    "and for threshold 1, so that a perfect ranking of n positives reaches 1 - 1 / (2n). "
    "Macro is the mean over classes, micro pools all pairs of clip and class. Classes without any "
    "positive are left out of macro-AUPRC."
)
_SIGNS = (
    "F1 is taken of the positives and of the negatives of each class; weighted: by how many clips "
    "are either, macro: the plain mean of both. Then follows the mean over classes."
)
_ENERGY = (
    "Energy is that of the log-magnitude spectrogram: ||sum of X_k||² over the removed components "
    "k, what they have in common included, as a share of ||X||²."
)
_MATCHED = (
    "Random, matched in energy: components outside of the relevant ones that together take away as "
    "much energy as those do, within 20 %. Where some run or draw found no such set, the clip is "
    "left out of these rows, and of both sides of the difference to them; the share of such clips "
    "is given. They are those whose relevant components hold most: compare by the difference alone."
)
_NET = (
    "Round trip: nothing is removed, and the waveform goes through the STFT and back. Net drops "
    "are taken clip by clip, less the drop by the round trip alone."
)
DEFINITIONS = {
    **dict.fromkeys(("macro_auprc", "micro_auprc"), _OFFICIAL),
    **dict.fromkeys(("macro_auprc_7", "macro_auprc_11", "micro_auprc_11"), _GRID),
    **dict.fromkeys(("max_f1_7", "max_f1_11"), _GRID),
    **dict.fromkeys(("avg_weighted_f1", "avg_macro_f1"), _SIGNS),
    **{"energy_removed": _ENERGY, "unmatched": _MATCHED, "ff_net_median": _NET},
}


def write_table(
    rows: pd.DataFrame,
    path_to_table: str | Path,
    path_to_pages: Sequence[str | Path],
    *,
    paper: Mapping,
    titles: Mapping[str, str],
    confidence: float | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Write one table as csv and as a page; see `to_markdown`.

    Below the sections stand the paper's caveats, the definitions of the metrics, `notes` and,
    where there are intervals, how to read them.
    """
    ((number, entry),) = paper["tables"].items()
    defined = [DEFINITIONS[name] for name in rows["metric"].unique() if name in DEFINITIONS]
    legend = [] if confidence is None else LEGEND
    notes = [*entry["notes"], *dict.fromkeys(defined), *notes, *legend]
    named = {name: system["title"] for name, system in paper["systems"].items()}
    titles = {**named, **titles}
    page = to_markdown(rows, entry["title"], notes, titles=titles, confidence=confidence)
    write_text(path_to_table, to_csv(rows))
    write_page(path_to_pages, page, f"table_{number}")


def write_page(path_to_pages: Sequence[str | Path], page: str, name: str) -> None:
    """Write the page of the table `name`, with the way to where its numbers come from.

    As Markdown, HTML and LaTeX, in this order.
    """
    origins = f"- [Where each of these numbers comes from](../provenance/{name}.html)"
    text = f"{page}{origins}: scores, networks, settings, code and clips.\n"
    plain = f"\\begin{{verbatim}}\n{text}\\end{{verbatim}}\n"
    shown = (text, f"<!DOCTYPE html>\n<pre>{escape(text)}</pre>\n", plain)
    for path, content in zip(path_to_pages, shown, strict=True):
        write_text(path, content)


def to_markdown(
    rows: pd.DataFrame,
    title: str,
    notes: Sequence[str],
    *,
    titles: Mapping[str, str],
    confidence: float | None = None,
) -> str:
    """A page for reading: one section per metric, its unit in the heading.

    Parameters
    ----------
    rows : DataFrame
        See `l2i.reporting.beside_paper.beside_paper`.
    title : str
        Heading of the page.
    notes : sequence of str
        Printed below the sections, one point each.
    titles : mapping
        What systems are called, beside those of `l2i.names`; others are printed as they are.
    confidence : float, optional
        Of the intervals. Without it the rows are settings, which have no spread to explain.

    Returns
    -------
    str
    """
    ours = "ours" if confidence is None else f"ours: mean ± sd [{confidence * 100:g} % interval]"
    titles, parts = {**TITLES, **titles}, [f"# {title}"]
    for metric, part in rows.groupby("metric", sort=False):
        shown = quantity(metric)
        cells = (row_cells(r, ours, shown.digits, titles) for r in part.itertuples())
        parts.append(f"## {shown.heading}\n\n{pipe_table(list(cells))}")
    parts += ["\n".join(f"- {note}" for note in notes)] if notes else []
    return "\n\n".join(parts) + "\n"


def row_cells(row: Any, ours: str, digits: int, titles: Mapping[str, str]) -> dict[str, str]:
    """A row of `l2i.reporting.beside_paper.beside_paper` in print; `ours` heads our number."""
    return {
        "data set": _dataset_cell(row),
        "system": titles.get(row.system, row.system),
        "condition": row.condition,
        ours: _our_cell(row, digits),
        "n": "" if pd.isna(row.n) else str(row.n),
        "paper": _paper_cell(row, digits),
        "gap": "" if pd.isna(row.gap) else f"{row.gap:+z.{digits}f}",
        "verdict": row.verdict,
    }


def _dataset_cell(row: Any) -> str:
    # Under the name of ours, a quoted number would seem to be measured on our data.
    quoted = row.verdict == "reference"
    return f"{row.paper_dataset} of the paper" if quoted else row.dataset


def _our_cell(row: Any, digits: int) -> str:
    if row.verdict in ("missing", "diverged", "mixed"):
        return Markdown(f"**{row.verdict}**")
    return number_cell(row, digits)


def classes_to_markdown(
    rows: pd.DataFrame, *, titles: Mapping[str, str], threshold: float, confidence: float
) -> str:
    """A page of data sets with several labels a clip, one line per class.

    Parameters
    ----------
    rows : DataFrame
        ``dataset``, ``class``, ``quantity`` (of `CLASS_SECTIONS`), ``system``, ``metric``,
        ``condition``, and the number as in `l2i.reporting.beside_paper.summarise`.
    titles : mapping
        As in `to_markdown`.
    threshold : float
        Of the relevances behind the faithfulness.
    confidence : float
        Of the intervals.

    Returns
    -------
    str
    """
    parts = ["# Class by class"]
    for dataset, part in rows.groupby("dataset", sort=False):
        for name, heading in CLASS_SECTIONS.items():
            cells = _class_cells(part[part["quantity"] == name], {**TITLES, **titles})
            title = heading.format(threshold=f"{threshold:g}")
            parts.append(f"## {dataset}: {title}\n\n{pipe_table(cells)}")
    defined = [DEFINITIONS[name] for name in rows["metric"].unique() if name in DEFINITIONS]
    notes = [f"Numbers are mean ± sd [{confidence * 100:g} % interval].", *CLASSES_LEGEND, *defined]
    parts.append("\n".join(f"- {note}" for note in notes))
    return "\n\n".join(parts) + "\n"


def _class_cells(rows: pd.DataFrame, titles: Mapping[str, str]) -> list[dict[str, str]]:
    """One line per class, a column per system, condition and metric."""
    lines: dict[str, dict[str, str]] = {}
    for row in rows.itertuples():
        name = rows.at[row.Index, "class"]  # no attribute can have this name
        shown = quantity(row.metric)
        whose = [] if row.quantity in ("labels", "classification") else [row.system, row.condition]
        named = [titles.get(part, part) for part in whose if part]
        what = [] if row.metric == "ff_median" else [shown.title]
        column = ", ".join([*named, *what])
        cell = number_cell(row, shown.digits) or "undefined"
        lines.setdefault(name, {"class": name})[column] = cell
    return list(lines.values())


def number_cell(row: Any, digits: int) -> str:
    """Mean, spread and interval of a row, as far as it has them."""
    if math.isnan(row.mean):
        return ""
    spread = "" if math.isnan(row.spread) else f" ± {row.spread:z.{digits}f}"
    interval = (
        f" [{row.low:z.{digits}f}, {row.high:z.{digits}f}]" if not math.isnan(row.low) else ""
    )
    return f"{row.mean:z.{digits}f}{spread}{interval}"


def _paper_cell(row: Any, digits: int) -> str:
    if math.isnan(row.paper_mean):
        return ""
    if not pd.isna(row.bound):
        return f"{row.bound} {row.paper_mean:g}"
    spread = "" if math.isnan(row.paper_spread) else f" ± {row.paper_spread:z.{digits}f}"
    return f"{row.paper_mean:z.{digits}f}{spread}"
