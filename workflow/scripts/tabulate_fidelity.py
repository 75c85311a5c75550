"""Table IV: how well the interpreters follow the classifier."""

import pandas as pd

from harness import perform
from l2i.reporting.beside_paper import MEASURED, beside_paper, paper_numbers, read_clips_of_datasets
from l2i.reporting.comparisons import of_systems, rows_of_systems
from l2i.reporting.markdown import write_table
from l2i.reporting.scores import class_names, classes_without, fidelity_scores, top_k_fidelity

TABLE = 4


def tabulate_fidelity(
    path_to_clips: list[str],
    path_to_table: str,
    path_to_page: str,
    *,
    datasets: list[str],
    systems: list[str],
    score: dict[str, str],
    excluded_classes: dict[str, list[str]],
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
    for dataset in (dataset for dataset in datasets if dataset in clips):
        classes = class_names(clips[dataset])
        scores = fidelity_scores(score[dataset], classes, excluded_classes[dataset])
        primary = scores[0]
        if score[dataset] == "accuracy":
            scores = [top_k_fidelity(k) for k in top_k]
        numbers = rows_of_systems(of_systems(clips[dataset], systems), scores, primary, **how)
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


def _title(k: int) -> dict[str, object]:
    return {"title": f"top-{k} fidelity", "unit": "%", "digits": 1}


if __name__ == "__main__":
    perform(snakemake, tabulate_fidelity)
