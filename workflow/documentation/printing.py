"""Measured tables, as taken from finished runs, into the pages; no number of theirs is typed.

A block stands between `<!-- measured: esc10 summary -->` and `<!-- /measured -->`: a run, and what
is shown of it, one of `about`, `pairs`, `VIEWS` and `SIDE_BY_SIDE`, or of the benchmark one of
`speed.VIEWS`. Prose between blocks is typed;
a line `<!-- by hand: esc10 -->` above it says that it holds numbers of that run, and taking a run
lists these places. A test holds the pages to the tables.
"""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from configuration.systems import METHODS, REFERENCES
from documentation import speed
from documentation.places import BLOCK, MEASURED, PROJECT
from documentation.views import IN_WORDS, SIDE_BY_SIDE, VIEWS, Compared, Rows
from l2i.checks import InputError
from l2i.names import TITLES
from l2i.reporting.comparisons import difference_metric
from l2i.reporting.numbers import number_cell
from l2i.reporting.paper_page import row_cells
from l2i.reporting.pipe_tables import pipe_table
from l2i.reporting.quantities import quantity
from l2i.tables import read_rows

ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
SIGNIFICANT = 0.05  # among pairs of systems, after Holm's correction


def printed(page: str, measured: Path = MEASURED) -> str:
    """The text of a page with its blocks as the measured tables have it.

    Raises
    ------
    InputError
        If a block names no run below `measured`, or nothing that can be shown.
    """
    if page.count("<!-- measured: ") != len(BLOCK.findall(page)):
        raise InputError("a block `<!-- measured: RUN VIEW -->` is not of this form, or not closed")
    return BLOCK.sub(lambda block: block[1] + _shown(measured, block[2], block[3]) + block[4], page)


def _shown(measured: Path, run: str, view: str) -> str:
    folder = measured / run
    if run == speed.RUN:
        return f"{speed.shown(folder, view)}\n"
    if not (folder / "about.yaml").exists():
        known = ", ".join(sorted(path.name for path in measured.iterdir()))
        raise InputError(f"a block names the run {run}; docs/measured has {known}")
    about = yaml.safe_load((folder / "about.yaml").read_text(encoding="utf-8"))
    titles = printed_titles()
    if view == "about":
        return f"{_about(about, titles)}\n"
    if view == "pairs":
        return f"{_pairs(folder, titles)}\n"
    if view in SIDE_BY_SIDE:
        return f"{_side_by_side(folder, SIDE_BY_SIDE[view], titles)}\n"
    if view not in VIEWS:
        known = ", ".join(("about", "pairs", *VIEWS, *SIDE_BY_SIDE))
        raise InputError(f"a block names {view}; there are {known}")
    return f"{_table(folder, VIEWS[view], about['folds'], titles)}\n"


@functools.cache
def printed_titles() -> dict[str, str]:
    """What systems and data sets of all configurations are called in print."""
    titles = TITLES | METHODS | REFERENCES
    for path in (PROJECT / "config.yaml", *sorted((PROJECT / "config").glob("*.yaml"))):
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        for kind in ("datasets", "systems"):
            for name, entry in config.get(kind, {}).items():
                titles |= {name: entry["title"]} if "title" in entry else {}
                if row := entry.get("as_classifier"):
                    titles[row["name"]] = row["title"]
    return titles


