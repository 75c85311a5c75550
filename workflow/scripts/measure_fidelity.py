"""Measure how well an interpreter follows its classifier, clip by clip (Table IV)."""

import pandas as pd

from harness import perform
from l2i.evaluation.clip_scores import fidelity_rows
from l2i.names import LABEL
from l2i.systems.loading import open_system
from l2i.tables import write_rows
from l2i.training.opening import open_recordings
from l2i.training.task import Network, Recordings


def measure_fidelity(
    recordings: Recordings,
    network: Network,
    path_to_fidelity: str,
    *,
    system: str,
    variant: str,
    run: str,
) -> dict:
    """Write one row per test clip; fact: clips."""
    fold = recordings.fold
    tables = []
    for clips in recordings.batches(fold.test_rows):
        estimate = network.predict(clips)
        rows = fidelity_rows(clips.classifier, clips.reference, estimate.logits, fold.classes)
        tables.append(rows.assign(**{n: v.cpu().numpy() for n, v in estimate.losses.items()}))
    about = fold.index.iloc[fold.test_rows].reset_index(drop=True)
    labels = about.filter(regex=f"^(clip|label|{LABEL}.*)$")
    scores = pd.concat([labels, pd.concat(tables, ignore_index=True)], axis=1)
    write_rows(fold.label_rows(scores, system=system, variant=variant, run=run), path_to_fidelity)
    return {"n_clips": len(scores)}


if __name__ == "__main__":
    perform(snakemake, measure_fidelity, recordings=open_recordings, network=open_system)
