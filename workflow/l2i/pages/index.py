"""The first page of a run: how it stands to the paper, and the way to all that it made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from l2i.names import TITLES
from l2i.pages.highlights import cost_text, number_text, paper_text
from l2i.pages.rendering import rendered, style_and_script
from l2i.reporting.conditions import in_words
from l2i.reporting.costs import Spent
from l2i.reporting.quantities import quantity
from l2i.reporting.standing import in_order_of_gap, tally

PLACE = ["table", "paper_dataset"]
OTHER_DATA = "other data"
# Verdict on the paper's data -> what one number of it does, and what several do.
TOLD = {
    "agrees": ("agrees with it, within both spreads", "agree with it, within both spreads"),
    "differs": ("differs", "differ"),
    "no spread": ("cannot be told, as one side has no spread",) * 2,
    "diverged": ("has diverged", "have diverged"),
}
# Verdict -> what heads its counts, and its list.
HEADS = {
    "agrees": ("agree", "Numbers that agree"),
    "differs": ("differ", "Numbers that differ, the largest gap first"),
    "no spread": ("not to be told", "Numbers that cannot be told, the largest gap first"),
    OTHER_DATA: ("of other data", "All of them beside the paper's"),
    "diverged": ("diverged", "Numbers that diverged"),
}


COST = "cost"  # name of the table of costs


class Shown(NamedTuple):
    """A table or figure as the page has it."""

    name: str  # of its files
    title: str
    paragraphs: Sequence[str]
    files: Mapping[str, str]  # address of each format
    origins: str | None = None  # address of its provenance
    highlight: str = ""  # what a table says first

    @property
    def number(self) -> str:
        """Such as "Table IV"."""
        return self.title.partition(": ")[0]

    @property
    def topic(self) -> str:
        """What follows the number."""
        return self.title.partition(": ")[2]


class Page(NamedTuple):
    """Another page of the run."""

    title: str
    about: str
    address: str


class Data(NamedTuple):
    """A data set of the run."""

    title: str
    of_paper: str | None  # title of the paper's that it stands beside
    comparable: bool  # whether it holds the paper's data


@dataclass(frozen=True)
class Run:
    """A finished run."""

    name: str
    datasets: Sequence[Data]
    systems: Sequence[str]  # titles in print
    folds: str
    seeds: str
    commits: Mapping[str, bool]  # that made its tables: whether it was changed since
    configuration: str | None = None  # address
    titles: Mapping[str, str] = field(default_factory=dict)  # of systems and data sets, by name


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    beside: pd.DataFrame  # see l2i.reporting.standing.beside_the_papers
    lacking: pd.DataFrame  # see l2i.reporting.standing.not_measured
    n_printed: int  # numbers of the paper
    spent: Spent


def index_page(
    run: Run,
    result: Result,
    *,
    tables: Sequence[Shown],
    figures: Sequence[Shown],
    pages: Sequence[Page],
    left_out: Sequence[Shown],
) -> str:
    """The page as HTML.

    Parameters
    ----------
    run : Run
    result : Result
    tables, figures : sequence of Shown
        What the run made, in the order of the page.
    pages : sequence of Page
    left_out : sequence of Shown
        Tables and figures of the paper that it did not make.
    """
    titles = {**TITLES, **run.titles}
    values = {
        "run": run,
        "result": result,
        "opening": _opening(run, result),
        "cost": cost_text(result.spent),
        "cost_table": next((table for table in tables if table.name == COST), None),
        "verdicts": tally(result.beside),
        "heads": HEADS,
        "standings": [_standing(result, table) for table in tables if _is_of_paper(table)],
        "lists": _lists(result.beside, tables, titles),
        "lacking": _lacking(result, tables, titles),
        "of_paper": [table for table in tables if _is_of_paper(table)],
        "beyond": [table for table in tables if not _is_of_paper(table)],
        "figures": figures,
        "pages": pages,
        "left_out": left_out,
    }
    return rendered("index.html", values | style_and_script("index.css"))


def _is_of_paper(shown: Shown) -> bool:
    return shown.name.startswith("table_")


def _number_of(shown: Shown) -> str:
    return shown.name.removeprefix("table_")


def _by_number(tables: Sequence[Shown]) -> dict[str, Shown]:
    """Tables of the paper by their numbers, as the csv has them."""
    return {_number_of(table): table for table in tables if _is_of_paper(table)}


def _standing(result: Result, table: Shown) -> dict[str, Any]:
    """A row of the verdict: a table, and how many of its numbers stand how to the paper's."""
    number = _number_of(table)
    rows = result.beside[result.beside["table"] == number]
    lacking = int((result.lacking["table"] == number).sum())
    return {"table": table, "counts": tally(rows), "n": len(rows), "lacking": lacking}


