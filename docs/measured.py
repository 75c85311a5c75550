"""Measured tables, from a finished run into the pages; no number of theirs is typed.

    python docs/measured.py take results/esc10    copies tables, and facts, to docs/measured/esc10
    python docs/measured.py print                 rewrites the blocks of README.md and results.md

A block stands between `<!-- measured: esc10 summary -->` and `<!-- /measured -->`: a run, and what
is shown of it, one of `about`, `pairs`, `VIEWS` and `SIDE_BY_SIDE`. Prose between blocks is typed;
a line `<!-- by hand: esc10 -->` above it says that it holds numbers of that run, and `take` lists
these places. A test holds the pages to the tables.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

DOCS = Path(__file__).resolve().parent
PROJECT = DOCS.parent
sys.path.insert(0, str(PROJECT / "workflow"))  # this checkout's library, whatever is installed

from configuration.systems import METHODS, REFERENCES
from l2i.checks import InputError
from l2i.hashing import file_sha256
from l2i.names import TITLES
from l2i.provenance.records import load_record, record_path
from l2i.reporting.comparisons import difference_metric
from l2i.reporting.numbers import number_cell
from l2i.reporting.paper_page import row_cells
from l2i.reporting.pipe_tables import pipe_table
from l2i.reporting.quantities import quantity
from l2i.tables import read_rows

MEASURED = DOCS / "measured"
PAGES = (PROJECT / "README.md", DOCS / "results.md")
BLOCK = re.compile(r"(<!-- measured: (\w+) (\w+) -->\n).*?(<!-- /measured -->)", re.DOTALL)
BY_HAND = re.compile(r"<!-- by hand: (\w+) -->")
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
SIGNIFICANT = 0.05  # among pairs of systems, after Holm's correction


class Rows(NamedTuple):
    """Rows of a table of the paper: one metric, under conditions that match the pattern."""

    table: int
    metric: str
    condition: str = ""


# What a block shows, in this order; what a run has not measured is not shown.
VIEWS = {
    "summary": (
        Rows(1, "accuracy"),
        Rows(4, "top_1_fidelity"),
        Rows(5, "ff_median", r"(of=l2i_att, )?threshold=0\.1"),
        Rows(8, "accuracy"),
    ),
    "details": (
        Rows(1, "accuracy"),
        Rows(1, "macro_auprc"),
        Rows(1, "mean_average_precision"),
        Rows(1, "avg_weighted_f1"),
        Rows(4, "top_1_fidelity"),
        Rows(4, "top_5_fidelity"),
        Rows(4, "macro_auprc"),
        Rows(4, "avg_weighted_f1"),
        Rows(5, "ff_median", ".*"),
        Rows(5, "ff_net_median", r"threshold=0\.1"),
        Rows(5, "ff_difference", ".*"),
        Rows(5, "n_removed", r"(of=\w+, )?threshold=0\.1"),
        Rows(5, "energy_removed", r"(of=\w+, )?threshold=0\.1"),
        Rows(5, "unmatched", ".*"),
        Rows(8, "accuracy"),
        Rows(8, "macro_auprc"),
        Rows(8, "avg_weighted_f1"),
    ),
    "ablations": (
        Rows(6, "top_1_fidelity", ".*"),
        Rows(6, "reconstruction_loss", ".*"),
        Rows(6, "fidelity_loss", ".*"),
        Rows(7, "macro_auprc", ".*"),
    ),
}


class Compared(NamedTuple):
    """Rows of an experiment beside the paper's tables, with a column for each system."""

    table: str
    metric: str
    condition: str = ""  # a pattern


