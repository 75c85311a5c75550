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
from l2i.interpretation.explained import Explaining
from l2i.progress import progress
from l2i.systems.loading import open_system
from l2i.tables import write_rows
from l2i.training.opening import open_recordings
from l2i.training.task import Recordings

log = logging.getLogger(__name__)


def measure_faithfulness(
    recordings: Recordings,
    network: Explaining,
    path_to_faithfulness: str,
    *,
    thresholds: list[float],
    random: dict,
    relevance_pooling: str,
    relevance_scale: str,
    seed: int,
    system: str,
    variant: str,
    run: str,
) -> dict:
    """Write one row per test clip and removal; facts: clips, size of the random sets."""
    fold = recordings.fold
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
    names = fold.index["clip"]

    def explain(row: int) -> tuple[ExplainedClip, torch.Tensor]:
        return explain_clip(explained, names.iloc[row], recordings.clips([row]).log_mel)

    # Twice, so that the activations of all clips need not be kept for the size of the random sets.
    clips = [explain(row)[0] for row in fold.test_rows]
    n_removed = n_random(clips, removals, per_class=fold.multi_label)

    tables = [pd.DataFrame(columns=["clip", *FAITHFULNESS])]  # left where nothing is decided
    for row in progress(fold.test_rows, description="Remove components", unit="clip"):
        clip, H = explain(row)
        if not clip.relevances:
            continue  # nothing decided, nothing to explain
        waveform = recordings.clips([row]).waveforms[0]
        rows = faithfulness_rows(
            explained, clip, H, waveform, fold.front_end, removals, n_removed, fold.classes
        )
        rows.insert(0, "clip", clip.name)
        tables.append(rows)
    n_explained = len(tables) - 1
    if not n_explained:
        log.warning("the classifier decides for no class in any test clip: nothing to explain")
    scores = pd.concat(tables[1:] or tables, ignore_index=True)
    write_rows(
        fold.label_rows(scores, system=system, variant=variant, run=run), path_to_faithfulness
    )
    n_by_class = {fold.classes[c]: n for c, n in sorted(n_removed.items())}
    return {
        "n_clips": len(clips),
        "n_explained": n_explained,
        "n_removed_at_random": n_by_class if fold.multi_label else n_by_class.popitem()[1],
    }


if __name__ == "__main__":
    perform(snakemake, measure_faithfulness, recordings=open_recordings, network=open_system)
