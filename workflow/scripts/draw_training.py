"""Figure of training: losses over epochs, of all folds and runs of every system."""

import pandas as pd

from harness import perform
from l2i.disk import write_text
from l2i.reporting.figures.saving import save
from l2i.reporting.figures.training_curves import training_curves
from l2i.tables import read_rows, to_csv

OF_TIME = ["seconds", "seconds_waiting"]
KEY = ["dataset", "system", "loss", "epoch"]


def draw_training(
    path_to_histories: list[str],
    path_to_svg: str,
    path_to_png: str,
    path_to_table: str,
    *,
    rows: list[dict],
    titles: dict[str, str],
    caption: dict[str, str],
) -> None:
    """Draw mean and range of every loss; write the numbers. `rows` says of what each history is."""
    histories = pd.concat(
        losses_in(path).assign(**row) for path, row in zip(path_to_histories, rows, strict=True)
    )
    losses = histories.groupby(KEY, sort=False)["value"]
    table = losses.agg(n="count", mean="mean", least="min", largest="max").reset_index()
    write_text(path_to_table, to_csv(table))
    save(training_curves(table, titles=titles), path_to_svg, path_to_png, caption)


def losses_in(path: str) -> pd.DataFrame:
    """A history with one row per epoch and loss; without those that the system does not have."""
    history = read_rows(path, columns=["epoch", "total"]).drop(columns=OF_TIME, errors="ignore")
    return history.melt("epoch", var_name="loss").dropna()


if __name__ == "__main__":
    perform(snakemake, draw_training)
