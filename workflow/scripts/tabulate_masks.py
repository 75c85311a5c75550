"""Further measures of faithfulness, under each removal; and whether removals agree."""

from typing import Any

import pandas as pd

from harness import perform
from l2i.disk import write_text
from l2i.pages.tables import write_pages
from l2i.reporting.beside_paper import read_clips_of_datasets
from l2i.reporting.masks import COLUMNS, coincidences, mask_numbers, masks_page
from l2i.tables import to_csv


def tabulate_masks(
    path_to_systems: list[str],
    path_to_slime: list[str],
    path_to_integrated_gradients: list[str],
    path_to_grad_cam: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    datasets: list[str],
    systems: list[str],
    methods: list[str],
    operators: list[str],
    page: dict,
    statistics: dict,
    seed: int,
) -> None:
    """Write every measure of every system and method, as csv and as a page."""
    of_methods = [*path_to_slime, *path_to_integrated_gradients, *path_to_grad_cam]
    scores = read_clips_of_datasets([*path_to_systems, *of_methods])
    names = [*systems, *methods]
    how: dict[str, Any] = {"operators": operators, "statistics": statistics, "seed": seed}
    rows, notes = [], []
    for dataset in datasets:
        title, part = page["titles"][dataset], scores.get(dataset)
        if part is None:
            notes.append(f"{title}: no class is decided for, so that there is nothing to explain.")
            continue
        rows += [{"dataset": dataset} | each for each in mask_numbers(part, systems=names, **how)]
        n_decisions = len(part[["clip", "class"]].drop_duplicates())
        notes.append(f"{title}: {n_decisions} decisions in {part['clip'].nunique()} clips.")
        notes += [f"{title}: {text}" for text in coincidences(part, operators)]
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"n": "Int64"})
    shown = masks_page(
        table,
        "faithfulness_more",
        page,
        operators=operators,
        confidence=statistics["confidence"],
        notes=notes,
    )
    write_text(path_to_table, to_csv(table))
    write_pages(path_to_pages, shown)


if __name__ == "__main__":
    perform(snakemake, tabulate_masks)
