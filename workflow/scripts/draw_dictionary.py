"""Figure of dictionaries: what components look like, and which are never active."""

import numpy as np
import pandas as pd

from harness import perform
from l2i.dictionary.shapes import shapes_of
from l2i.dictionary.stored_dictionary import load_dictionary
from l2i.disk import write_text
from l2i.pages.spectrograms import EPS, Grid, bands_of
from l2i.reporting.figures.dictionary import RANGE_DB, dictionary_map
from l2i.reporting.figures.saving import save
from l2i.stored import read_json
from l2i.tables import to_csv
from l2i.weights import read_identity

N_BANDS = 64


def draw_dictionary(
    path_to_dictionaries: list[str],
    path_to_summaries: list[str],
    path_to_svg: str,
    path_to_png: str,
    path_to_table: str,
    *,
    datasets: list[str],
    titles: dict[str, str],
    caption: dict[str, str],
) -> None:
    """Draw the dictionary of each data set beside the summary of its atlas; write the levels."""
    three = zip(datasets, path_to_dictionaries, path_to_summaries, strict=True)
    table = pd.concat(
        levels_of(path, read_json(summary, dict)["dead"]).assign(dataset=dataset)
        for dataset, path, summary in three
    )
    table = table[["dataset", *table.columns.drop("dataset")]]
    write_text(path_to_table, to_csv(table))
    save(dictionary_map(table, titles=titles), path_to_svg, path_to_png, caption)


def levels_of(path: str, dead: list[int]) -> pd.DataFrame:
    """Level of each column in each band, the columns sorted by their centroids."""
    W, front_end = load_dictionary(path).numpy().astype(np.float64), read_identity(path)
    grid = Grid(*(front_end[name] for name in ("sample_rate", "n_fft", "hop_length")))
    frequencies = np.arange(len(W)) * grid.sample_rate / grid.n_fft
    centroids = np.array(
        [
            np.nan if each.centroid_hz is None else each.centroid_hz
            for each in shapes_of(W, frequencies)
        ]
    )
    order = np.argsort(centroids, kind="stable")  # columns of zeros last
    bands = bands_of(grid, grid.axis, N_BANDS) @ np.square(W)
    largest = np.maximum(bands.max(0), EPS)
    levels = 10 * np.log10(np.maximum(bands / largest, 10 ** (-RANGE_DB / 10)))
    edges = np.geomspace(grid.axis.low_hz, grid.axis.high_hz, N_BANDS + 1)
    return pd.DataFrame(
        {
            "place": np.arange(1, len(order) + 1).repeat(N_BANDS),
            "component": order.repeat(N_BANDS),
            "centroid_hz": centroids[order].repeat(N_BANDS),
            "active": np.isin(order, dead, invert=True).repeat(N_BANDS).astype(int),
            "frequency_hz": np.tile(np.sqrt(edges[:-1] * edges[1:]), len(order)),
            "level_db": levels.T[order].ravel(),
        }
    )


if __name__ == "__main__":
    perform(snakemake, draw_dictionary)
