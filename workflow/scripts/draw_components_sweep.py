"""Figure 6: losses on test clips over the number of components."""

import pandas as pd

from harness import perform
from l2i.checks import InputError
from l2i.disk import write_text
from l2i.reporting.beside_paper import measure, read_clips
from l2i.reporting.figures.components_sweep import LOSSES, components_sweep
from l2i.reporting.figures.panels import without_few
from l2i.reporting.figures.saving import save
from l2i.reporting.statistics import mean, values_of
from l2i.tables import to_csv

KEY = ["dataset", "fold", "system", "variant"]


def draw_components_sweep(
    path_to_clips: list[str],
    path_to_svg: str,
    path_to_png: str,
    path_to_table: str,
    *,
    rows: list[dict],
    titles: dict[str, str],
    caption: dict[str, str],
    statistics: dict,
    seed: int,
) -> None:
    """Draw the mean of both losses for every row of the setting `rows`; write the numbers."""
    clips = read_clips(path_to_clips).astype({"variant": str})
    table = pd.DataFrame(
        {name: row[name] for name in (*KEY, "n_components")}
        | {"loss": loss}
        | _number(_clips_of(row, clips), loss, statistics, seed)
        for row in rows
        for loss in LOSSES
    )
    table = without_few(table)
    write_text(path_to_table, to_csv(table))
    figure = components_sweep(table, confidence=statistics["confidence"], titles=titles)
    save(figure, path_to_svg, path_to_png, caption)


def _clips_of(row: dict, clips: pd.DataFrame) -> pd.DataFrame:
    part = clips
    for column in KEY:
        part = part[part[column] == str(row[column])]
    if part.empty:
        key = ", ".join(f"{column} {row[column]}" for column in KEY)
        raise InputError(f"no clips of {key}: evaluate it first, or take it out of the figure")
    return part


def _number(clips: pd.DataFrame, loss: str, statistics: dict, seed: int) -> dict[str, float]:
    values = values_of(clips, clips[loss])
    number = measure(values, mean, statistics=statistics, seed=seed)
    n_clips = clips["clip"].nunique()
    return {"n_clips": n_clips} | {name: number[name] for name in ("mean", "low", "high")}


if __name__ == "__main__":
    perform(snakemake, draw_components_sweep)
