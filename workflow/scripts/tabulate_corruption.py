"""How near interpretations of clips in company come to the clips (Sec. V-B, as numbers)."""

import pandas as pd

from harness import perform
from l2i.disk import write_text
from l2i.pages.tables import write_pages
from l2i.reporting.beside_paper import MEASURED, read_clips_of_datasets
from l2i.reporting.planted import corruption_page, corruption_rows
from l2i.tables import to_csv

TABLE = "corruption"


def tabulate_corruption(
    path_to_clips: list[str],
    path_to_references: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    datasets: list[str],
    systems: list[str],
    references: list[str],
    page: dict,
    statistics: dict,
    seed: int,
) -> None:
    """Write one row per system, metric, kind of company and ratio, as csv and as a page.

    `references` are those of which rows stand in `path_to_references`.
    """
    how = {"statistics": statistics, "seed": seed}
    clips, beside = map(read_clips_of_datasets, (path_to_clips, path_to_references))
    rows = [
        {"table": TABLE, "dataset": name} | row
        for name in datasets
        for row in corruption_rows(clips[name], beside[name], systems, references, how)
    ]
    table = pd.DataFrame(rows, columns=MEASURED).astype({"n": "Int64"})
    write_text(path_to_table, to_csv(table))
    shown = corruption_page(table, TABLE, page, confidence=statistics["confidence"])
    write_pages(path_to_pages, shown)


if __name__ == "__main__":
    perform(snakemake, tabulate_corruption)
