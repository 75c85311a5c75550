"""Figures 2 and 3: drop in probability without the relevant components, class by class (Eq. 7)."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness import perform
from l2i.checks import InputError, raise_all
from l2i.disk import write_text
from l2i.names import RANDOM
from l2i.reporting.beside_paper import read_clips
from l2i.reporting.figures.class_faithfulness import class_faithfulness
from l2i.reporting.figures.panels import without_few
from l2i.reporting.figures.saving import save
from l2i.reporting.removals import (
    ENERGY,
    MEDIAN,
    NOTHING,
    RELEVANT,
    unmatched,
    values,
    without,
)
from l2i.stored import read_json
from l2i.tables import to_csv


def draw_class_faithfulness(
    path_to_clips: list[str],
    path_to_classes: str,
    path_to_svg: str,
    path_to_png: str,
    path_to_table: str,
    *,
    of: dict[str, str],
    threshold: float,
    baselines: list[str],
    excluded_classes: list[str],
    titles: dict[str, str],
    caption: dict[str, str],
    statistics: dict,
    seed: int,
) -> None:
    """Draw the median drop of every class beside its baselines; write the numbers.

    They are random removals at the same threshold, and the removal of nothing. `of` names data set
    and system.
    """
    classes = read_json(path_to_classes, list)
    clips = read_clips(path_to_clips).astype({"class": str})
    _require_fit(clips, classes, excluded=excluded_classes, **of)
    clips = clips[(clips["threshold"] == threshold) | (clips["removal"] == NOTHING)]
    removals = [RELEVANT, *(RANDOM + name for name in baselines), NOTHING]
    table = pd.DataFrame(
        of | {"class": name, "removal": removal} | number
        for name in classes
        for removal, number in _numbers(clips[clips["class"] == name], removals, statistics, seed)
    )
    table = without_few(table)
    write_text(path_to_table, to_csv(table))
    figure = class_faithfulness(
        table,
        threshold=threshold,
        confidence=statistics["confidence"],
        excluded_classes=excluded_classes,
        titles=titles,
    )
    save(figure, path_to_svg, path_to_png, caption)


def _numbers(
    clips: pd.DataFrame, removals: list[str], statistics: dict, seed: int
) -> Iterator[tuple[str, dict[str, float]]]:
    """Each removal's numbers in one class.

    All are measured on the same clips; those where no random set is of like energy are left out of
    that removal.
    """
    parts = {name: clips[clips["removal"] == name] for name in removals}
    measured = {name: _pairs(part) for name, part in parts.items()}
    for name, part in parts.items():
        if measured[name] != measured[RELEVANT]:
            raise InputError(
                f"class {clips['class'].iloc[0]!r}: {name} was not measured on the clips of "
                "relevant at this threshold. Draw the threshold of evaluation.random, and "
                "baselines that stand there"
            )
        if name == ENERGY:
            part = without(part, unmatched(part))
        number = {"mean": np.nan, "low": np.nan, "high": np.nan}
        if len(part):
            drops = values(part, "probability_drop")
            number = MEDIAN(drops, statistics=statistics, seed=seed)
        median = {"median": number["mean"], "low": number["low"], "high": number["high"]}
        yield name, {"n_clips": len(_pairs(part))} | median


def _pairs(part: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(part["fold"], part["clip"], strict=True))


def _require_fit(
    clips: pd.DataFrame, classes: list[str], *, excluded: list[str], **one: str
) -> None:
    """Refuse what would silently miss from the figure, or be mixed into it."""
    problems = [
        f"rows of the {column} {other!r}: give those of {wanted!r} alone"
        for column, wanted in one.items()
        for other in sorted(set(clips[column]) - {wanted})
    ]
    problems += [
        f"class {n!r} is not in classes.json" for n in sorted(set(clips["class"]) - {*classes})
    ]
    problems += [
        f"excluded_classes names {name!r}, which is no class"
        for name in excluded
        if name not in classes
    ]
    raise_all(problems, "class-wise faithfulness")


if __name__ == "__main__":
    perform(snakemake, draw_class_faithfulness)
