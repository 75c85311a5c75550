"""Table VIII: how well systems classify that are interpretable by design."""

from harness import perform
from l2i.names import CLASSIFIER
from l2i.reporting.comparisons import classified_clips, rows_of_systems
from l2i.reporting.scores import class_names, classification_scores, compared_by
from l2i.reporting.tables import write_paper_table

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
    path_to_pages: list[str],
    *,
    datasets: list[dict],
    systems: list[str],
    as_classifier: dict[str, str],
    paper: dict,
    titles: dict[str, str],
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
    for dataset in datasets:
        name = dataset["name"]
        if not parts.get(name):
            continue
        classes = class_names(next(iter(parts[name].values())))
        scores = classification_scores(dataset["metric"], classes, dataset["excluded_classes"])
        numbers = rows_of_systems(parts[name], scores, compared_by(scores), **how)
        measured += [{"dataset": name} | number for number in numbers]
    write_paper_table(
        measured,
        path_to_table,
        path_to_pages,
        table=TABLE,
        datasets=datasets,
        systems=[*systems, *as_classifier.values(), CLASSIFIER],
        paper=paper,
        titles=titles,
        confidence=statistics["confidence"],
        notes=[NOTE],
    )


if __name__ == "__main__":
    perform(snakemake, tabulate_by_design)
