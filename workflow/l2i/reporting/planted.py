"""Clips in company in tables: how near what is found comes to what was planted.

Frames are rows of corruption.csv, of one data set; see `l2i.evaluation.planted.scored`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from l2i.metrics import SI_SDR_RANGE
from l2i.names import CLASSIFIER, TITLES
from l2i.reporting.beside_paper import condition_text
from l2i.reporting.numbers import number_cell
from l2i.reporting.printed import Page, Section, grid
from l2i.reporting.quantities import quantity
from l2i.reporting.removals import MEAN, MEDIAN, SHARE
from l2i.reporting.statistics import values_of

MIXTURE = "mixture"  # among systems: the mixture, as if it were an interpretation or a remainder
INTERPRETER = "interpreter"  # predictor of systems that decide by themselves
KINDS = {"noise": "white noise", "class": "a clip of another class"}
Row = dict[str, Any]
OfRows = tuple[str, str, Callable[..., Row]]  # metric, column of the rows, and what is taken of it
OF_FOUND: tuple[OfRows, ...] = (
    ("interpretation_si_sdr", "interpretation_si_sdr", MEAN),
    ("interpretation_improvement", "interpretation_improvement", MEAN),
    ("interpretation_improvement_median", "interpretation_improvement", MEDIAN),
    ("remainder_si_sdr", "remainder_si_sdr", MEAN),
    ("remainder_improvement", "remainder_improvement", MEAN),
    ("remainder_improvement_median", "remainder_improvement", MEDIAN),
    ("empty_interpretation", "empty", SHARE),
)
OF_MIXTURE: tuple[OfRows, ...] = (
    ("interpretation_si_sdr", "mixture_si_sdr", MEAN),
    ("remainder_si_sdr", "mixture_other_si_sdr", MEAN),
)
NOTES = (
    "Test clips of the first fold are mixed with white noise, or with a test clip of another "
    "class. Their own class is what is interpreted, whatever is decided. Columns: energy of the "
    "clip over that of the other sound, over the whole clip.",
    "SI-SDR: of the interpretation against the clip as it is in the mixture, and of what is left "
    "against the other sound; improvement: over that of the mixture itself. It is kept between "
    f"{SI_SDR_RANGE[0]:g} and {SI_SDR_RANGE[1]:g} dB, and a silent interpretation counts as "
    f"{SI_SDR_RANGE[0]:g} dB.",
    "The oracle mask knows both sounds: the real mask between 0 and 1 that comes nearest to the "
    "clip in each bin. NMF without a network has the same dictionary and masks as L2I; a component "
    "is relevant to a class by its activation in the mixture, times the share that training clips "
    "of the class have in its activations.",
    "Deciding for the class of the clip is of the network that decides, whatever explains it.",
)


def corruption_rows(
    clips: pd.DataFrame,
    references: pd.DataFrame,
    systems: Sequence[str],
    beside: Sequence[str],
    how: Mapping[str, Any],
) -> Iterator[Row]:
    """Every number of one data set: ``system``, ``metric``, ``condition``, and the number.

    Parameters
    ----------
    clips, references : DataFrame
        Of systems, and of what stands beside them on the same clips.
    systems, beside : sequence of str
        Those of either, in the order of printing; `MIXTURE`, of which no row is, among the latter.
    how : mapping
        ``statistics`` and ``seed``, see `l2i.reporting.beside_paper.measure`.
    """
    found = {name: clips[clips["system"] == name] for name in systems}
    found |= {name: references[references["system"] == name] for name in beside}
    # What is said of mixtures stands in the rows of each reference.
    once = references[references["system"] == references["system"].iloc[0]]
    for name in [*systems, *beside]:
        if name == MIXTURE:
            yield from _of_each_condition(once, MIXTURE, OF_MIXTURE, how)
        else:
            yield from _of_each_condition(found[name], name, OF_FOUND, how)
    deciding = [name for name in systems if (found[name]["predictor"] == INTERPRETER).all()]
    for name, part in {CLASSIFIER: once, **{name: found[name] for name in deciding}}.items():
        yield from _of_each_condition(part, name, [("class_survives", "survives", SHARE)], how)
        right = part[part["right_when_clean"] == 1]
        metrics = [("class_survives_of_right", "survives", SHARE)]
        yield from _of_each_condition(right, name, metrics, how)


def _of_each_condition(
    part: pd.DataFrame, system: str, metrics: Iterable[OfRows], how: Mapping[str, Any]
) -> Iterator[Row]:
    part = part.assign(kind=pd.Categorical(part["kind"], [*KINDS]))
    for (kind, snr_db), rows in part.groupby(["kind", "snr_db"], observed=True):
        condition = condition_text({"kind": kind, "snr_db": f"{snr_db:g}"})
        key = {"system": system, "condition": condition}
        for metric, column, measure in metrics:
            value = rows[column] * (100.0 if measure is SHARE else 1.0)
            yield key | {"metric": metric} | measure(values_of(rows, value), **how)


def corruption_page(
    table: pd.DataFrame, name: str, page: Mapping[str, Any], *, confidence: float
) -> Page:
    """The page of the numbers: a section per metric and kind of company, a column per SNR.

    Parameters
    ----------
    table : DataFrame
        ``dataset``, ``system``, ``metric``, ``condition``, and the number as in
        `l2i.reporting.beside_paper.summarise`.
    name, page, confidence
        As in `l2i.reporting.paper_page.paper_page`.
    """
    titles, sections = {**TITLES, **page["titles"]}, []
    table = table.assign(**kinds_and_ratios(table))
    for (dataset, metric), of_metric in table.groupby(["dataset", "metric"], sort=False):
        shown = quantity(metric)
        grids = [
            grid(_lines(rows, shown.digits, titles), caption=f"With {KINDS[kind]}:")
            for kind, rows in of_metric.groupby("kind", sort=False)
        ]
        heading = f"{titles.get(str(dataset), str(dataset))}: {shown.heading}"
        sections.append(Section(heading, grids))
    how = "Numbers are means, or medians where the heading says so"
    notes = (f"{how} [{100 * confidence:g} % interval over recordings].", *NOTES)
    return Page(name, page["title"], page["caption"], sections, notes)


def kinds_and_ratios(table: pd.DataFrame) -> dict[str, pd.Series]:
    """The columns ``kind`` and ``snr_db`` (dB) that the conditions of a table's rows hold."""
    found = table["condition"].str.extract(r"^kind=(?P<kind>\w+), snr_db=(?P<snr_db>\S+)$")
    return {"kind": found["kind"], "snr_db": found["snr_db"].astype(float)}


def _lines(rows: pd.DataFrame, digits: int, titles: Mapping[str, str]) -> list[dict[str, str]]:
    """One line per system, a column per ratio."""
    lines: dict[str, dict[str, str]] = {}
    columns = {f"{snr_db:g} dB": "" for snr_db in sorted(rows["snr_db"].unique())}
    for row in rows.itertuples():
        name = titles.get(row.system, row.system)
        line = lines.setdefault(row.system, {"system": name, **columns})
        line[f"{row.snr_db:g} dB"] = number_cell(row, digits) or "undefined"
    return [*lines.values()]
