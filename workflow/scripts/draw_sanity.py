"""Figure of the sanity checks: relevances and faithfulness over the cascade of shuffled weights."""

from harness import perform
from l2i.disk import write_text
from l2i.reporting.figures.sanity_cascade import CASCADE_PANELS, sanity_cascade
from l2i.reporting.figures.saving import save
from l2i.tables import read_rows, to_csv


def draw_sanity(
    path_to_numbers: str,
    path_to_svg: str,
    path_to_png: str,
    path_to_table: str,
    *,
    confidence: float,
    titles: dict[str, str],
    caption: dict[str, str],
) -> None:
    """Draw what the table of sanity checks says of two of its measures; write these numbers."""
    numbers = read_rows(path_to_numbers, columns=("metric", "condition", "mean"))
    shown = numbers[numbers["metric"].isin(CASCADE_PANELS)]
    write_text(path_to_table, to_csv(shown))
    figure = sanity_cascade(shown, confidence=confidence, titles=titles)
    save(figure, path_to_svg, path_to_png, caption)


if __name__ == "__main__":
    perform(snakemake, draw_sanity)