def _lists(
    beside: pd.DataFrame, tables: Sequence[Shown], titles: Mapping[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """The numbers of each verdict; those with a gap in its order."""
    whose, lists = _by_number(tables), {}
    for verdict in tally(beside):
        rows = beside[beside["verdict"] == verdict]
        ordered = in_order_of_gap(rows) if rows["gap"].notna().any() else rows
        lists[verdict] = [
            _cells(row, titles) | {"table": whose[row.table]} for row in ordered.itertuples()
        ]
    return lists


def _cells(row: Any, titles: Mapping[str, str]) -> dict[str, str]:
    """A number beside the paper's, in print."""
    return {
        "dataset": titles.get(row.dataset, row.dataset),
        "system": titles.get(row.system, row.system),
        "metric": quantity(row.metric).title,
        "condition": in_words(row.condition, titles),
        "ours": number_text(row.metric, row.mean),
        "paper": paper_text(row),
        "gap": "" if pd.isna(row.gap) else number_text(row.metric, row.gap, signed=True),
    }


def _lacking(
    result: Result, tables: Sequence[Shown], titles: Mapping[str, str]
) -> list[tuple[Shown, str, str]]:
    """What is not measured of tables that are made: table, data set, and of which systems."""
    told = []
    places = {*result.beside[PLACE].itertuples(index=False, name=None)}
    for number, table in _by_number(tables).items():
        lacking = result.lacking[result.lacking["table"] == number]
        for dataset, rows in lacking.groupby("paper_dataset", sort=False):
            counts = rows["system"].value_counts(sort=False)
            systems = [f"{titles.get(name, name)} ({_counted(n)})" for name, n in counts.items()]
            whole = (number, dataset) not in places
            which = (
                f"nothing of it ({_counted(len(rows))})" if whole else "not " + "; ".join(systems)
            )
            told.append((table, titles.get(str(dataset), str(dataset)), which))
    return told


def _opening(run: Run, result: Result) -> list[str]:
    """What agrees with the paper and what does not, in sentences."""
    counts = tally(result.beside)
    others = [each for each in run.datasets if not each.comparable]
    return [*_about_data(others, len(run.datasets)), *_about_numbers(counts, result.n_printed)]


def _about_data(others: Sequence[Data], n: int) -> list[str]:
    if not others:
        return []
    which = _listed([each.title for each in others])
    beside = _listed(list(dict.fromkeys(each.of_paper for each in others if each.of_paper)))
    instead = f", beside the paper's of {beside}" if beside else ""
    first = (
        f"These numbers are not of the paper's data: they are of {which}{instead}."
        if len(others) == n
        else f"Part of these numbers is not of the paper's data: that of {which}{instead}."
    )
    return [
        f"{first} They can show that the method runs, and how its systems compare on these data. "
        "They can neither confirm nor refute the paper's."
    ]


def _about_numbers(counts: Mapping[str, int], n_printed: int) -> list[str]:
    if not counts:
        return [f"Of the {n_printed} numbers that the paper prints, this run measured none."]
    judged = {verdict: n for verdict, n in counts.items() if verdict in TOLD}
    sentences = []
    if judged:
        parts = [f"{n} {TOLD[verdict][n > 1]}" for verdict, n in judged.items()]
        measured = _counted(sum(judged.values()))
        sentences.append(
            f"Of {measured} of the paper that this run measured on the paper's data, "
            f"{_listed(parts)}."
        )
    if n := counts.get(OTHER_DATA, 0):
        stand = "stands" if n == 1 else "stand"
        sentences.append(f"{_counted(n)} of this run {stand} beside the paper's, for orientation.")
    return [" ".join(sentences)]


def _counted(n: int) -> str:
    return f"{n} number{'' if n == 1 else 's'}"


def _listed(parts: Sequence[str]) -> str:
    """A list in a sentence."""
    *before, last = parts
    return f"{', '.join(before)} and {last}" if before else last
