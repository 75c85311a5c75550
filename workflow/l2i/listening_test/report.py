"""The table of ratings, as rows for programs and as a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from l2i.listening_test.preferences import DIFFERENCE, EFFECT, RATING, TIES, VOTES, numbers_of
from l2i.names import class_title
from l2i.reporting.numbers import number_cell
from l2i.reporting.printed import Given, Line, Page, Section, grid
from l2i.reporting.quantities import quantity

NAME = "ratings"
SIMULATED = "SIMULATED ANSWERS: no listener gave them"
COLUMNS = [
    *("table", "system", "dataset", "class", "metric", "condition"),
    *("mean", "spread", "n", "low", "high", "p", "n_participants", "n_stimuli"),
    *("simulated", "note"),
]
LEGEND = (
    "A trial is one stimulus rated by one participant, for both systems. It is a vote for the one "
    "that is rated higher; a tie, both rated alike, is a vote for neither, and counted among all. "
    "Differences are taken trial by trial. sd is the population standard deviation over trials.",
    "Intervals speak of other participants and other stimuli of the kind: variances of means are "
    "clustered by participants and by stimuli (Cameron, Gelbach & Miller 2011), with Student's t "
    "of one degree of freedom less than the smaller number of the two; of votes they are Wilson's. "
    "None where there is one participant or one stimulus.",
    "Mixed model: rating ~ system + class + (system | participant) + (system | stimulus) + "
    "(1 | trial), by restricted maximum likelihood, fitted to the differences of trials, in which "
    "all that both ratings share drops out. p is of no effect, by Student's t as above.",
    "Who did not finish is kept with what was rated; who gave one rating to everything is kept and "
    "named below.",
)


def tabulated(
    ratings: Mapping[str, pd.DataFrame], systems: Sequence[str], *, confidence: float
) -> pd.DataFrame:
    """All numbers of the table of ratings.

    Parameters
    ----------
    ratings : mapping
        Data set -> its ratings, see `l2i.listening_test.ratings.Ratings`.
    systems, confidence
        As of `l2i.listening_test.preferences.numbers_of`.

    Returns
    -------
    DataFrame
        The columns `COLUMNS`.
    """
    rows = [
        {"table": NAME, "dataset": dataset, "simulated": bool(part["simulated"].any()), **number}
        for dataset, part in ratings.items()
        for number in numbers_of(part, systems, confidence=confidence)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def ratings_page(
    table: pd.DataFrame,
    participants: Mapping[str, pd.DataFrame],
    systems: Sequence[str],
    *,
    page: Mapping[str, Any],
    confidence: float,
) -> Page:
    """The table in print.

    Parameters
    ----------
    table : DataFrame
        See `tabulated`.
    participants : mapping
        Data set -> who answered, see `l2i.listening_test.ratings.Ratings`.
    systems : sequence of str
    page, confidence
        As in `l2i.reporting.paper_page.paper_page`.
    """
    marked = f"{SIMULATED}. " if table["simulated"].any() else ""
    titles, sections = page["titles"], []
    for dataset, part in table.groupby("dataset", sort=False):
        mark = f" ({SIMULATED})" if part["simulated"].any() else ""
        name = f"{titles.get(dataset, dataset)}{mark}"
        for metrics in ((RATING, DIFFERENCE), (VOTES, TIES)):
            cells = _class_cells(part[part["metric"].isin(metrics)], systems, titles)
            sections.append(Section(f"{name}: {quantity(metrics[0]).heading}", [grid(cells)]))
        effects = [_effect_cells(row, titles) for row in _rows(part, EFFECT)]
        sections.append(Section(f"{name}: mixed model", [grid(effects)]))
        told = list(_told(participants[dataset]))
        sections.append(Section(f"{name}: participants", points=told))
    form = f"Numbers are mean ± sd [{confidence * 100:g} % interval]."
    title = f"{marked}{page['title']}"
    return Page(NAME, title, page["caption"], sections, (form, *LEGEND))


def _rows(table: pd.DataFrame, metric: str) -> list:
    return list(table[table["metric"] == metric].itertuples())


def _class_cells(
    rows: pd.DataFrame, systems: Sequence[str], titles: Mapping[str, str]
) -> list[dict[str, Given]]:
    """One line per class, a column for each system and for what compares them."""
    lines: dict[str, dict[str, Given]] = {}
    first, second = (titles.get(name, name) for name in systems)
    for row in rows.itertuples():
        name = rows.at[row.Index, "class"]  # no attribute can have this name
        column = {DIFFERENCE: f"{second} minus {first}", TIES: "ties"}.get(
            row.metric, titles.get(row.system, row.system)
        )
        line = lines.setdefault(name, {"class": class_title(name), "trials": str(row.n)})
        line[column] = number_cell(row, quantity(row.metric).digits)
    return list(lines.values())


def _effect_cells(row: Any, titles: Mapping[str, str]) -> dict[str, Given]:
    other = row.condition.removeprefix("minus=")
    has_number = not pd.isna(row.mean)
    return {
        "effect": f"{titles.get(row.system, row.system)} minus {titles.get(other, other)}",
        "points": number_cell(row, quantity(EFFECT).digits)
        if has_number
        else Line(row.note, bold=True),
        "p": _p(row.p) if has_number else "",
        "trials": str(row.n),
        "participants": str(row.n_participants),
        "stimuli": str(row.n_stimuli),
    }


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _told(participants: pd.DataFrame) -> Iterator[str]:
    """How many answered, who did not finish, and who gave one rating to everything."""
    complete = participants["complete"]
    yield f"{len(participants)} answered, {int(complete.sum())} of them all that they were given."
    for row in participants[~complete].itertuples():
        yield f"Participant {row.participant} rated {row.n_rated} of {row.n_asked} stimuli."
    for row in participants[participants["all_equal"]].itertuples():
        yield f"Participant {row.participant} gave one rating to everything."
