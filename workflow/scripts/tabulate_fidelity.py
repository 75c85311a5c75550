"""Table IV: how often the classifier's class is among the first k of the interpreter."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from harness import perform
from l2i.pages import write_table
from l2i.tables import beside_paper, measure, paper_numbers, read_clips

TABLE = 4


def tabulate_fidelity(
    path_to_clips: list[str],
    path_to_paper: str,
    path_to_table: str,
    path_to_page: str,
    *,
    datasets: list[str],
    systems: list[str],
    top_k: list[int],
    paper_dataset: dict[str, str | None],
    paper_comparable: dict[str, bool],
    statistics: dict,
    seed: int,
) -> None:
    """Write top-k fidelities in percent, as csv and as a page."""
    reference = yaml.safe_load(Path(path_to_paper).read_text(encoding="utf-8"))
    clips = read_clips(path_to_clips)
    # A network that diverged still ranks classes somehow; probabilities tell.
    diverged = clips[["classifier_probability", "interpreter_probability"]].isna().any(axis=1)
    for k in top_k:  # the paper knows 1 and 5
        title = {"title": f"top-{k} fidelity", "unit": "%", "digits": 1}
        reference["metrics"][f"top_{k}_fidelity"] = title
    measured = []
    for dataset in datasets:
        for system in systems:
            part = clips[(clips["dataset"] == dataset) & (clips["system"] == system)]
            for k in top_k:
                hits = (100.0 * (part["rank"] <= k)).mask(diverged[part.index])
                values = part[["fold", "run", "clip"]].assign(value=hits)
                key = {"table": TABLE, "system": system, "dataset": dataset, "condition": ""}
                number = measure(values, np.mean, statistics=statistics, seed=seed)
                measured.append({**key, "metric": f"top_{k}_fidelity", **number})
    paper = paper_numbers(reference, TABLE, datasets=paper_dataset, systems=systems)
    rows = beside_paper(
        pd.DataFrame(measured), paper, datasets=datasets, comparable=paper_comparable
    )
    write_table(
        rows,
        path_to_table,
        path_to_page,
        reference=reference,
        confidence=statistics["confidence"],
    )


if __name__ == "__main__":
    perform(snakemake, tabulate_fidelity)
