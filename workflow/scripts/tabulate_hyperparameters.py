"""Table II: the settings that the interpreters were trained with, beside the paper's."""

from pathlib import Path

import pandas as pd
import yaml

from harness import perform
from l2i.pages import write_table
from l2i.tables import beside_paper, paper_numbers

TABLE, SYSTEM = 2, "l2i"


def tabulate_hyperparameters(
    path_to_paper: str,
    path_to_table: str,
    path_to_page: str,
    *,
    datasets: list[str],
    paper_dataset: dict[str, str | None],
    paper_comparable: dict[str, bool],
    reconstruction_weight: dict[str, float],
    sparsity_weight: dict[str, float],
    n_components: dict[str, int],
    n_epochs: dict[str, int],
) -> None:
    """Write loss weights, number of components and epochs, as csv and as a page."""
    reference = yaml.safe_load(Path(path_to_paper).read_text(encoding="utf-8"))
    settings = {
        "reconstruction_weight": reconstruction_weight,
        "sparsity_weight": sparsity_weight,
        "n_components": n_components,
        "n_epochs": n_epochs,
    }
    measured = pd.DataFrame(
        {
            "table": TABLE,
            "system": SYSTEM,
            "dataset": dataset,
            "metric": metric,
            "condition": "",
            "mean": float(values[dataset]),
        }
        for dataset in datasets
        for metric, values in settings.items()
    )
    paper = paper_numbers(reference, TABLE, datasets=paper_dataset, systems=[SYSTEM])
    rows = beside_paper(
        measured.assign(**dict.fromkeys(("spread", "n", "low", "high"), float("nan"))),
        paper,
        datasets=datasets,
        comparable=paper_comparable,
    )
    # A setting has no spread: it is the paper's or it is not.
    exact = rows["verdict"] == "no spread"
    rows.loc[exact, "verdict"] = (rows["gap"] == 0).map({True: "agrees", False: "differs"})
    write_table(rows, path_to_table, path_to_page, reference=reference)


if __name__ == "__main__":
    perform(snakemake, tabulate_hyperparameters)
