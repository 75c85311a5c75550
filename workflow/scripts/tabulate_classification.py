"""Table I: performance of the classifier, beside the systems that the paper quotes."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness import perform
from l2i.names import CLASSIFIER
from l2i.reporting.beside_paper import (
    MEASURED,
    beside_paper,
    measure,
    measure_metric,
    paper_numbers,
    read_clips_of_datasets,
)
from l2i.reporting.markdown import write_table
from l2i.reporting.scores import (
    class_names,
    classes_without,
    classification_scores,
    correct_in_percent,
)

TABLE = 1


def tabulate_classification(
    path_to_clips: list[str],
    path_to_table: str,
    path_to_page: str,
    *,
    datasets: list[str],
    score: dict[str, str],
    excluded_classes: dict[str, list[str]],
    paper: dict,
    paper_dataset: dict[str, str | None],
    paper_comparable: dict[str, bool],
    statistics: dict,
    seed: int,
) -> None:
    """Write what each data set is scored by, as csv and as a page."""
    clips = read_clips_of_datasets(path_to_clips)
    measured, notes = [], []
    for dataset in datasets:
        how = {"score": score[dataset], "excluded": excluded_classes[dataset]}
        for key, number in _numbers(clips[dataset], **how, statistics=statistics, seed=seed):
            ours = {"table": TABLE, "system": CLASSIFIER, "dataset": dataset}
            measured.append(ours | key | number)
        if empty := classes_without(clips[dataset], "label"):
            notes.append(f"No test clip of {dataset} holds {', '.join(empty)}.")
    printed = paper_numbers(paper, TABLE, datasets=paper_dataset, systems=[CLASSIFIER])
    measured = pd.DataFrame(measured, columns=MEASURED)
    write_table(
        beside_paper(measured, printed, datasets=datasets, comparable=paper_comparable),
        path_to_table,
        path_to_page,
        reference=paper,
        confidence=statistics["confidence"],
        notes=notes,
    )


def _numbers(
    clips: pd.DataFrame, *, score: str, excluded: list[str], statistics: dict, seed: int
) -> Iterator[tuple[dict, dict]]:
    """Metric and condition of each number of one data set, and the number."""
    how = {"statistics": statistics, "seed": seed}
    if score == "accuracy":
        values = clips.assign(value=correct_in_percent(clips))
        yield {"metric": "accuracy", "condition": ""}, measure(values, np.mean, **how)
        return
    for each in classification_scores(score, class_names(clips), excluded):
        key = {"metric": each.metric, "condition": each.condition}
        yield key, measure_metric(clips, each.value, **how)


if __name__ == "__main__":
    perform(snakemake, tabulate_classification)
