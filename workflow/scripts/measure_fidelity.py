"""Measure how well an interpreter follows its classifier, clip by clip (Table IV)."""

import pandas as pd

from harness import perform
from l2i.evaluation import Pair, fidelity_rows
from l2i.features import open_features, rows_of
from l2i.fold import open_fold
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
    run: str,
    device: str,
) -> dict:
    """Write one row per test clip; facts: clips and top-1 fidelity."""
    split = open_fold(path_to_index, path_to_classes, dataset=dataset, fold=fold, features=features)
    networks = load_pair(
        path_to_classifier,
        path_to_interpreter,
        system=system,
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
        tables.append(fidelity_rows(pair, M, X))
    scores = pd.concat(tables, ignore_index=True)
    clips = split.index.iloc[split.test_rows]
    scores.insert(0, "label", clips["label"].to_numpy())
    scores.insert(0, "clip", clips["clip"].to_numpy())
    split.label_rows(scores, system=system, run=run).to_csv(path_to_fidelity, index=False)
    return {"n_clips": len(scores), "top_1_fidelity": float((scores["rank"] == 1).mean())}


if __name__ == "__main__":
    perform(snakemake, measure_fidelity)
