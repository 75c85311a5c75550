"""Table V: how far the classifier's probability falls without the relevant components (Eq. 7)."""

from collections.abc import Callable, Iterator

import pandas as pd

from harness import perform
from l2i.disk import write_text
from l2i.names import RANDOM
from l2i.pages.tables import write_pages
from l2i.reporting.beside_paper import condition_text, read_clips_of_datasets
from l2i.reporting.paper_page import paper_page
from l2i.reporting.removals import (
    ENERGY,
    MEAN,
    MEDIAN,
    NOTHING,
    RELEVANT,
    SHARE,
    net_drops,
    unmatched,
    values,
    without,
)
from l2i.reporting.statistics import paired_difference
from l2i.reporting.tables import rows_beside_paper
from l2i.tables import to_csv

TABLE = 5
DROPS = (("ff_median", "probability_drop", MEDIAN), ("ff_mean", "probability_drop", MEAN))
METRICS = (
    *DROPS,
    ("n_removed", "n_removed", MEAN),
    ("energy_removed", "energy_in_percent", SHARE),
)
RELEVANT_METRICS = (*METRICS, ("empty_selection", "removes_nothing", SHARE))


def tabulate_faithfulness(
    path_to_clips: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    datasets: list[dict],
    systems: list[str],
    thresholds: list[float],
    baselines: list[str],
    paper: dict,
    page: dict,
    statistics: dict,
    seed: int,
) -> None:
    """Write drops, sizes of selections and gaps to random removals, as csv and as a page.

    `datasets` are those with one class a clip; the others have a page of their own, class by class.
    """
    clips = read_clips_of_datasets(path_to_clips)
    baselines = [RANDOM + name for name in baselines]
    measured = []
    for name in (dataset["name"] for dataset in datasets):
        part = clips[name].assign(
            removes_nothing=100.0 * (clips[name]["n_removed"] == 0),
            energy_in_percent=100.0 * clips[name]["energy_removed"],
        )
        for key, of_clips, measure in _samples(part, systems, thresholds, baselines):
            number = measure(of_clips, statistics=statistics, seed=seed)
            measured.append({"dataset": name, **key, **number})
    asked = {condition_text({"threshold": threshold}) for threshold in thresholds}
    table = rows_beside_paper(
        measured,
        table=TABLE,
        datasets=datasets,
        systems=[*systems, *baselines],
        paper=paper,
        is_run=lambda system, metric, condition: system in baselines or condition in asked,
    )
    write_text(path_to_table, to_csv(table))
    shown = paper_page(
        table, f"table_{TABLE}", page, paper=paper, datasets=datasets, statistics=statistics
    )
    write_pages(path_to_pages, shown)


# Key of a row, the values of its clips, and what is taken of them.
Sample = tuple[dict[str, str], pd.DataFrame, Callable[..., dict[str, float]]]


def _samples(
    clips: pd.DataFrame, systems: list[str], thresholds: list[float], baselines: list[str]
) -> Iterator[Sample]:
    parts = {system: clips[clips["system"] == system] for system in systems}
    for system, part in parts.items():
        yield from _relevant(part, system, thresholds)
    for system, part in parts.items():
        key = {"system": NOTHING, "condition": condition_text({"of": system})}
        yield from _each(part[part["removal"] == NOTHING], key, DROPS)
    for baseline in baselines:
        for system, part in parts.items():
            yield from _random(part, system, baseline)


def _each(removals: pd.DataFrame, key: dict[str, str], metrics: tuple) -> Iterator[Sample]:
    for metric, column, measure in metrics:
        yield key | {"metric": metric}, values(removals, column), measure


def _relevant(clips: pd.DataFrame, system: str, thresholds: list[float]) -> Iterator[Sample]:
    """Removals of what one system finds relevant."""
    relevant, nothing = (clips[clips["removal"] == name] for name in (RELEVANT, NOTHING))
    for threshold in thresholds:
        key = {"system": system, "condition": condition_text({"threshold": threshold})}
        rows = relevant[relevant["threshold"] == threshold]
        yield from _each(rows, key, RELEVANT_METRICS)
        yield key | {"metric": "ff_net_median"}, net_drops(rows, nothing), MEDIAN


def _random(clips: pd.DataFrame, system: str, baseline: str) -> Iterator[Sample]:
    """Random removals that counter one system, and how far it is beyond them on the same clips."""
    random = clips[clips["removal"] == baseline]
    threshold = random["threshold"].iloc[0]
    relevant = clips[(clips["removal"] == RELEVANT) & (clips["threshold"] == threshold)]
    key = {"system": baseline}
    key["condition"] = condition_text({"of": system, "threshold": threshold})
    if baseline == ENERGY:
        left_out = unmatched(random)
        yield key | {"metric": "unmatched"}, left_out, SHARE
        random, relevant = without(random, left_out), without(relevant, left_out)
        if random.empty:
            return
    yield from _each(random, key, METRICS)
    drops = (values(side, "probability_drop") for side in (relevant, random))
    condition = condition_text({"minus": baseline, "threshold": threshold})
    key = {"system": system, "metric": "ff_difference", "condition": condition}
    yield key, paired_difference(*drops), MEDIAN


if __name__ == "__main__":
    perform(snakemake, tabulate_faithfulness)