ZERO_DB = r"kind=(noise|class), snr_db=0"
ALL_SHUFFLED = r"shuffled=head(\+B6\+B5\+B4\+B3\+B2\+B1)?"
BROKEN = "(shuffled=(nothing|head)|targets=shuffled)"
IN_WORDS = {  # conditions of these tables
    "kind=noise": "with white noise",
    "kind=class": "with a clip of another class",
    "shuffled=nothing": "intact",
    "targets=shuffled": "interpreter trained on shuffled targets",
    "activations=exchanged": "by weights alone",
}
SIDE_BY_SIDE = {
    "company": (
        Compared("corruption", "interpretation_improvement", ZERO_DB),
        Compared("corruption", "remainder_improvement", ZERO_DB),
        Compared("corruption", "empty_interpretation", ZERO_DB),
        Compared("corruption", "class_survives_of_right", ZERO_DB),
    ),
    "claims": (
        Compared("faithfulness_more", "ff_median", "operator=.*"),
        Compared("faithfulness_more", "fidelity_in", "operator=log_magnitude"),
        Compared("faithfulness_more", "insertion", "operator=log_magnitude"),
        Compared("faithfulness_more", "deletion", "operator=log_magnitude"),
        Compared("faithfulness_more", "energy_kept"),
    ),
    "checks": (
        Compared("sanity", "relevance_correlation", ALL_SHUFFLED),
        Compared("sanity", "relevance_correlation", "(targets|activations)=.*"),
        Compared("sanity", "top_1_fidelity", BROKEN),
        Compared("sanity", "ff_median", BROKEN),
    ),
    "corruption": (
        Compared("corruption", "interpretation_si_sdr", ".*"),
        Compared("corruption", "interpretation_improvement", ".*"),
        Compared("corruption", "interpretation_improvement_median", ".*"),
        Compared("corruption", "remainder_improvement", ".*"),
        Compared("corruption", "empty_interpretation", ".*"),
        Compared("corruption", "class_survives", ".*"),
        Compared("corruption", "class_survives_of_right", ".*"),
    ),
    "masks": (
        Compared("faithfulness_more", "average_increase", ".*"),
        Compared("faithfulness_more", "average_drop", ".*"),
        Compared("faithfulness_more", "average_gain", ".*"),
        Compared("faithfulness_more", "ff_median", ".*"),
        Compared("faithfulness_more", "fidelity_in", ".*"),
        Compared("faithfulness_more", "insertion", ".*"),
        Compared("faithfulness_more", "deletion", ".*"),
        Compared("faithfulness_more", "sparseness"),
        Compared("faithfulness_more", "complexity"),
        Compared("faithfulness_more", "energy_kept"),
        Compared("faithfulness_more", "empty_mask"),
        Compared("faithfulness_more", "operator_spearman", ".*"),
    ),
    "sanity": (
        Compared("sanity", "relevance_correlation", ".*"),
        Compared("sanity", "selection_overlap", ".*"),
        Compared("sanity", "top_component_same", ".*"),
        Compared("sanity", "top_1_fidelity", ".*"),
        Compared("sanity", "ff_median", ".*"),
        Compared("sanity", "empty_selection", ".*"),
    ),
}


