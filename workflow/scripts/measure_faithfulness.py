"""Measure what the classifier loses without the relevant components (Table V, Fig. 2 and 3)."""

import logging

import pandas as pd
import torch

from harness import perform
from l2i.evaluation.removals import (
    FAITHFULNESS,
    ExplainedClip,
    Removals,
    explain_clip,
    faithfulness_rows,
    n_random,
)
from l2i.progress import progress
from l2i.systems.loading import open_system

log = logging.getLogger(__name__)


def measure_faithfulness(
    path_to_index: str,
    path_to_classes: str,
    path_to_log_mel: str,
    path_to_log_magnitude: str,
    path_to_classifier: list[str],
    path_to_system: str,
    path_to_faithfulness: str,
    *,
    module: str,
    features: dict,
    clip_seconds: float,
    thresholds: list[float],
    random: dict,
    relevance_pooling: str,
    relevance_scale: str,
    seed: int,
    dataset: str,
    fold: str,
    system: str,
    variant: str,
    run: str,
    data: str,
    device: str,
) -> dict:
    """Write one row per test clip and removal; facts: clips, size of the random sets."""
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
    explained = network.explained(
        recordings.classifier,
        relevance_pooling=relevance_pooling,
        relevance_scale=relevance_scale,
    )
    removals = Removals(
        thresholds=thresholds,
        random_threshold=random["threshold"],
        n_draws=random["n_draws"],
        baselines=random["baselines"],
        n_removed=random["n_removed"],
        seed=seed,
    )
    names = split.index["clip"]

    def explain(row: int) -> tuple[ExplainedClip, torch.Tensor]:
        return explain_clip(explained, names.iloc[row], recordings.clips([row]).log_mel)

    # Twice, so that the activations of all clips need not be kept for the size of the random sets.
    clips = [explain(row)[0] for row in split.test_rows]
    n_removed = n_random(clips, removals, per_class=split.multi_label)

    tables = [
        pd.DataFrame(columns=["clip", *FAITHFULNESS])
    ]  # what is left where nothing is decided
    for row in progress(split.test_rows, description="Remove components", unit="clip"):
        clip, H = explain(row)
        if not clip.relevances:
            continue  # nothing decided, nothing to explain
        waveform = split.waveform(data, row, clip_seconds).to(device)
        rows = faithfulness_rows(
            explained, clip, H, waveform, split.front_end, removals, n_removed, split.classes
        )
        rows.insert(0, "clip", clip.name)
        tables.append(rows)
    n_explained = len(tables) - 1
    if not n_explained:
        log.warning("the classifier decides for no class in any test clip: nothing to explain")
    scores = pd.concat(tables[1:] or tables, ignore_index=True)
    split.label_rows(scores, system=system, variant=variant, run=run).to_csv(
        path_to_faithfulness, index=False
    )
    n_by_class = {split.classes[c]: n for c, n in sorted(n_removed.items())}
    return {
        "n_clips": len(clips),
        "n_explained": n_explained,
        "n_removed_at_random": n_by_class if split.multi_label else n_by_class.popitem()[1],
    }


if __name__ == "__main__":
    perform(snakemake, measure_faithfulness)
