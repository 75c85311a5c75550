"""Ratings of the listening tests: means, votes, and the effect of the system."""

from harness import perform
from l2i.disk import write_text
from l2i.listening_test.report import NAME, ratings_page, tabulated
from l2i.reporting.markdown import write_page
from l2i.tables import read_rows, to_csv


def tabulate_ratings(
    path_to_ratings: list[str],
    path_to_participants: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    datasets: list[str],
    systems: list[str],
    titles: dict[str, str],
    confidence: float,
) -> None:
    """Write all numbers as csv and as a page, which says where answers were simulated."""
    ratings = dict(zip(datasets, map(read_rows, path_to_ratings), strict=True))
    people = dict(zip(datasets, map(read_rows, path_to_participants), strict=True))
    table = tabulated(ratings, systems, confidence=confidence)
    write_text(path_to_table, to_csv(table))
    page = ratings_page(table, people, systems, titles=titles, confidence=confidence)
    write_page(path_to_pages, page, NAME)


if __name__ == "__main__":
    perform(snakemake, tabulate_ratings)
