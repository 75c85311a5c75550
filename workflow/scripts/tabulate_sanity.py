"""Which measures notice shuffled weights, and an interpreter trained on shuffled targets."""

import pandas as pd

from harness import perform
from l2i.checks import InputError
from l2i.disk import write_text
from l2i.evaluation.agreement import agreement
from l2i.pages.tables import write_pages
from l2i.reporting.beside_paper import condition_text, read_clips
from l2i.reporting.removals import RELEVANT
from l2i.reporting.sanity import COLUMNS, EXCHANGED, INTACT, sanity_numbers, sanity_page
from l2i.tables import to_csv

CLIP = ["fold", "run", "source", "clip"]
DECISION = [*CLIP, "class"]


def tabulate_sanity(
    path_to_sanity: list[str],
    path_to_relevances: list[str],
    path_to_exchanged: list[str],
    path_to_retrained_relevances: list[str],
    path_to_retrained_fidelity: list[str],
    path_to_retrained_faithfulness: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    retrained: list[dict],
    threshold: float,
    page: dict,
    statistics: dict,
    seed: int,
) -> None:
    """Write one row per system, measure and condition, as csv and as a page.

    `retrained` names the interpreters that the last three inputs are of, each with its condition.
    """
    cascades = _read(path_to_sanity, "shuffled")
    relevances, exchanged, others = (
        _read(paths, "class") if paths else None
        for paths in (path_to_relevances, path_to_exchanged, path_to_retrained_relevances)
    )
    fidelity, faithfulness = (
        _read(paths) if paths else None
        for paths in (path_to_retrained_fidelity, path_to_retrained_faithfulness)
    )
    rows = []
    for (dataset, system), cascade in cascades.groupby(["dataset", "system"], sort=False):
        of = {"dataset": dataset, "system": system}
        own = _of(relevances, of)
        broken = {
            f"shuffled={step}": part for step, part in cascade.groupby("shuffled", sort=False)
        }
        intact = broken.pop(INTACT)
        for each in (each for each in retrained if of == {name: each[name] for name in of}):
            of_variant = of | {"variant": each["variant"]}
            broken[condition_text(each["condition"])] = (
                _agreements(own, _of(others, of_variant), threshold)
                .merge(_followed(_of(fidelity, of_variant)), on=CLIP)
                .merge(_removed(_of(faithfulness, of_variant), threshold), on=CLIP)
            )
        broken[EXCHANGED] = _agreements(own, _of(exchanged, of), threshold)
        numbers = sanity_numbers(intact, broken, statistics=statistics, seed=seed)
        rows += [of | number for number in numbers]
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"n": "Int64"})
    confidence = statistics["confidence"]
    write_text(path_to_table, to_csv(table))
    shown = sanity_page(table, "sanity", page, threshold=threshold, confidence=confidence)
    write_pages(path_to_pages, shown)


def _read(paths: list[str], *columns: str) -> pd.DataFrame:
    rows = read_clips(paths)
    if missing := sorted({*CLIP, "variant", *columns} - {*rows}):
        raise InputError(f"{paths[0]} lacks the column(s) {', '.join(missing)}: make it anew")
    return rows


def _of(rows: pd.DataFrame, named: dict[str, str]) -> pd.DataFrame:
    for column, name in named.items():
        rows = rows[rows[column] == name]
    if rows.empty:
        what = ", ".join(f"{column} {name}" for column, name in named.items())
        raise InputError(f"no clip was measured of {what}: delete its evaluation and run again")
    return rows


def _agreements(own: pd.DataFrame, other: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """How alike the relevances of each clip are in two tables of the same decisions."""
    both = own.merge(other, on=DECISION, suffixes=("", "_other"))
    if len(both) != len(own) or len(both) != len(other):
        raise InputError(
            "relevances to be compared are of different decisions: delete the evaluation of the "
            "fold and run again"
        )
    # Of another data set, beside which these were read, there may be more components.
    columns = [name for name in own.dropna(axis=1, how="all") if name.startswith("r_")]
    vectors = both[columns].to_numpy(), both[[f"{name}_other" for name in columns]].to_numpy()
    alike = [agreement(a, b, threshold=threshold) for a, b in zip(*vectors, strict=True)]
    return both[CLIP].join(pd.DataFrame(alike, index=both.index))


def _followed(fidelity: pd.DataFrame) -> pd.DataFrame:
    followed = fidelity["interpreter_class"] == fidelity["classifier_class"]
    return fidelity[CLIP].assign(followed=followed.astype(int))


def _removed(faithfulness: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """What is lost without the relevant components of each clip."""
    kept = (faithfulness["removal"] == RELEVANT) & (faithfulness["threshold"] == threshold)
    rows = faithfulness.loc[kept, [*CLIP, "probability_drop", "n_removed"]]
    return rows.rename(columns={"n_removed": "n_selected"})


if __name__ == "__main__":
    perform(snakemake, tabulate_sanity)
