"""Table VIII: how well systems classify that are interpretable by design."""

from harness import perform
from l2i.disk import write_text
from l2i.names import CLASSIFIER
from l2i.pages.tables import write_pages
from l2i.reporting.comparisons import classified_clips, rows_of_systems
from l2i.reporting.paper_page import paper_page
from l2i.reporting.scores import class_names, classification_scores, compared_by
from l2i.reporting.tables import rows_beside_paper
from l2i.tables import to_csv

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
    page: dict,
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
    known = [*systems, *as_classifier.values(), CLASSIFIER]
    table = rows_beside_paper(measured, table=TABLE, datasets=datasets, systems=known, paper=paper)
    write_text(path_to_table, to_csv(table))
    shown = paper_page(
        table,
        f"table_{TABLE}",
        page,
        paper=paper,
        datasets=datasets,
        statistics=statistics,
        notes=[NOTE],
    )
    write_pages(path_to_pages, shown)


if __name__ == "__main__":
    perform(snakemake, tabulate_by_design)
