"""Let a system that predicts by itself decide on its test clips (Table VIII)."""

import torch

from harness import perform
from l2i.evaluation.clip_scores import classification_rows, tagging_rows
from l2i.systems.loading import open_system
from l2i.tables import write_rows
from l2i.thresholds import INTERPRETER_DECIDES
from l2i.training.opening import open_recordings
from l2i.training.task import Network, Recordings


def measure_system(
    recordings: Recordings,
    network: Network,
    path_to_classification: str,
    *,
    system: str,
    variant: str,
    run: str,
) -> dict:
    """Write one row per test clip; fact: clips."""
    fold, rows = recordings.fold, recordings.fold.test_rows
    predictions = [network.predict(clips) for clips in recordings.batches(rows)]
    logits = torch.cat([batch.logits.cpu() for batch in predictions])
    if fold.multi_label:
        decisions = logits.sigmoid() >= INTERPRETER_DECIDES
        scores = tagging_rows(logits, decisions, fold.targets(rows), fold.classes)
    else:
        scores = classification_rows(logits, fold.labels(rows))
    for name in predictions[0].losses:
        scores[name] = torch.cat([batch.losses[name].cpu() for batch in predictions]).numpy()
    scores.insert(0, "clip", fold.index["clip"].to_numpy()[rows])
    write_rows(
        fold.label_rows(scores, system=system, variant=variant, run=run), path_to_classification
    )
    return {"n_clips": len(rows)}


if __name__ == "__main__":
    perform(snakemake, measure_system, recordings=open_recordings, network=open_system)