def _about(about: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """When, where and how a run was computed, in sentences."""
    first, last = about["first_day"], about["last_day"]
    machines = [*about["accelerators"], *about["machines"]]
    single = [
        titles.get(system, system)
        for of_systems in about["folds"].values()
        for system, folds in of_systems.items()
        if folds == ["1"] and any(len(others) > 1 for others in of_systems.values())
    ]
    sentences = [
        f"Computed by `{about['command']}`",
        f" on {first}" if first == last else f" from {first} to {last}",
        f", at {' and '.join(about['commits'])}",
        ", with uncommitted changes" if about["uncommitted_changes"] else "",
        f", on {' and '.join(machines)}",
        f"; networks in {' and '.join(about['precisions'])}" if about["precisions"] else "",
        f". Jobs were at work for {about['minutes']:g} minutes.",
        f" From fold 1 alone: {'; '.join(dict.fromkeys(single))}." if single else "",
        f" {about['note']}" if "note" in about else "",
    ]
    return textwrap.fill("".join(sentences), 106, break_long_words=False, break_on_hyphens=False)


def _table(
    folder: Path,
    view: Iterable[Rows],
    folds: Mapping[str, Mapping[str, list[str]]],
    titles: Mapping[str, str],
) -> str:
    """The rows of a view, with table and quantity in front."""
    text = {"condition": str, "verdict": str}
    tables = [read_rows(path) for path in sorted(folder.glob("table_*.csv"))]
    rows = pd.concat(tables, ignore_index=True).astype({"n": "Int64"})
    rows = rows.fillna(dict.fromkeys(text, ""))
    rows = rows[~rows["verdict"].isin(("missing", "reference"))]
    parts = [
        rows[
            (rows["table"] == part.table)
            & (rows["metric"] == part.metric)
            & rows["condition"].str.fullmatch(part.condition)
        ]
        for part in view
    ]
    rows = pd.concat(parts)
    if rows.empty:
        raise InputError(f"{folder} has no row of what a block shows")
    ours, paper = (
        f"{side}, {titles[datasets[0]]}" if len(datasets) == 1 else side
        for side, datasets in (
            ("ours", rows["dataset"].unique()),
            ("paper", rows["paper_dataset"].dropna().unique()),
        )
    )
    cells: list[dict[str, Any]] = []
    above = None
    for row in rows.itertuples():
        shown, key = quantity(row.metric), (row.table, row.metric)
        said = row_cells(row, ours, shown, titles)
        trained_on = folds.get(row.dataset, {}).get(row.system, [])
        alone = trained_on == ["1"] and "fold=" not in row.condition
        cells.append(
            {
                "table": ROMAN[row.table - 1],
                "what": "" if key == above else shown.heading,
                "setting": _words(row.condition, titles),
                "data": "" if ours != "ours" else titles.get(row.dataset, row.dataset),
                "system": said["system"] + (", fold 1" if alone else ""),
                **{ours: said[ours], "n": said["n"], paper: said["paper"]},
                **{name: said[name] for name in ("gap", "verdict")},
            }
        )
        above = key
    return pipe_table(cells)


def _side_by_side(folder: Path, view: Iterable[Compared], titles: Mapping[str, str]) -> str:
    """A row for each quantity and condition, a column for each system that has any of it."""
    tables = {path.stem: read_rows(path) for path in sorted(folder.glob("*.csv"))}
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for part in view:
        rows = tables[part.table].fillna({"condition": ""})
        rows = rows[
            (rows["metric"] == part.metric) & rows["condition"].str.fullmatch(part.condition)
        ]
        for row in rows.itertuples():
            of = found.setdefault((part.table, part.metric, row.condition), {})
            system = "" if pd.isna(row.system) else row.system
            of[system] = number_cell(row, quantity(part.metric).digits)
    if not found:
        raise InputError(f"{folder} has no row of what a block shows")
    systems = [*dict.fromkeys(system for cells in found.values() for system in cells)]
    lines, above = [], None
    for (table, metric, condition), cells in found.items():
        heading = "" if (table, metric) == above else quantity(metric).heading
        named = {titles.get(system, system): cells.get(system, "") for system in systems}
        lines.append({"what": heading, "setting": _setting(condition), **named})
        above = table, metric
    return pipe_table(lines)


def _setting(condition: str) -> str:
    """A condition of an experiment in words."""

    def word(part: str) -> str:
        key, _, value = part.partition("=")
        if key == "snr_db":
            return f"{value} dB"
        if key == "shuffled":
            return f"weights shuffled: {value}"
        return value.replace("_", " ").replace("+", " and ")  # an operator, or two

    return ", ".join(IN_WORDS.get(part) or word(part) for part in condition.split(", ") if part)


def _words(condition: str, titles: Mapping[str, str]) -> str:
    """A condition in words: `of=l2i_att, threshold=0.1` is "of L2I w/ ATT, threshold 0.1"."""
    settings = (part.partition("=") for part in condition.split(", ") if part)
    return ", ".join(f"{key.replace('_', ' ')} {titles.get(of, of)}" for key, _, of in settings)


def _pairs(folder: Path, titles: Mapping[str, str]) -> str:
    """The pairs of systems that differ, of all that were compared."""
    tables = [read_rows(path) for path in sorted(folder.glob("comparisons_*.csv"))]
    if not tables:
        return "No table of pairs of systems is kept of this run."
    pairs = pd.concat(tables).rename(columns={"difference": "mean"})
    differing = pairs[pairs["p_holm"] < SIGNIFICANT]
    cells = [
        {
            "table": ROMAN[row.table - 1],
            "data": titles.get(row.dataset, row.dataset),
            "system": titles.get(row.system, row.system),
            "minus": titles.get(row.other, row.other),
            "difference": number_cell(row, quantity(difference_metric(row.metric)).digits),
            **{"p, Holm": f"{row.p_holm:.2g}", "clips": str(row.n_clips)},
        }
        for row in differing.itertuples()
    ]
    said = f"{len(differing)} of {pairs['p'].count()} pairs of systems differ"
    said += f" (p < {SIGNIFICANT} after Holm's correction)"
    return f"{said}.\n\n{pipe_table(cells)}" if cells else f"{said}."
