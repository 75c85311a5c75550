"""Table V: how far the classifier's probability falls without the relevant components (Eq. 7)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from harness import perform
from l2i.pages import write_table
from l2i.tables import beside_paper, condition_text, measure, paper_numbers, read_clips

TABLE = 5
METRICS = (("ff_median", "probability_drop", np.median), ("n_removed", "n_removed", np.mean))


def tabulate_faithfulness(
    path_to_clips: list[str],
    path_to_paper: str,
    path_to_table: str,
    path_to_page: str,
    *,
    datasets: list[str],
    systems: list[str],
    thresholds: list[float],
    baselines: list[str],
    paper_dataset: dict[str, str | None],
    paper_comparable: dict[str, bool],
    statistics: dict,
    seed: int,
) -> None:
    """Write median drops and mean counts of removed components, as csv and as a page."""
    reference = yaml.safe_load(Path(path_to_paper).read_text(encoding="utf-8"))
    clips = read_clips(path_to_clips)
    measured = []
    for dataset in datasets:
        part = clips[clips["dataset"] == dataset]
        for key, removals in _removals(part, systems, thresholds, baselines):
            for metric, column, statistic in METRICS:
                values = removals[["fold", "run", "draw", "clip"]].assign(value=removals[column])
                number = measure(values, statistic, statistics=statistics, seed=seed)
                place = {"table": TABLE, "dataset": dataset, "metric": metric}
                measured.append({**place, **key, **number})
    shown = [*systems, *(f"random_{name}" for name in baselines)]
    paper = paper_numbers(reference, TABLE, datasets=paper_dataset, systems=shown)
    rows = beside_paper(
        pd.DataFrame(measured), paper, datasets=datasets, comparable=paper_comparable
    )
    write_table(
        rows,
        path_to_table,
        path_to_page,
        reference=reference,
        confidence=statistics["confidence"],
    )


def _removals(
    clips: pd.DataFrame, systems: list[str], thresholds: list[float], baselines: list[str]
) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """What was removed, as the key of a row, and the clips it was removed from."""
    for system in systems:
        rows = clips[(clips["system"] == system) & (clips["removal"] == "relevant")]
        for threshold in thresholds:
            key = {"system": system, "condition": condition_text({"threshold": threshold})}
            yield key, rows[rows["threshold"] == threshold]
    for baseline in (f"random_{name}" for name in baselines):
        for system in systems:
            rows = clips[(clips["system"] == system) & (clips["removal"] == baseline)]
            for threshold, part in rows.groupby("threshold"):
                condition = condition_text({"of": system, "threshold": threshold})
                yield {"system": baseline, "condition": condition}, part


if __name__ == "__main__":
    perform(snakemake, tabulate_faithfulness)
