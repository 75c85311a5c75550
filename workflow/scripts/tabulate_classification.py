"""Table I: performance of the classifier, beside the systems that the paper quotes."""

import numpy as np
import pandas as pd

from harness import perform
from l2i.pages import write_table
from l2i.tables import beside_paper, measure, paper_numbers, read_clips

TABLE, SYSTEM = 1, "base_f"


def tabulate_classification(
    path_to_clips: list[str],
    path_to_table: str,
    path_to_page: str,
    *,
    datasets: list[str],
    paper: dict,
    paper_dataset: dict[str, str | None],
    paper_comparable: dict[str, bool],
    statistics: dict,
    seed: int,
) -> None:
    """Write accuracies in percent, as csv and as a page."""
    clips = read_clips(path_to_clips)
    # A classifier that diverged still predicts some class; its probability tells.
    clips["value"] = (100.0 * clips["correct"]).mask(clips["probability"].isna())
    measured = pd.DataFrame(
        {
            "table": TABLE,
            "system": SYSTEM,
            "dataset": dataset,
            "metric": "accuracy",
            "condition": "",
            **measure(
                clips[clips["dataset"] == dataset], np.mean, statistics=statistics, seed=seed
            ),
        }
        for dataset in datasets
    )
    printed = paper_numbers(paper, TABLE, datasets=paper_dataset, systems=[SYSTEM])
    rows = beside_paper(measured, printed, datasets=datasets, comparable=paper_comparable)
    write_table(
        rows,
        path_to_table,
        path_to_page,
        reference=paper,
        confidence=statistics["confidence"],
    )


if __name__ == "__main__":
    perform(snakemake, tabulate_classification)
