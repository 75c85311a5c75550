"""Measure how well an interpreter follows its classifier, clip by clip (Table IV)."""

import pandas as pd

from harness import perform
from l2i.evaluation import Pair, fidelity_rows
from l2i.features import open_features, rows_of
from l2i.fold import LABEL, open_fold
from l2i.models import load_pair

BATCH = 16


def measure_fidelity(
    path_to_index: str,
    path_to_classes: str,
    path_to_log_mel: str,
    path_to_log_magnitude: str,
    path_to_classifier: str,
    path_to_interpreter: str,
    path_to_fidelity: str,
    *,
    features: dict,
    dataset: str,
    fold: str,
    system: str,
    variant: str,
    run: str,
    device: str,
) -> dict:
    """Write one row per test clip; fact: clips."""
    split = open_fold(path_to_index, path_to_classes, dataset=dataset, fold=fold, features=features)
    networks = load_pair(
        path_to_classifier,
        path_to_interpreter,
        system=system,
        variant=variant,
        run=run,
        device=device,
        identity=split.identity,
    )
    pair = Pair(*networks)
    log_mel, log_magnitude = open_features(path_to_log_mel), open_features(path_to_log_magnitude)
    tables = []
    for start in range(0, len(split.test_rows), BATCH):
        rows = split.test_rows[start : start + BATCH]
        M, X = (rows_of(array, rows).to(device) for array in (log_mel, log_magnitude))
        tables.append(fidelity_rows(pair, M, X, split.classes))
    clips = split.index.iloc[split.test_rows].reset_index(drop=True)
    labels = clips.filter(regex=f"^(clip|label|{LABEL}.*)$")
    scores = pd.concat([labels, pd.concat(tables, ignore_index=True)], axis=1)
    split.label_rows(scores, system=system, variant=variant, run=run).to_csv(
        path_to_fidelity, index=False
    )
    return {"n_clips": len(scores)}


if __name__ == "__main__":
    perform(snakemake, measure_fidelity)
