"""Measure how well an interpreter follows its classifier, clip by clip (Table IV)."""

import pandas as pd

from harness import perform
from l2i.evaluation.clip_scores import fidelity_rows
from l2i.names import LABEL
from l2i.systems.loading import open_system


def measure_fidelity(
    path_to_index: str,
    path_to_classes: str,
    path_to_log_mel: str,
    path_to_log_magnitude: str,
    path_to_classifier: list[str],
    path_to_system: str,
    path_to_fidelity: str,
    *,
    module: str,
    features: dict,
    clip_seconds: float,
    dataset: str,
    fold: str,
    system: str,
    variant: str,
    run: str,
    data: str,
    device: str,
) -> dict:
    """Write one row per test clip; fact: clips."""
    recordings, network = open_system(
        path_to_index,
        path_to_classes,
        path_to_log_mel,
        path_to_log_magnitude,
        path_to_classifier,
        path_to_system,
        **{"dataset": dataset, "fold": fold, "features": features},
        **{"module": module, "system": system, "variant": variant, "run": run},
        **{"clip_seconds": clip_seconds, "data": data, "device": device},
    )
    split = recordings.fold
    tables = []
    for clips in recordings.batches(split.test_rows):
        estimate = network.predict(clips)
        rows = fidelity_rows(clips.classifier, clips.reference, estimate.logits, split.classes)
        tables.append(rows.assign(**{n: v.cpu().numpy() for n, v in estimate.losses.items()}))
    about = split.index.iloc[split.test_rows].reset_index(drop=True)
    labels = about.filter(regex=f"^(clip|label|{LABEL}.*)$")
    scores = pd.concat([labels, pd.concat(tables, ignore_index=True)], axis=1)
    split.label_rows(scores, system=system, variant=variant, run=run).to_csv(
        path_to_fidelity, index=False
    )
    return {"n_clips": len(scores)}


if __name__ == "__main__":
    perform(snakemake, measure_fidelity)
