"""The page of a table of the paper: first the paper's layout, then every number with details."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from l2i.names import TITLES, class_title
from l2i.reporting.as_printed import LEAD, LEAD_OF_SETTINGS, NOT_OURS, RULES, as_printed, paper_text
from l2i.reporting.beside_paper import condition_text
from l2i.reporting.conditions import in_words, values_in
from l2i.reporting.definitions import INTERVAL, definitions_of
from l2i.reporting.numbers import digits_of, number_cell, setting_text
from l2i.reporting.printed import Given, Line, Page, Section, grid
from l2i.reporting.quantities import Quantity, quantity

AS_PRINTED = "As the paper prints it"
LEGEND = (
    "Ours is the mean over folds, or over runs where there is one fold; n counts them, and sd is "
    "their population standard deviation. Runs on one fold share its classifier and dictionary, "
    "as the three runs of SONYC-UST and OpenMIC do: their sd leaves out what another training of "
    "these would change.",
    INTERVAL,
    "Differences are paired: they are taken clip by clip and only then summarised or, of metrics "
    "that clips only have together, resampling by resampling; on the folds and runs that both "
    "systems have, as their n tells.",
    "Verdicts: agrees where |gap| ≤ t √(s²/n + s²/n), ours and the paper's, and differs beyond; "
    "s² = sd² n / (n - 1) is the variance of a sample, t the quantile of Welch's test at 95 %; no "
    "spread where one side has none; other data where ours are not the paper's; reference where "
    "the paper quotes a system from elsewhere, measured on the paper's own data.",
)
LEGEND_OF_SETTINGS = (
    "Verdicts: agrees where the setting is the paper's; set otherwise where this run's "
    "configuration has another; mixed where not all of its systems have the same.",
)
# The one place that says over which classes means are taken.
EXCLUDED = (
    "Means over classes: as in the paper, classification is scored over all classes, fidelity "
    "without those that the configuration excludes ({classes}). The first table holds these; "
    "below, each number says which classes it is over, and the other choice stands beside it. What "
    "pools all pairs of clip and class is no such mean, and is over all classes."
)


def paper_page(
    rows: pd.DataFrame,
    name: str,
    page: Mapping[str, Any],
    *,
    paper: Mapping[str, Any],
    datasets: Sequence[Mapping[str, Any]] = (),
    statistics: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> Page:
    """The page of a table of the paper.

    Parameters
    ----------
    rows : DataFrame
        See `l2i.reporting.beside_paper.beside_paper`.
    name : str
        Of the table's files.
    page : mapping
        ``title`` and ``caption`` (paragraphs) of the table; ``titles``, what systems and data sets
        are called in print, beside those of `l2i.names` and of the paper.
    paper : mapping
        What ``paper.yaml`` says of the table.
    datasets : sequence of mapping
        ``name``, and ``excluded_classes`` where means over classes are given without some.
    statistics : mapping, optional
        ``confidence`` of the intervals. Without it the rows are settings, which have no spread to
        explain.
    notes : sequence of str
        Printed below, behind the paper's caveats and the definitions of metrics.
    """
    ((_, entry),) = paper["tables"].items()
    of_paper = {each: system["title"] for each, system in paper["systems"].items()}
    titles = {**of_paper, **TITLES, **page["titles"]}
    excluded = {each["name"]: each.get("excluded_classes", ()) for each in datasets}
    confidence = None if statistics is None else statistics["confidence"]
    lead = LEAD_OF_SETTINGS if confidence is None else LEAD
    opening = as_printed(rows, paper, titles, caption=lead)
    ours = "ours" if confidence is None else f"ours: mean ± sd [{confidence * 100:g} % interval]"
    details = [
        _details(part, metric, ours, titles, excluded, paper)
        for metric, part in rows.groupby("metric", sort=False)
    ]
    return Page(
        name,
        page["title"],
        page["caption"],
        [*([Section(AS_PRINTED, [opening])] if opening.rows else []), *details],
        [
            *([RULES[entry["bold"]]] if entry["bold"] and opening.rows else []),
            *_of_classes(rows, excluded, titles),
            *not_run(rows, paper, titles),
            *entry["notes"],
            *definitions_of(rows["metric"]),
            *notes,
            *(LEGEND_OF_SETTINGS if confidence is None else LEGEND),
        ],
    )


def not_run(
    rows: pd.DataFrame, paper: Mapping[str, Any], titles: Mapping[str, str]
) -> Iterator[str]:
    """In a sentence, what the paper prints and the configuration does not run."""
    known = set(
        zip(rows["system"], rows["paper_dataset"], rows["metric"], rows["condition"], strict=True)
    )
    left: list[tuple[str, ...]] = []
    ran: list[tuple[str, ...]] = []
    for number in paper["numbers"]:
        condition = condition_text(number.get("condition"))
        key = number["system"], number["dataset"], number["metric"], condition
        (ran if key in known else left).append(key)
    absent: dict[str, None] = {}
    for system, dataset, metric, condition in left:
        if not any(dataset == other for _, other, *_ in ran):
            absent[paper["datasets"][dataset]["title"]] = None
        elif not any(system == other for other, *_ in ran):
            absent[titles.get(system, system)] = None
        else:
            absent[in_words(_of_heads(condition, paper), titles) or quantity(metric).title] = None
    if absent:
        yield f"In the paper and not in this run: {'; '.join(absent)}."


def _of_heads(condition: str, paper: Mapping[str, Any]) -> str:
    """Of a condition what heads a row of the table."""
    ((_, entry),) = paper["tables"].items()
    values, heads = values_in(condition), dict(entry["heads"])
    return condition_text({name: value for name, value in values.items() if name in heads})


def _of_classes(
    rows: pd.DataFrame, excluded: Mapping[str, Sequence[str]], titles: Mapping[str, str]
) -> Iterator[str]:
    """Over which classes means are taken, where that is a question."""
    told = [
        f"{titles.get(name, name)}: {', '.join(map(class_title, excluded[name]))}"
        for name in rows["dataset"].unique()
        if excluded.get(name)
    ]
    if told:
        yield EXCLUDED.format(classes="; ".join(told))


def _details(
    part: pd.DataFrame,
    metric: str,
    ours: str,
    titles: Mapping[str, str],
    excluded: Mapping[str, Sequence[str]],
    paper: Mapping[str, Any],
) -> Section:
    """Every number of one metric, a row each."""
    shown = quantity(metric)
    with_both = _with_both_choices(part)
    cells = []
    for row in part.itertuples():
        chosen = (
            ""
            if row.condition
            else with_both.get(row.dataset, "").format(
                excluded=", ".join(map(class_title, excluded.get(row.dataset, ())))
            )
        )
        words = ", ".join(filter(None, [in_words(row.condition, titles), chosen]))
        dataset = titles.get(row.dataset, row.dataset)
        if row.verdict == "reference":  # else it would seem to be measured on our data
            dataset = f"{paper['datasets'][row.paper_dataset]['title']} of the paper"
        said = row_cells(row, ours, shown, titles)
        cells.append({"data set": dataset, "system": said.pop("system"), "condition": words} | said)
    return Section(shown.heading, [grid(cells, n_heads=3)])


def _with_both_choices(part: pd.DataFrame) -> dict[str, str]:
    """Over which classes numbers without a condition are, of data sets that have both choices."""
    found = {}
    for dataset, condition in zip(part["dataset"], part["condition"], strict=True):
        settings = values_in(condition)
        if "excluded" in settings:
            found[dataset] = "all classes"
        elif settings.get("classes") == "all":
            found[dataset] = "without {excluded}"
    return found


def row_cells(row: Any, ours: str, shown: Quantity, titles: Mapping[str, str]) -> dict[str, Any]:
    """A number of `l2i.reporting.beside_paper.beside_paper` in print; `ours` heads our side."""
    gap = ""
    if not pd.isna(row.gap):
        gap = f"{row.gap:+z.{digits_of(row.gap, shown.digits)}f}"
    return {
        "system": titles.get(row.system, row.system),
        ours: _our_cell(row, shown),
        "n": "" if pd.isna(row.n) else str(row.n),
        "paper": "" if pd.isna(row.paper_mean) else paper_text(row),
        "gap": gap,
        "verdict": row.verdict,
    }


def _our_cell(row: Any, shown: Quantity) -> Given:
    if row.verdict in NOT_OURS:
        return Line(row.verdict, bold=True)
    if shown.exact and not pd.isna(row.mean):
        return setting_text(row.mean, shown.digits)
    return number_cell(row, shown.digits)
