"""What training costs, read from the records beside trained models.

Costs belong to a machine: models of one system that were trained on different ones, or in different
precisions, stand in different rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from l2i.names import TITLES
from l2i.reporting.printed import Page, Section, grid

KEYS = ["dataset", "system", "device", "precision"]
COLUMNS = [*KEYS, "n", "n_parameters", "n_epochs", "seconds_per_epoch", "seconds_per_epoch_low"]
COLUMNS += ["seconds_per_epoch_high", "share_waiting", "peak_memory_bytes", "seconds"]
COLUMNS += ["seconds_of_all"]
NAME = "cost"
NOTES = (
    "A row is what was trained of one system on one kind of machine, and n counts the models: "
    "folds or runs. Compare times of the same device alone; even there jobs may have shared it.",
    "Seconds per epoch are the median over models of each model's median epoch, with the least and "
    "the largest in brackets. Waiting is the share of that time in which the next batch had not "
    "been read yet. What is computed once before the first epoch counts in the whole job alone.",
    "The whole job is the wall time from reading inputs to writing the model, the median over "
    "models, and their sum. It includes the trials of settings, where a system chooses them, and "
    "not what the system is trained on: features, dictionary, classifier. A job that was ended and "
    "went on from a checkpoint counts from its last start.",
    "Memory is the largest resident memory of the process on the host, in GiB of 2^30 bytes; that "
    "of a GPU is not recorded. Empty cells: a system has no such number.",
)


def cost_of(record: Mapping, *, classifier: str) -> dict[str, object]:
    """Cost of one trained model.

    Parameters
    ----------
    record : mapping
        Of the model: see `l2i.provenance.records`.
    classifier : str
        What the classifier is called, whose jobs have no wildcard ``system``.

    Returns
    -------
    dict
        `KEYS`, and NaN for what the record does not tell.
    """
    settings, facts, runtime = (record[name] for name in ("settings", "facts", "runtime"))
    ours = settings.get("system_settings") or settings["classifier"]
    number = {
        "n_parameters": facts.get("n_parameters"),
        "n_epochs": facts.get("n_epochs", ours.get("n_epochs")),
        "seconds_per_epoch": facts.get("seconds_per_epoch"),
        "share_waiting": facts.get("share_waiting"),
        "peak_memory_bytes": runtime["peak_memory_bytes"],
        "seconds": record["seconds"],
    }
    return {
        "dataset": record["wildcards"]["dataset"],
        "system": record["wildcards"].get("system", classifier),
        "device": device_text(record),
        "precision": runtime["precision"] or "",
        **{name: math.nan if value is None else float(value) for name, value in number.items()},
    }


def device_text(record: Mapping) -> str:
    """The machine that a job ran on, as far as its speed goes: GPU, threads and processor."""
    n, cpu = record["runtime"]["n_threads"], record["host"]["cpu"]
    host = f"{n} thread{'' if n == 1 else 's'} of {cpu}"
    gpu = record["accelerator"] if record["runtime"]["device"] == "cuda" else None
    return host if gpu is None else f"{gpu['name']}, {host}"


class Spent(NamedTuple):
    """What a table of costs comes to."""

    n_models: int
    gpu_hours: float
    core_hours: float  # of models that were trained without a GPU


_DEVICE = re.compile(r"(?P<gpu>.+, )?(?P<threads>\d+) threads? of ")  # as `device_text` says it


def spent(rows: pd.DataFrame) -> Spent:
    """Hours of GPUs, and of cores where there was none, of the whole jobs.

    Parameters
    ----------
    rows : DataFrame
        See `summarise_costs`.
    """
    devices = rows["device"].str.extract(_DEVICE)
    hours, on_gpu = rows["seconds_of_all"] / 3600, devices["gpu"].notna()
    cores = devices["threads"].astype(float).mask(on_gpu, 0)
    return Spent(int(rows["n"].sum()), float(hours[on_gpu].sum()), float((hours * cores).sum()))


def summarise_costs(
    costs: Iterable[Mapping], *, datasets: Sequence[str], systems: Sequence[str]
) -> pd.DataFrame:
    """One row per data set, system, device and precision.

    Parameters
    ----------
    costs : iterable of mapping
        See `cost_of`.
    datasets, systems : sequence of str
        In the order of printing.

    Returns
    -------
    DataFrame
        The columns `COLUMNS`: parameters, epochs and waiting are means over models, seconds per
        epoch and of a job medians, memory the largest.
    """
    table = pd.DataFrame(costs)
    if table.empty:
        return pd.DataFrame(columns=COLUMNS)
    rows = table.groupby(KEYS, as_index=False).agg(
        n=("seconds", "size"),
        n_parameters=("n_parameters", "mean"),
        n_epochs=("n_epochs", "mean"),
        seconds_per_epoch=("seconds_per_epoch", "median"),
        seconds_per_epoch_low=("seconds_per_epoch", "min"),
        seconds_per_epoch_high=("seconds_per_epoch", "max"),
        share_waiting=("share_waiting", "mean"),
        peak_memory_bytes=("peak_memory_bytes", "max"),
        seconds=("seconds", "median"),
        seconds_of_all=("seconds", "sum"),
    )
    for key, names in (("dataset", datasets), ("system", systems)):
        rows[key] = pd.Categorical(rows[key], categories=list(names), ordered=True)
    rows = rows.sort_values(KEYS, ignore_index=True)
    return rows[COLUMNS].astype({"dataset": object, "system": object})


def costs_page(rows: pd.DataFrame, page: Mapping[str, Any]) -> Page:
    """The page of costs, a section per data set; `page` as for l2i.reporting.paper_page."""
    titles, sections = {**TITLES, **page["titles"]}, []
    for dataset, part in rows.groupby("dataset", sort=False):
        cells = [_cells(row, titles) for row in part.itertuples()]
        sections.append(Section(titles.get(dataset, dataset), [grid(cells)]))
    return Page(NAME, page["title"], page["caption"], sections, NOTES)


def _cells(row: Any, titles: Mapping[str, str]) -> dict[str, str]:
    low, high = row.seconds_per_epoch_low, row.seconds_per_epoch_high
    span = f" [{_figure(low)}, {_figure(high)}]" if row.n > 1 and not math.isnan(low) else ""
    return {
        "system": titles.get(row.system, row.system),
        "device": row.device,
        "precision": row.precision,
        "n": str(row.n),
        "parameters (million)": _figure(row.n_parameters / 1e6),
        "epochs": _number(row.n_epochs, "g"),
        "seconds per epoch": f"{_figure(row.seconds_per_epoch)}{span}",
        "waiting (%)": _number(100 * row.share_waiting, ".1f"),
        "peak memory (GiB)": _number(row.peak_memory_bytes / 2**30, ".2f"),
        "whole job (s)": _figure(row.seconds),
        "all jobs (s)": _figure(row.seconds_of_all),
    }


def _figure(value: float) -> str:
    """Three significant digits and no exponent, whole from 100 on."""
    if math.isnan(value) or value == 0:
        return _number(value, "g")
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _number(value: float, form: str) -> str:
    return "" if math.isnan(value) else format(value, form)
