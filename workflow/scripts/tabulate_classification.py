"""Table I: performance of the classifier, beside the systems that the paper quotes."""

from harness import perform
from l2i.names import CLASSIFIER
from l2i.reporting.beside_paper import read_clips_of_datasets
from l2i.reporting.scores import (
    class_names,
    classes_without,
    classification_scores,
)
from l2i.reporting.tables import write_paper_table

TABLE = 1


def tabulate_classification(
    path_to_clips: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    datasets: list[dict],
    paper: dict,
    titles: dict[str, str],
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
            notes.append(f"No test clip of {name} holds {', '.join(empty)}.")
    write_paper_table(
        measured,
        path_to_table,
        path_to_pages,
        table=TABLE,
        datasets=datasets,
        systems=[CLASSIFIER],
        paper=paper,
        titles=titles,
        confidence=statistics["confidence"],
        notes=notes,
    )


if __name__ == "__main__":
    perform(snakemake, tabulate_classification)
