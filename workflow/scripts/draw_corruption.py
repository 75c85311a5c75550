"""Figure of corruption: how near interpretations come to clips in company (Sec. V-B)."""

from harness import perform
from l2i.disk import write_text
from l2i.reporting.figures.corruption_sweep import PANELS, corruption_sweep
from l2i.reporting.figures.saving import save
from l2i.reporting.planted import kinds_and_ratios
from l2i.tables import read_rows, to_csv

COLUMNS = ["dataset", "system", "metric", "condition", "mean", "low", "high"]


def draw_corruption(
    path_to_numbers: str,
    path_to_svg: str,
    path_to_png: str,
    path_to_table: str,
    *,
    confidence: float,
    titles: dict[str, str],
    caption: dict[str, str],
) -> None:
    """Draw improvements and surviving decisions of the table; write the numbers that are shown."""
    table = read_rows(path_to_numbers, columns=COLUMNS)
    shown = table.loc[table["metric"].isin(PANELS), COLUMNS]
    write_text(path_to_table, to_csv(shown))
    placed = shown.assign(**kinds_and_ratios(shown))
    figure = corruption_sweep(placed, confidence=confidence, titles=titles)
    save(figure, path_to_svg, path_to_png, caption)


if __name__ == "__main__":
    perform(snakemake, draw_corruption)
