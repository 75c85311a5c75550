"""Let a system that predicts by itself decide on its test clips (Table VIII)."""

import torch

from harness import perform
from l2i.evaluation.clip_scores import classification_rows, tagging_rows
from l2i.systems.loading import open_system
from l2i.thresholds import INTERPRETER_DECIDES


def measure_system(
    path_to_index: str,
    path_to_classes: str,
    path_to_log_mel: str,
    path_to_log_magnitude: str,
    path_to_classifier: list[str],
    path_to_system: str,
    path_to_classification: str,
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
    split, rows = recordings.fold, recordings.fold.test_rows
    heard = [network.predict(clips) for clips in recordings.batches(rows)]
    logits = torch.cat([batch.logits.cpu() for batch in heard])
    if split.multi_label:
        decisions = logits.sigmoid() >= INTERPRETER_DECIDES
        scores = tagging_rows(logits, decisions, split.targets(rows), split.classes)
    else:
        scores = classification_rows(logits, split.labels(rows))
    for name in heard[0].losses:
        scores[name] = torch.cat([batch.losses[name].cpu() for batch in heard]).numpy()
    scores.insert(0, "clip", split.index["clip"].to_numpy()[rows])
    split.label_rows(scores, system=system, variant=variant, run=run).to_csv(
        path_to_classification, index=False
    )
    return {"n_clips": len(rows)}


if __name__ == "__main__":
    perform(snakemake, measure_system)
