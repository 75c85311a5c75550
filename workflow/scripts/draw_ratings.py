"""Figure 4: mean ratings and votes of the listening tests, class by class."""

import logging

from harness import perform
from l2i.disk import write_text
from l2i.listening_test.figure import PANELS, rating_figure
from l2i.listening_test.preferences import TIES
from l2i.listening_test.report import SIMULATED
from l2i.reporting.figures.panels import without_few
from l2i.reporting.figures.saving import save
from l2i.tables import read_rows, to_csv

log = logging.getLogger(__name__)


def draw_ratings(
    path_to_ratings: str,
    path_to_svg: str,
    path_to_png: str,
    path_to_table: str,
    *,
    systems: list[str],
    titles: dict[str, str],
    caption: dict[str, str],
    confidence: float,
) -> None:
    """Draw what the table of ratings says; write the numbers that are shown."""
    table = read_rows(path_to_ratings)
    table = table[table["metric"].isin([*PANELS, TIES])].drop(columns=["p", "note"])
    table = without_few(table, counts="n")
    write_text(path_to_table, to_csv(table))
    figure = rating_figure(table, systems=systems, titles=titles, confidence=confidence)
    save(figure, path_to_svg, path_to_png, caption)
    if table["simulated"].any():
        log.warning("note: Figure 4 is of %s", SIMULATED)


if __name__ == "__main__":
    perform(snakemake, draw_ratings)
