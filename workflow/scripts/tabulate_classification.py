"""Table I: performance of the classifier, beside the systems that the paper quotes."""

from harness import perform
from l2i.disk import write_text
from l2i.names import CLASSIFIER, class_title
from l2i.pages.tables import write_pages
from l2i.reporting.beside_paper import read_clips_of_datasets
from l2i.reporting.paper_page import paper_page
from l2i.reporting.scores import (
    class_names,
    classes_without,
    classification_scores,
)
from l2i.reporting.tables import rows_beside_paper
from l2i.tables import to_csv

TABLE = 1


def tabulate_classification(
    path_to_clips: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    datasets: list[dict],
    paper: dict,
    page: dict,
    statistics: dict,
    seed: int,
) -> None:
    """Write what each data set is scored by, as csv and as a page."""
    clips = read_clips_of_datasets(path_to_clips)
    how = {"statistics": statistics, "seed": seed}
    measured, notes = [], []
    for dataset in datasets:
        name, part = dataset["name"], clips[dataset["name"]]
        scores = classification_scores(
            dataset["metric"], class_names(part), dataset["excluded_classes"]
        )
        for score in scores:
            key = {"metric": score.metric, "condition": score.condition}
            ours = {"system": CLASSIFIER, "dataset": name}
            measured.append(ours | key | score.number(part, **how))
        if empty := classes_without(part, "label"):
            of = page["titles"].get(name, name)
            notes.append(f"No test clip of {of} holds {', '.join(map(class_title, empty))}.")
    table = rows_beside_paper(
        measured, table=TABLE, datasets=datasets, systems=[CLASSIFIER], paper=paper
    )
    write_text(path_to_table, to_csv(table))
    shown = paper_page(
        table,
        f"table_{TABLE}",
        page,
        paper=paper,
        datasets=datasets,
        statistics=statistics,
        notes=notes,
    )
    write_pages(path_to_pages, shown)


if __name__ == "__main__":
    perform(snakemake, tabulate_classification)
