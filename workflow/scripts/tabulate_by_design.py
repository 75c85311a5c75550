"""Table VIII: how well systems classify that are interpretable by design."""

import pandas as pd

from harness import perform
from l2i.reporting.beside_paper import MEASURED, beside_paper, paper_numbers
from l2i.reporting.comparisons import CLASSIFIER, classified_clips, rows_of_systems
from l2i.reporting.markdown import write_table
from l2i.reporting.scores import class_names, classification_scores

TABLE = 8
NOTE = (
    "L2I-PostHoc is trained for no purpose of its own: it is what the post-hoc interpreter says, "
    "scored against the labels instead of the classifier. The classifier has one training per fold "
    "and, where there is one fold, n = 1."
)


def tabulate_by_design(
    path_to_clips: list[str],
    path_to_classifier: list[str],
    path_to_posthoc: list[str],
    path_to_table: str,
    path_to_page: str,
    *,
    datasets: list[str],
    systems: list[str],
    as_classifier: dict[str, str],
    score: dict[str, str],
    excluded_classes: dict[str, list[str]],
    paper: dict,
    paper_dataset: dict[str, str | None],
    paper_comparable: dict[str, bool],
    statistics: dict,
    seed: int,
) -> None:
    """Write classification scores and paired differences of systems, as csv and as a page.

    `systems` have files of their own; `as_classifier` names interpreters and what they are called
    where they are scored as classifiers.
    """
    how = {"statistics": statistics, "seed": seed}
    parts = classified_clips(
        *(path_to_clips, path_to_classifier, path_to_posthoc),
        names=systems,
        as_classifier=as_classifier,
    )
    measured = []
    for dataset in (dataset for dataset in datasets if parts.get(dataset)):
        classes = class_names(next(iter(parts[dataset].values())))
        scores = classification_scores(score[dataset], classes, excluded_classes[dataset])
        numbers = rows_of_systems(parts[dataset], scores, scores[0], **how)
        measured += [{"table": TABLE, "dataset": dataset} | number for number in numbers]
    everyone = [*systems, *as_classifier.values(), CLASSIFIER]
    printed = paper_numbers(paper, TABLE, datasets=paper_dataset, systems=everyone)
    measured = pd.DataFrame(measured, columns=MEASURED)
    write_table(
        beside_paper(measured, printed, datasets=datasets, comparable=paper_comparable),
        path_to_table,
        path_to_page,
        reference=paper,
        confidence=statistics["confidence"],
        notes=[NOTE],
    )


if __name__ == "__main__":
    perform(snakemake, tabulate_by_design)