def main() -> None:
    """Take the tables of a run, or print those that were taken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="what", required=True)
    of_take = commands.add_parser("take", help="copy tables and facts of a run to docs/measured")
    of_take.add_argument("results", type=Path, help="results/{name}, with its records")
    of_take.add_argument("--command", help="that made them, if it was not the usual one")
    of_take.add_argument("--commit", help="where the records know none, as outside of git")
    of_take.add_argument("--note", help="a sentence that readers of the numbers must know")
    commands.add_parser("print", help="rewrite the blocks of the pages")
    given = vars(parser.parse_args())
    try:
        if given.pop("what") == "take":
            print(take(**given))
        else:
            for page in PAGES:
                page.write_text(printed(page.read_text("utf-8")), encoding="utf-8")
    except InputError as error:
        sys.exit(f"error: {error}")


# ------------------------------------------------------------------ take


def take(
    results: Path,
    *,
    command: str | None = None,
    commit: str | None = None,
    note: str | None = None,
    measured: Path = MEASURED,
) -> str:
    """Copy the tables of a finished run, with the facts that their records tell.

    Parameters
    ----------
    results : path
        ``results/{name}``, or a copy of it that holds ``tables`` and every record.
    command, commit, note : str, optional
        What records do not know.
    measured : path
        Where to; a folder named after the run there is replaced.

    Returns
    -------
    str
        What was done, and which lines of the pages are to be read again.

    Raises
    ------
    InputError
        No table, a table that is not what its record says, or no commit.
    """
    tables = sorted((results / "tables").glob("*.csv"))
    if not tables:
        raise InputError(f"{results} holds no tables/*.csv: name the folder of a finished run")
    for table in tables:
        if file_sha256(table) != load_record(table)["output"]["sha256"]:
            raise InputError(f"{table} is not what its record says: run the workflow again")
    root = Path(load_record(tables[0])["output"]["path"]).parents[1]
    records, n_missing = _records_behind(tables, results, root.as_posix())
    about = {
        "command": command or f"snakemake --configfile config/{root.name}.yaml",
        **_facts(records, commit),
        **({"note": note} if note else {}),
    }
    folder = measured / root.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for table in tables:
        shutil.copyfile(table, folder / table.name)
    text = yaml.safe_dump(
        about, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
    )
    (folder / "about.yaml").write_text(text, encoding="utf-8")
    said = [f"{len(tables)} tables and about.yaml are in {folder}"]
    if n_missing:
        said.append(f"facts are incomplete: {n_missing} results behind them have no record here")
    if about["uncommitted_changes"]:
        said.append("some of it was computed with uncommitted changes, and the pages will say so")
    said += [f"read again, it was typed: {place}" for place in _typed(root.name)]
    return "\n".join(said)


def _records_behind(
    tables: Iterable[Path], results: Path, root: str
) -> tuple[list[dict[str, Any]], int]:
    """The records of tables and of all results that these were made from; how many are missing."""
    found: dict[Path, dict[str, Any]] = {}
    waiting, missing = [*tables], set()
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = load_record(path)
        for used in found[path]["inputs"]:
            stage, _, rest = used["path"].removeprefix(f"{root}/").partition("/")
            below = results / stage / rest
            if record_path(below).exists():
                waiting.append(below)
            elif used["path"].startswith(f"{root}/") and stage not in ("data", "corpora"):
                missing.add(below)
    return [*found.values()], len(missing)


def _facts(records: list[dict[str, Any]], commit: str | None) -> dict[str, Any]:
    """When, where, at which commit and for which folds jobs were done."""
    # A job has a record for each of its outputs.
    once = {(r["rule"], *r["wildcards"].items(), r["started_at"]): r for r in records}
    jobs = sorted(once.values(), key=lambda record: record["started_at"])
    known = [record["git"] for record in jobs if record["git"]]
    commits = [commit] if commit else [*dict.fromkeys(git["commit"][:7] for git in known)]
    if not commits:
        raise InputError("the records know no commit: give it with --commit")
    folds: dict[str, dict[str, list[str]]] = {}
    for where, system in ((r["wildcards"], r["wildcards"].get("system")) for r in jobs):
        if system and "fold" in where:
            of_system = folds.setdefault(where["dataset"], {}).setdefault(system, [])
            of_system += [where["fold"]] if where["fold"] not in of_system else []
    hosts = (record["host"] for record in jobs)
    return {
        "commits": commits,
        "uncommitted_changes": any(git["dirty"] for git in known),
        "first_day": jobs[0]["started_at"][:10],
        "last_day": max(record["finished_at"] for record in jobs)[:10],
        "minutes": round(_busy_seconds(jobs) / 60, 1),  # with at least one job at work
        "jobs": len(jobs),
        "machines": _each(
            f"{h['n_cores']} cores of {h['cpu']}, {h['memory_bytes'] / 2**30:.0f} GiB"
            for h in hosts
        ),
        "accelerators": _each(r["accelerator"]["name"] for r in jobs if r["accelerator"]),
        "precisions": _each(r["runtime"]["precision"] for r in jobs if r["runtime"]["precision"]),
        "folds": {name: {s: sorted(of[s]) for s in sorted(of)} for name, of in folds.items()},
    }


def _each(values: Iterable[str]) -> list[str]:
    return sorted(set(values))


def _busy_seconds(jobs: Iterable[Mapping]) -> float:
    """For how long at least one job was at work."""
    at = datetime.datetime.fromisoformat
    seconds, until = 0.0, datetime.datetime.min.replace(tzinfo=datetime.UTC)
    for start, end in sorted((at(job["started_at"]), at(job["finished_at"])) for job in jobs):
        seconds += max(0.0, (end - max(start, until)).total_seconds())
        until = max(until, end)
    return seconds


def _typed(run: str) -> list[str]:
    """Places of the pages with typed numbers of a run."""
    return [
        f"{page.relative_to(PROJECT)}:{number}"
        for page in PAGES
        for number, line in enumerate(page.read_text("utf-8").splitlines(), start=1)
        if (mark := BY_HAND.search(line)) and mark[1] == run
    ]


# ------------------------------------------------------------------ print


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


if __name__ == "__main__":
    main()
