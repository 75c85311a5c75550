"""Table IV: how often the classifier's class is among the first k of the interpreter."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness import perform
from l2i.pages import write_table
from l2i.statistics import paired_difference
from l2i.tables import beside_paper, condition_text, measure, paper_numbers, read_clips

TABLE = 4


def tabulate_fidelity(
    path_to_clips: list[str],
    path_to_table: str,
    path_to_page: str,
    *,
    datasets: list[str],
    systems: list[str],
    top_k: list[int],
    paper: dict,
    paper_dataset: dict[str, str | None],
    paper_comparable: dict[str, bool],
    statistics: dict,
    seed: int,
) -> None:
    """Write top-k fidelities in percent and paired differences, as csv and as a page."""
    clips = read_clips(path_to_clips)
    # A network that diverged still ranks classes somehow; probabilities tell.
    diverged = clips[["classifier_probability", "interpreter_probability"]].isna().any(axis=1)
    clips["rank"] = clips["rank"].mask(diverged)
    metrics = {f"top_{k}_fidelity": _title(k) for k in top_k}  # the paper knows 1 and 5
    paper = paper | {"metrics": paper["metrics"] | metrics}
    measured = []
    for dataset in datasets:
        for key, values in _samples(clips[clips["dataset"] == dataset], systems, top_k):
            number = measure(values, np.mean, statistics=statistics, seed=seed)
            measured.append({"table": TABLE, "dataset": dataset, **key, **number})
    printed = paper_numbers(paper, TABLE, datasets=paper_dataset, systems=systems)
    rows = beside_paper(
        pd.DataFrame(measured), printed, datasets=datasets, comparable=paper_comparable
    )
    write_table(
        rows,
        path_to_table,
        path_to_page,
        reference=paper,
        confidence=statistics["confidence"],
    )


def _samples(
    clips: pd.DataFrame, systems: list[str], top_k: list[int]
) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """Key of each row and the values of its clips."""
    parts = {system: clips[clips["system"] == system] for system in systems}
    for system, part in parts.items():
        for k in top_k:
            key = {"system": system, "metric": f"top_{k}_fidelity", "condition": ""}
            yield key, _hits(part, k)
    first, *others = systems
    for other in others:
        condition = condition_text({"minus": other})
        key = {"system": first, "metric": "top_1_difference", "condition": condition}
        yield key, paired_difference(_hits(parts[first], 1), _hits(parts[other], 1))


def _hits(part: pd.DataFrame, k: int) -> pd.DataFrame:
    """100 where the classifier's class is among the first k, else 0; NaN where a network failed."""
    hits = (100.0 * (part["rank"] <= k)).mask(part["rank"].isna())
    return part[["fold", "run", "clip"]].assign(value=hits)


def _title(k: int) -> dict[str, object]:
    return {"title": f"top-{k} fidelity", "unit": "%", "digits": 1}


if __name__ == "__main__":
    perform(snakemake, tabulate_fidelity)
