"""Tables VI and VII: what hidden layers and weights of the losses do to one interpreter."""

from typing import Any

import pandas as pd

from harness import perform
from l2i.checks import InputError
from l2i.disk import write_text
from l2i.pages.tables import write_pages
from l2i.reporting.beside_paper import (
    condition_text,
    measure,
    read_clips_of_datasets,
)
from l2i.reporting.paper_page import paper_page
from l2i.reporting.scores import class_names, fidelity_scores
from l2i.reporting.statistics import mean
from l2i.reporting.tables import rows_beside_paper
from l2i.tables import to_csv

LOSSES = ("reconstruction_loss", "fidelity_loss")


def tabulate_ablation(
    path_to_clips: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    number: str,
    rows: list[dict],
    datasets: list[dict],
    paper: dict,
    page: dict,
    statistics: dict,
    seed: int,
) -> None:
    """Write losses and fidelity of each variant in `rows`, as csv and as a page."""
    clips = read_clips_of_datasets(path_to_clips)
    said_of = {dataset["name"]: dataset for dataset in datasets}
    how: dict[str, Any] = {"statistics": statistics, "seed": seed}
    measured = []
    for row in rows:
        dataset, part = said_of[row["dataset"]], _of_variant(clips, row)
        key = {"system": row["system"], "dataset": row["dataset"]}
        key["condition"] = condition_text(row["condition"])
        for metric in LOSSES:
            values = part.assign(value=part[metric])
            measured.append(key | {"metric": metric} | measure(values, mean, **how))
        score, *_ = fidelity_scores(
            dataset["metric"], class_names(part), dataset["excluded_classes"]
        )
        measured.append(key | {"metric": score.metric} | score.number(part, **how))
    asked = {(row["system"], condition_text(row["condition"])) for row in rows}
    table = rows_beside_paper(
        measured,
        table=int(number),
        datasets=datasets,
        systems=[row["system"] for row in rows],
        paper=paper,
        is_run=lambda system, metric, condition: (system, condition) in asked,
    )
    write_text(path_to_table, to_csv(table))
    shown = paper_page(
        table, f"table_{number}", page, paper=paper, datasets=datasets, statistics=statistics
    )
    write_pages(path_to_pages, shown)


def _of_variant(clips: dict[str, pd.DataFrame], row: dict) -> pd.DataFrame:
    part = clips.get(row["dataset"], pd.DataFrame(columns=["fold", "system", "variant"]))
    wanted = {name: str(row[name]) for name in ("fold", "system", "variant")}
    for name, value in wanted.items():
        part = part[part[name] == value]
    if part.empty:
        raise InputError(f"no clip of {row['dataset']} was measured with {condition_text(wanted)}")
    return part


if __name__ == "__main__":
    perform(snakemake, tabulate_ablation)
