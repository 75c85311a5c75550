"""What is pictured of results that stay where they were made: cells of a clip, levels of columns.

Sounds and dictionaries are large, and no crate holds them; figures are drawn from these numbers.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from harness import perform
from l2i.dictionary.shapes import shapes_of
from l2i.dictionary.stored_dictionary import load_dictionary
from l2i.disk import write_text
from l2i.interpretation.occasions import read_entries
from l2i.names import file_name
from l2i.pages.interpreted import Interpretation, interpretations_of, read_array, samples_of
from l2i.pages.spectrograms import EPS, Grid, bands_of, in_columns, shares
from l2i.stored import read_json
from l2i.tables import to_csv
from l2i.weights import read_identity

N_BANDS, N_COLUMNS, N_LEVELS = 96, 160, 64  # of a clip, at most, and of columns
FLOOR_DB = 80.0  # below the loudest: what lies lower counts as much
COLUMNS = ["time_s", "frequency_hz", "input_db", "mask", "interpretation_db", "remainder_db"]
ARRAYS = ((1, "dictionary"), (0, "activations"))  # and how far above an interpretation
OF_CLIP = ["clip", "class", "probability"]


def sample_pictures(
    path_to_clips: str,
    path_to_sounds: str,
    path_to_dictionaries: list[str],
    path_to_summaries: list[str],
    path_to_cells: str,
    path_to_clip: str,
    path_to_columns: str,
    *,
    datasets: list[str],
) -> None:
    """Write cells and name of the first clip that is listened to, and levels of dictionaries.

    The clip is interpreted for its most probable class. `datasets` are those of the dictionaries.
    """
    clips = [Path(path_to_sounds) / file_name(each.clip) for each in read_entries(path_to_clips)]
    found = next((each for clip in clips for each in interpretations_of(clip)), None)
    cells, clip = pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=OF_CLIP)
    if found:
        cells = cells_of(found)
        told = [found.about["clip"], found.target, found.probabilities[found.target]]
        clip = pd.DataFrame([told], columns=OF_CLIP)
    write_text(path_to_cells, to_csv(cells))
    write_text(path_to_clip, to_csv(clip))
    three = zip(datasets, path_to_dictionaries, path_to_summaries, strict=True)
    columns = pd.concat(
        levels_of(path, read_json(summary, dict)["dead"]).assign(dataset=dataset)
        for dataset, path, summary in three
    )
    write_text(path_to_columns, to_csv(columns))


def cells_of(interpretation: Interpretation) -> pd.DataFrame:
    """Levels of the three sounds and the mask, cell by cell of the picture."""
    grid, folder = interpretation.grid, interpretation.folder
    input_ = samples_of(folder.parent, {"file": "input.wav"})
    sounds = {"input_db": input_} | {
        f"{name}_db": samples_of(folder, interpretation.sounds[name])
        for name in ("interpretation", "remainder")
    }
    n_frames = grid.n_frames(len(input_))
    B = bands_of(grid, grid.axis, N_BANDS)
    power = {
        name: in_columns((B @ block for block in grid.power(x)), n_frames, N_COLUMNS)
        for name, x in sounds.items()
    }
    loudest = max(float(power["input_db"].max()), EPS)
    floor = loudest * 10 ** (-FLOOR_DB / 10)
    cells = {name: 10 * np.log10(np.maximum(each, floor) / loudest) for name, each in power.items()}
    W, H = (read_array(folder.parents[i] / f"{name}.npy") for i, name in ARRAYS)
    cells["mask"] = shares(
        W,
        H[:, :n_frames],
        [interpretation.components],
        grid,
        grid.axis,
        n_rows=N_BANDS,
        n_columns=N_COLUMNS,
    )[0]
    edges = np.geomspace(grid.axis.low_hz, grid.axis.high_hz, N_BANDS + 1)
    n_columns = cells["mask"].shape[1]
    times = (np.arange(n_columns) + 0.5) * len(input_) / grid.sample_rate / n_columns
    places = {
        "time_s": np.tile(times, N_BANDS),
        "frequency_hz": np.sqrt(edges[:-1] * edges[1:]).repeat(n_columns),
    }
    flat = {name: each.ravel() for name, each in cells.items()}
    return pd.DataFrame(places | flat)[COLUMNS]


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
    bands = bands_of(grid, grid.axis, N_LEVELS) @ np.square(W)
    largest = np.maximum(bands.max(0), EPS)
    levels = 10 * np.log10(np.maximum(bands / largest, 10 ** (-FLOOR_DB / 10)))
    edges = np.geomspace(grid.axis.low_hz, grid.axis.high_hz, N_LEVELS + 1)
    return pd.DataFrame(
        {
            "place": np.arange(1, len(order) + 1).repeat(N_LEVELS),
            "component": order.repeat(N_LEVELS),
            "centroid_hz": centroids[order].repeat(N_LEVELS),
            "active": np.isin(order, dead, invert=True).repeat(N_LEVELS).astype(int),
            "frequency_hz": np.tile(np.sqrt(edges[:-1] * edges[1:]), len(order)),
            "level_db": levels.T[order].ravel(),
        }
    )


if __name__ == "__main__":
    perform(snakemake, sample_pictures)
