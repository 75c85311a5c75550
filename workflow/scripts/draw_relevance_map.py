"""Figure 5: relevance vectors of all multi-label data sets, mapped and compared by class."""

import pandas as pd

from harness import perform
from l2i.checks import InputError
from l2i.disk import write_text
from l2i.evaluation.class_tree import DISTANCE, class_tree
from l2i.names import ALL_CLASSES
from l2i.reporting.figures.relevance_map import RelevanceMap, relevance_map
from l2i.reporting.figures.saving import save
from l2i.tables import read_rows, to_csv


def draw_relevance_map(
    path_to_points: list[str],
    path_to_classes_tables: list[str],
    path_to_distances: list[str],
    path_to_svg: str,
    path_to_png: str,
    path_to_table: str,
    *,
    titles: dict[str, str],
    caption: dict[str, str],
) -> None:
    """Draw a row per data set, in the order of the files; write the numbers of all classes.

    Above each stand its silhouette and purity, and what they are with activations exchanged
    between clips: vectors of a class share its weights, and cluster by them alone.
    """
    paths = zip(path_to_points, path_to_classes_tables, path_to_distances, strict=True)
    maps = [_read(*three) for three in paths]
    if not maps:
        raise InputError("nothing to draw: run.datasets names no multi-label data set")
    table = pd.concat([each.numbers for each in maps], ignore_index=True)
    write_text(path_to_table, to_csv(table))
    save(relevance_map(maps, titles=titles), path_to_svg, path_to_png, caption)


def _read(path_to_points: str, path_to_classes_table: str, path_to_distances: str) -> RelevanceMap:
    points, numbers, distances = (
        read_rows(path, columns=("class",))
        for path in (path_to_points, path_to_classes_table, path_to_distances)
    )
    distances = distances.set_index("class")
    distances.columns = [name.removeprefix(DISTANCE) for name in distances]
    same_classes = list(numbers["class"]) == [*distances.columns, ALL_CLASSES]
    if not same_classes or not set(points["class"]) <= set(distances.columns):
        raise InputError(
            f"{path_to_points}, {path_to_classes_table} and {path_to_distances} hold different "
            "classes: give the files of all data sets in the same order"
        )
    return RelevanceMap(numbers["dataset"].iloc[0], points, numbers, class_tree(distances))


if __name__ == "__main__":
    perform(snakemake, draw_relevance_map)
