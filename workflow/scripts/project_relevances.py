"""Map the relevance vectors of one run and measure how coherent its classes are (Fig. 5)."""

import numpy as np
import pandas as pd

from harness import perform
from l2i.checks import InputError
from l2i.disk import write_text
from l2i.evaluation.class_tree import DISTANCE
from l2i.evaluation.coherence import (
    ALL,
    at_most,
    class_distances,
    coherence,
    project,
    usable,
)
from l2i.stored import read_json
from l2i.tables import read_rows, to_csv


def project_relevances(
    path_to_relevances: str,
    path_to_exchanged: str,
    path_to_classes: str,
    path_to_points: str,
    path_to_classes_table: str,
    path_to_distances: str,
    *,
    dataset: str,
    shown_per_class: int | None,
    n_neighbors: int,
    perplexity: float,
    seed: int,
) -> dict:
    """Write points of the map, numbers of each class, distances of classes; facts: rows left out.

    Rows without direction are left out throughout. At most `shown_per_class` vectors of a class
    are on the map; the numbers are of all.

    `path_to_exchanged` holds the same decisions with the activations of another clip each (see
    measure_relevances): `silhouette_exchanged` and `purity_exchanged` are computed from it in the
    same way, rows without direction left out. Only what is above them is owed to the clips.
    """
    classes = read_json(path_to_classes, list)
    rows, vectors = _read(path_to_relevances, classes)
    kept = usable(vectors)
    names, vectors = rows.loc[kept, "class"].to_numpy(), vectors[kept]

    drawn = at_most(names, rows.loc[kept, "clip"].to_numpy(), shown_per_class, seed)
    points = rows.loc[kept, ["clip", "class"]][drawn]
    points[["x", "y"]] = project(vectors[drawn], perplexity=perplexity, seed=seed)
    write_text(path_to_points, to_csv(points))

    table = coherence(vectors, names, classes, n_neighbors=n_neighbors)
    by_weights = _exchanged_coherence(path_to_exchanged, rows, classes, n_neighbors)
    table = table.assign(**by_weights.add_suffix("_exchanged"))
    table.insert(0, "dataset", dataset)
    table["n_neighbors"] = min(n_neighbors, max(len(names) - 1, 0))
    table["n_drawn"] = _counts(points["class"], table["class"])
    table["n_left_out"] = _counts(rows.loc[~kept, "class"], table["class"])
    write_text(path_to_classes_table, to_csv(table))

    distances = class_distances(vectors, names, classes).add_prefix(DISTANCE)
    distances.insert(0, "class", classes)
    write_text(path_to_distances, to_csv(distances))
    return {"n_vectors": len(names), "n_drawn": len(points), "n_left_out": int((~kept).sum())}


def _read(path: str, classes: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows with their clip and class, in sorted order, and their vectors (N, K)."""
    table = read_rows(path, columns=("clip", "class", "r_000"))
    columns = [name for name in table if name.startswith("r_")]
    unknown = sorted(set(table["class"]) - set(classes))
    if unknown:
        raise InputError(f"{path} holds the class {unknown[0]!r}, which the data set has not")
    twice = table[table.duplicated(["clip", "class"])]
    if len(twice):
        clip, name = twice.iloc[0][["clip", "class"]]
        raise InputError(
            f"{path} holds clip {clip!r} with class {name!r} more than once: "
            "give the relevances of one run"
        )
    table = table.sort_values(["clip", "class"], ignore_index=True)
    return table, table[columns].to_numpy(dtype=float)


def _exchanged_coherence(
    path: str, decisions: pd.DataFrame, classes: list[str], n_neighbors: int
) -> pd.DataFrame:
    """Silhouette and purity of each class where only its weights are its own."""
    rows, vectors = _read(path, classes)
    if not rows[["clip", "class"]].equals(decisions[["clip", "class"]]):
        raise InputError(f"{path} holds other decisions than the relevances; make both again")
    kept = usable(vectors)
    names = rows.loc[kept, "class"].to_numpy()
    table = coherence(vectors[kept], names, classes, n_neighbors=n_neighbors)
    return table[["silhouette", "purity"]]


def _counts(names: pd.Series, classes: pd.Series) -> pd.Series:
    counts = names.value_counts().to_dict() | {ALL: len(names)}
    return classes.map(counts).fillna(0).astype(int)


if __name__ == "__main__":
    perform(snakemake, project_relevances)
