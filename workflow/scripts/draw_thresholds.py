"""Figure of thresholds: faithfulness over the threshold of relevance, from Table V."""

import pandas as pd

from harness import perform
from l2i.disk import write_text
from l2i.reporting.figures.saving import save
from l2i.reporting.figures.thresholds import threshold_curves
from l2i.reporting.removals import NOTHING, RELEVANT
from l2i.tables import read_rows, to_csv

COLUMNS = ["dataset", "system", "removal", "threshold", "mean", "low", "high"]


def draw_thresholds(
    path_to_numbers: str,
    path_to_svg: str,
    path_to_png: str,
    path_to_table: str,
    *,
    systems: list[str],
    confidence: float,
    titles: dict[str, str],
    caption: dict[str, str],
) -> None:
    """Draw the medians of the table that were measured; write the numbers."""
    numbers = read_rows(path_to_numbers, columns=["metric", "condition", "verdict"])
    # Without what the removal of nothing does, which is rounding: the line at 0.
    measured = (numbers["system"] != NOTHING) & ~numbers["verdict"].isin(["reference", "missing"])
    shown = numbers[measured & (numbers["metric"] == "ff_median")]
    shown = shown.assign(**removals_of(shown))
    shown = shown.loc[shown["system"].isin(systems), COLUMNS]
    write_text(path_to_table, to_csv(shown))
    figure = threshold_curves(shown, confidence=confidence, titles=titles)
    save(figure, path_to_svg, path_to_png, caption)


def removals_of(numbers: pd.DataFrame) -> dict[str, pd.Series]:
    """What was removed beside which system, and at which threshold, of rows of Table V."""
    condition = numbers["condition"]
    beside = condition.str.extract(r"\bof=([^,]+)", expand=False)
    return {
        "threshold": condition.str.extract(r"\bthreshold=([^,]+)", expand=False).astype(float),
        "removal": numbers["system"].where(beside.notna(), RELEVANT),
        "system": beside.fillna(numbers["system"]),
    }


if __name__ == "__main__":
    perform(snakemake, draw_thresholds)
