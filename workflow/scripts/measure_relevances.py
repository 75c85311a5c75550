"""Collect what every component means to every decision of the test clips (Fig. 5)."""

import numpy as np
import pandas as pd

from harness import perform
from l2i.evaluation import Pair, explain_clip
from l2i.features import open_features, rows_of
from l2i.fold import open_fold
from l2i.models import load_pair
from l2i.progress import progress


def measure_relevances(
    path_to_index: str,
    path_to_classes: str,
    path_to_log_mel: str,
    path_to_classifier: str,
    path_to_interpreter: str,
    path_to_relevances: str,
    *,
    features: dict,
    relevance_pooling: str,
    relevance_scale: str,
    dataset: str,
    fold: str,
    system: str,
    variant: str,
    run: str,
    device: str,
) -> dict:
    """Write one row per test clip and decided class; facts: clips, decisions."""
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
    pair = Pair(*networks, relevance_pooling=relevance_pooling, relevance_scale=relevance_scale)
    log_mel = open_features(path_to_log_mel)

    decisions, relevances = [], []
    for row in progress(split.test_rows, description="Explain clips", unit="clip"):
        M = rows_of(log_mel, [row]).to(device)
        explained, _ = explain_clip(pair, split.index["clip"].iloc[row], M)
        for c, r in explained.relevances.items():
            decisions.append({"clip": explained.clip, "class": split.classes[c]})
            relevances.append(r.cpu().numpy())
    columns = [f"r_{k:03d}" for k in range(pair.interpreter.W.shape[1])]
    values = np.reshape(relevances, (-1, len(columns)))
    rows = pd.concat(
        [pd.DataFrame(decisions, columns=["clip", "class"]), pd.DataFrame(values, columns=columns)],
        axis=1,
    )
    split.label_rows(rows, system=system, variant=variant, run=run).to_csv(
        path_to_relevances, index=False, float_format="%.6g"
    )
    return {"n_clips": len(split.test_rows), "n_decisions": len(rows)}


if __name__ == "__main__":
    perform(snakemake, measure_relevances)
