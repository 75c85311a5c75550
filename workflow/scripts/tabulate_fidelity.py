"""Table IV: how well the interpreters follow the classifier."""

from harness import perform
from l2i.disk import write_text
from l2i.names import class_title
from l2i.pages.tables import write_pages
from l2i.reporting.beside_paper import read_clips_of_datasets
from l2i.reporting.comparisons import of_systems, rows_of_systems
from l2i.reporting.paper_page import paper_page
from l2i.reporting.scores import (
    class_names,
    classes_without,
    compared_by,
    fidelity_scores,
    top_k_fidelity,
)
from l2i.reporting.tables import rows_beside_paper
from l2i.tables import to_csv

TABLE = 4


def tabulate_fidelity(
    path_to_clips: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    datasets: list[dict],
    systems: list[str],
    top_k: list[int],
    paper: dict,
    page: dict,
    statistics: dict,
    seed: int,
) -> None:
    """Write fidelities and their paired differences, as csv and as a page."""
    how = {"statistics": statistics, "seed": seed}
    clips = read_clips_of_datasets(path_to_clips)
    measured, notes = [], []
    for dataset in (each for each in datasets if each["name"] in clips):
        name, part = dataset["name"], clips[dataset["name"]]
        scores = fidelity_scores(dataset["metric"], class_names(part), dataset["excluded_classes"])
        compared = compared_by(scores)
        if dataset["metric"] == "accuracy":
            scores = [top_k_fidelity(k) for k in top_k]
        numbers = rows_of_systems(of_systems(part, systems), scores, compared, **how)
        measured += [{"dataset": name} | number for number in numbers]
        if undecided := classes_without(part, "decided"):
            of = page["titles"].get(name, name)
            named = ", ".join(map(class_title, undecided))
            notes.append(f"The classifier decides on no test clip of {of} for {named}.")
    asked = {f"top_{k}_fidelity" for k in top_k}
    table = rows_beside_paper(
        measured,
        table=TABLE,
        datasets=datasets,
        systems=systems,
        paper=paper,
        is_run=lambda system, metric, condition: metric in asked or not metric.startswith("top_"),
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
    perform(snakemake, tabulate_fidelity)
