"""Table V: how far the classifier's probability falls without the relevant components (Eq. 7)."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness import perform
from l2i.names import RANDOM
from l2i.reporting.beside_paper import condition_text, measure, read_clips_of_datasets
from l2i.reporting.statistics import Statistic, paired_difference
from l2i.reporting.tables import write_paper_table

TABLE = 5
METRICS = (
    ("ff_median", "probability_drop", np.median),
    ("ff_mean", "probability_drop", np.mean),
    ("n_removed", "n_removed", np.mean),
)
RELEVANT_METRICS = (*METRICS, ("empty_selection", "removes_nothing", np.mean))


def tabulate_faithfulness(
    path_to_clips: list[str],
    path_to_table: str,
    path_to_page: str,
    *,
    datasets: list[dict],
    systems: list[str],
    thresholds: list[float],
    baselines: list[str],
    paper: dict,
    titles: dict[str, str],
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
        removes_nothing = 100.0 * (clips[name]["n_removed"] == 0)
        part = clips[name].assign(removes_nothing=removes_nothing)
        for key, values, statistic in _samples(part, systems, thresholds, baselines):
            number = measure(values, statistic, statistics=statistics, seed=seed)
            measured.append({"dataset": name, **key, **number})
    write_paper_table(
        measured,
        path_to_table,
        path_to_page,
        table=TABLE,
        datasets=datasets,
        systems=[*systems, *baselines],
        paper=paper,
        titles=titles,
        confidence=statistics["confidence"],
    )


# Key of a row, the values of its clips, and what is taken of them within a fold.
Sample = tuple[dict[str, str], pd.DataFrame, Statistic]


def _samples(
    clips: pd.DataFrame, systems: list[str], thresholds: list[float], baselines: list[str]
) -> Iterator[Sample]:
    parts = {system: clips[clips["system"] == system] for system in systems}
    for part in parts.values():
        yield from _relevant(part[part["removal"] == "relevant"], thresholds)
    for baseline in baselines:
        for part in parts.values():
            yield from _random(part, baseline)


def _relevant(clips: pd.DataFrame, thresholds: list[float]) -> Iterator[Sample]:
    """Removals of what one system finds relevant."""
    key = {"system": clips["system"].iloc[0]}
    for threshold in thresholds:
        key["condition"] = condition_text({"threshold": threshold})
        rows = clips[clips["threshold"] == threshold]
        for metric, column, statistic in RELEVANT_METRICS:
            yield key | {"metric": metric}, _values(rows, column), statistic


def _random(clips: pd.DataFrame, baseline: str) -> Iterator[Sample]:
    """Random removals that counter one system, and how far it is beyond them on the same clips."""
    random = clips[clips["removal"] == baseline]
    system, threshold = random[["system", "threshold"]].iloc[0]
    condition = condition_text({"of": system, "threshold": threshold})
    for metric, column, statistic in METRICS:
        key = {"system": baseline, "metric": metric, "condition": condition}
        yield key, _values(random, column), statistic
    relevant = clips[(clips["removal"] == "relevant") & (clips["threshold"] == threshold)]
    drops = (_values(side, "probability_drop") for side in (relevant, random))
    condition = condition_text({"minus": baseline, "threshold": threshold})
    key = {"system": system, "metric": "ff_difference", "condition": condition}
    yield key, paired_difference(*drops), np.median


def _values(removals: pd.DataFrame, column: str) -> pd.DataFrame:
    return removals[["fold", "run", "draw", "clip"]].assign(value=removals[column])


if __name__ == "__main__":
    perform(snakemake, tabulate_faithfulness)
