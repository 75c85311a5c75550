"""Ratings of the listening tests: means, votes, and the effect of the system."""

from harness import perform
from l2i.disk import write_text
from l2i.listening_test.report import ratings_page, tabulated
from l2i.pages.tables import write_pages
from l2i.tables import read_rows, to_csv


def tabulate_ratings(
    path_to_ratings: list[str],
    path_to_participants: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    datasets: list[str],
    systems: list[str],
    page: dict,
    confidence: float,
) -> None:
    """Write all numbers as csv and as a page, which says where answers were simulated."""
    ratings = dict(zip(datasets, map(read_rows, path_to_ratings), strict=True))
    people = dict(zip(datasets, map(read_rows, path_to_participants), strict=True))
    table = tabulated(ratings, systems, confidence=confidence)
    write_text(path_to_table, to_csv(table))
    shown = ratings_page(table, people, systems, page=page, confidence=confidence)
    write_pages(path_to_pages, shown)


if __name__ == "__main__":
    perform(snakemake, tabulate_ratings)
