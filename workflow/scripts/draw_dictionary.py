"""Figure of dictionaries: what components look like, and which are never active."""

from harness import perform
from l2i.disk import write_text
from l2i.reporting.figures.dictionary import dictionary_map
from l2i.reporting.figures.saving import save
from l2i.tables import read_rows, to_csv


def draw_dictionary(
    path_to_columns: str,
    path_to_svg: str,
    path_to_png: str,
    path_to_table: str,
    *,
    titles: dict[str, str],
    caption: dict[str, str],
) -> None:
    """Draw the levels of all columns, and write them."""
    table = read_rows(path_to_columns, columns=["dataset", "place", "level_db", "active"])
    write_text(path_to_table, to_csv(table))
    save(dictionary_map(table, titles=titles), path_to_svg, path_to_png, caption)


if __name__ == "__main__":
    perform(snakemake, draw_dictionary)
