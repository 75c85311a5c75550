"""What the systems and the classifier cost to train, from the records beside them."""

from collections.abc import Callable

from harness import perform
from l2i.disk import write_text
from l2i.names import CLASSIFIER
from l2i.pages.tables import write_pages
from l2i.reporting.costs import cost_of, costs_page, summarise_costs
from l2i.tables import to_csv


def tabulate_cost(
    path_to_systems: list[str],
    path_to_classifiers: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    record_of: Callable[[str], dict],
    datasets: list[str],
    systems: list[str],
    page: dict,
) -> None:
    """Write one row per data set, system, device and precision, as csv and as a page.

    Inputs are trained models; their content is not read.
    """
    paths = [*path_to_systems, *path_to_classifiers]
    costs = [cost_of(record_of(path), classifier=CLASSIFIER) for path in paths]
    table = summarise_costs(costs, datasets=datasets, systems=[*systems, CLASSIFIER])
    write_text(path_to_table, to_csv(table))
    write_pages(path_to_pages, costs_page(table, page))


if __name__ == "__main__":
    perform(snakemake, tabulate_cost)
