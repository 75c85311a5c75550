"""Figure of one interpretation: a clip, the soft mask, and both parts that it is divided into."""

from pathlib import Path

import numpy as np
import pandas as pd

from harness import perform
from l2i.disk import write_text
from l2i.interpretation.occasions import read_entries
from l2i.names import file_name
from l2i.pages.interpreted import Interpretation, interpretations_of, read_array, samples_of
from l2i.pages.spectrograms import EPS, bands_of, in_columns, shares
from l2i.reporting.figures.interpretation import RANGE_DB, interpreted_clip
from l2i.reporting.figures.panels import class_title
from l2i.reporting.figures.saving import save
from l2i.tables import to_csv

N_BANDS, N_COLUMNS = 96, 160  # of the picture, at most
COLUMNS = ["time_s", "frequency_hz", "input_db", "mask", "interpretation_db", "remainder_db"]
ARRAYS = ((1, "dictionary"), (0, "activations"))  # and how far above an interpretation


def draw_interpretation(
    path_to_clips: str,
    path_to_sounds: str,
    path_to_svg: str,
    path_to_png: str,
    path_to_table: str,
    *,
    of: dict[str, str],
    titles: dict[str, str],
    caption: dict[str, str],
) -> None:
    """Draw the first clip that is listened to, by its most probable class; write the cells.

    `of` names data set and system.
    """
    clips = [Path(path_to_sounds) / file_name(each.clip) for each in read_entries(path_to_clips)]
    interpretation = next((each for clip in clips for each in interpretations_of(clip)), None)
    table, heading = pd.DataFrame(columns=COLUMNS), titles[of["dataset"]]
    if interpretation:
        table = cells_of(interpretation)
        heading = heading_of(interpretation, [titles[of[each]] for each in ("dataset", "system")])
    write_text(path_to_table, to_csv(table))
    save(interpreted_clip(table, heading=heading), path_to_svg, path_to_png, caption)


def heading_of(interpretation: Interpretation, titles: list[str]) -> str:
    """Which clip, what is decided in it, and how surely."""
    dataset, system = titles
    target, told = interpretation.target, interpretation.about
    probability = interpretation.probabilities[target]
    decided = f"{class_title(target)}, probability {probability:.2f}"
    return f"{dataset}, clip {told['clip']}; {system}: {decided}"


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
    floor = loudest * 10 ** (-RANGE_DB / 10)
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


if __name__ == "__main__":
    perform(snakemake, draw_interpretation)
