"""Tables VI and VII: what hidden layers and weights of the losses do to one interpreter."""

import numpy as np
import pandas as pd

from harness import perform
from l2i.checks import InputError
from l2i.reporting.beside_paper import (
    MEASURED,
    beside_paper,
    condition_text,
    measure,
    measure_metric,
    paper_numbers,
    read_clips_of_datasets,
)
from l2i.reporting.markdown import write_table
from l2i.reporting.scores import class_names, fidelity_scores, hits_in_percent

LOSSES = ("reconstruction_loss", "fidelity_loss")


def tabulate_ablation(
    path_to_clips: list[str],
    path_to_table: str,
    path_to_page: str,
    *,
    number: str,
    rows: list[dict],
    score: dict[str, str],
    excluded_classes: dict[str, list[str]],
    paper: dict,
    paper_dataset: dict[str, str | None],
    paper_comparable: dict[str, bool],
    statistics: dict,
    seed: int,
) -> None:
    """Write losses and fidelity of each variant in `rows`, as csv and as a page."""
    clips = read_clips_of_datasets(path_to_clips)
    measured = []
    for row in rows:
        dataset, system = row["dataset"], row["system"]
        part = _of_variant(clips, row)
        key = {"table": int(number), "system": system, "dataset": dataset}
        key["condition"] = condition_text(row["condition"])
        how = {"statistics": statistics, "seed": seed}
        for metric in LOSSES:
            values = part.assign(value=part[metric])
            measured.append(key | {"metric": metric} | measure(values, np.mean, **how))
        measured.append(key | _fidelity(part, score[dataset], excluded_classes[dataset], how))
    datasets = list(dict.fromkeys(row["dataset"] for row in rows))
    printed = paper_numbers(
        paper,
        int(number),
        datasets={dataset: paper_dataset[dataset] for dataset in datasets},
        systems=[row["system"] for row in rows],
    )
    measured = pd.DataFrame(measured, columns=MEASURED)
    write_table(
        beside_paper(measured, printed, datasets=datasets, comparable=paper_comparable),
        path_to_table,
        path_to_page,
        reference=paper,
        confidence=statistics["confidence"],
    )


def _of_variant(clips: dict[str, pd.DataFrame], row: dict) -> pd.DataFrame:
    part = clips.get(row["dataset"], pd.DataFrame(columns=["fold", "system", "variant"]))
    wanted = {name: str(row[name]) for name in ("fold", "system", "variant")}
    for name, value in wanted.items():
        part = part[part[name] == value]
    if part.empty:
        raise InputError(f"no clip of {row['dataset']} was measured with {condition_text(wanted)}")
    return part


def _fidelity(clips: pd.DataFrame, score: str, excluded: list[str], how: dict) -> dict[str, object]:
    """The metric that systems are compared by in Table IV."""
    if score == "accuracy":
        values = clips.assign(value=hits_in_percent(clips, 1))
        return {"metric": "top_1_fidelity"} | measure(values, np.mean, **how)
    primary, *_ = fidelity_scores(score, class_names(clips), excluded)
    return {"metric": primary.metric} | measure_metric(clips, primary.value, **how)


if __name__ == "__main__":
    perform(snakemake, tabulate_ablation)
