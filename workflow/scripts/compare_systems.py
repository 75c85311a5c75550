"""All pairs of systems of Table IV or VIII: paired differences, and whether they may be chance."""

import pandas as pd

from harness import perform
from l2i.disk import write_text
from l2i.pages.tables import write_pages
from l2i.reporting.beside_paper import read_clips_of_datasets
from l2i.reporting.comparisons import (
    COLUMNS,
    classified_clips,
    compared_pairs,
    comparisons_page,
    of_systems,
    smallest_p,
)
from l2i.reporting.scores import (
    class_names,
    classification_scores,
    compared_by,
    fidelity_scores,
)
from l2i.tables import to_csv

NOTES = (
    "Difference, interval and p are of one and the same number, which the heading names. Where "
    "tables print areas under curves it is average precision, which depends on the order of scores "
    "alone; the areas of DCASE also depend on how high scores are.",
    "The difference is the system's score minus the other's, the mean over folds or, where there "
    "is one fold, over runs, with their population standard deviation and a bootstrap interval of "
    "pairs over recordings. Systems may have been trained for unequally many folds and runs: the "
    "last columns say how many folds, runs, clips and sources both have, which is all that they "
    "are compared on. Pairs without any have none.",
    "p is that of a two-sided permutation test: for every source, a recording with all of its "
    "clips, the answers of both systems, those of all runs together, are exchanged or not with "
    "equal chance; for average precision, their ranks among the system's answers. With {n} "
    "permutations the smallest possible p is {smallest:.2g}, and stands for that or less: ≤. It "
    "says whether the trained systems differ on recordings like these; how another training would "
    "turn out, only the spread over folds or runs tells.",
    "p, Holm: corrected for all pairs of the data set that have a p, so that the chance of any "
    "false claim among them is held.",
)


def compare_systems(
    path_to_clips: list[str],
    path_to_classifier: list[str],
    path_to_posthoc: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    number: str,
    datasets: list[dict],
    systems: list[str],
    as_classifier: dict[str, str],
    page: dict,
    statistics: dict,
    seed: int,
) -> None:
    """Write one row per pair of systems and data set, as csv and as a page.

    Table 4 reads fidelity.csv of its systems as `clips`, table 8 classification.csv, and what
    stands beside it from the other two inputs, which table 4 leaves empty.
    """
    if number == "8":
        parts = classified_clips(
            *(path_to_clips, path_to_classifier, path_to_posthoc),
            names=systems,
            as_classifier=as_classifier,
        )
        scores_of = classification_scores
    else:
        clips = read_clips_of_datasets(path_to_clips)
        parts = {dataset: of_systems(rows, systems) for dataset, rows in clips.items()}
        scores_of = fidelity_scores
    rows = []
    for dataset in datasets:
        name = dataset["name"]
        if not parts.get(name):
            continue
        classes = class_names(next(iter(parts[name].values())))
        scores = scores_of(dataset["metric"], classes, dataset["excluded_classes"])
        pairs = compared_pairs(parts[name], compared_by(scores), statistics=statistics, seed=seed)
        rows += [{"table": int(number), "dataset": name} | pair for pair in pairs]
    table = pd.DataFrame(rows, columns=COLUMNS)
    write_text(path_to_table, to_csv(table))
    n = statistics["n_permutations"]
    shown = comparisons_page(
        table,
        f"comparisons_{number}",
        page,
        [note.format(n=n, smallest=smallest_p(n)) for note in NOTES],
        n_permutations=n,
        confidence=statistics["confidence"],
    )
    write_pages(path_to_pages, shown)


if __name__ == "__main__":
    perform(snakemake, compare_systems)
