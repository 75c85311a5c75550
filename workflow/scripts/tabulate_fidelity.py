"""Table IV: how well the interpreters follow the classifier."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness import perform
from l2i.pages import write_table
from l2i.scores import class_names, classes_without, fidelity_scores, hits_in_percent
from l2i.statistics import paired_difference
from l2i.tables import (
    MEASURED,
    beside_paper,
    condition_text,
    measure,
    measure_metric,
    paper_numbers,
    read_clips_of_datasets,
)

TABLE = 4


def tabulate_fidelity(
    path_to_clips: list[str],
    path_to_table: str,
    path_to_page: str,
    *,
    datasets: list[str],
    systems: list[str],
    score: dict[str, str],
    left_out_classes: dict[str, list[str]],
    top_k: list[int],
    paper: dict,
    paper_dataset: dict[str, str | None],
    paper_comparable: dict[str, bool],
    statistics: dict,
    seed: int,
) -> None:
    """Write fidelities and their paired differences, as csv and as a page."""
    metrics = {f"top_{k}_fidelity": _title(k) for k in top_k}  # the paper knows 1 and 5
    paper = paper | {"metrics": paper["metrics"] | metrics}
    how = {"statistics": statistics, "seed": seed}
    clips = read_clips_of_datasets(path_to_clips)
    measured, notes = [], []
    for dataset in datasets:
        parts = {system: _of_system(clips[dataset], system) for system in systems}
        numbers = (
            _top_k_numbers(parts, top_k, how)
            if score[dataset] == "accuracy"
            else _tagging_numbers(parts, score[dataset], left_out_classes[dataset], how)
        )
        measured += [{"table": TABLE, "dataset": dataset} | number for number in numbers]
        if undecided := classes_without(clips[dataset], "decided"):
            notes.append(
                f"The classifier decides on no test clip of {dataset} for {', '.join(undecided)}."
            )
    printed = paper_numbers(paper, TABLE, datasets=paper_dataset, systems=systems)
    measured = pd.DataFrame(measured, columns=MEASURED)
    write_table(
        beside_paper(measured, printed, datasets=datasets, comparable=paper_comparable),
        path_to_table,
        path_to_page,
        reference=paper,
        confidence=statistics["confidence"],
        notes=notes,
    )


def _of_system(clips: pd.DataFrame, system: str) -> pd.DataFrame:
    return clips[clips["system"] == system]


def _top_k_numbers(
    parts: dict[str, pd.DataFrame], top_k: list[int], how: dict
) -> Iterator[dict[str, object]]:
    """Top-k fidelities, and how far the first system is from each other one in top-1."""
    for system, part in parts.items():
        for k in top_k:
            key = {"system": system, "metric": f"top_{k}_fidelity", "condition": ""}
            yield key | measure(_hits(part, k), np.mean, **how)
    first, *others = parts
    for other in others:
        condition = condition_text({"minus": other})
        key = {"system": first, "metric": "top_1_difference", "condition": condition}
        pairs = paired_difference(_hits(parts[first], 1), _hits(parts[other], 1))
        yield key | measure(pairs, np.mean, **how)


def _tagging_numbers(
    parts: dict[str, pd.DataFrame], score: str, left_out: list[str], how: dict
) -> Iterator[dict[str, object]]:
    """As `_top_k_numbers`, of several labels a clip: systems are compared by the first metric."""
    first, *others = parts
    primary, *more = fidelity_scores(score, class_names(parts[first]), left_out)
    for system, part in parts.items():
        for each in (primary, *more):
            key = {"system": system, "metric": each.metric, "condition": each.condition}
            yield key | measure_metric(part, each.value, **how)
    for other in others:
        condition = condition_text({"minus": other})
        key = {"system": first, "metric": f"{primary.metric}_difference", "condition": condition}
        yield key | measure_metric(parts[first], primary.value, minus=parts[other], **how)


def _hits(part: pd.DataFrame, k: int) -> pd.DataFrame:
    return part[["fold", "run", "clip"]].assign(value=hits_in_percent(part, k))


def _title(k: int) -> dict[str, object]:
    return {"title": f"top-{k} fidelity", "unit": "%", "digits": 1}


if __name__ == "__main__":
    perform(snakemake, tabulate_fidelity)
