"""Measure what an interpreter finds of clips that are mixed with another sound (Sec. V-B)."""

import pandas as pd

from harness import perform
from l2i.evaluation.planted import found_by_interpreter, plant, scored
from l2i.interpretation.explained import Explaining
from l2i.systems.loading import open_system
from l2i.tables import write_rows
from l2i.training.opening import open_recordings
from l2i.training.task import Recordings


def measure_corruption(
    recordings: Recordings,
    network: Explaining,
    path_to_corruption: str,
    *,
    threshold: float,
    relevance_scale: str,
    snr_db: list[float],
    seed: int,
    system: str,
    variant: str,
    run: str,
) -> dict:
    """Write one row per test clip, kind of company and ratio; facts: rows, empty ones of these."""
    fold = recordings.fold
    explained = network.explained(recordings.classifier, relevance_scale=relevance_scale)
    tables = []
    for planted in plant(recordings, snr_db, seed=seed):
        decided, found = found_by_interpreter(
            explained,
            planted.waveforms.to(recordings.device),
            fold.front_end,
            target=planted.label,
            threshold=threshold,
        )
        clean = int(explained.predict(recordings.clips([planted.row]).log_mel).argmax())
        tables.append(scored(planted, decided, found, decided_when_clean=clean))
    scores = pd.concat(tables, ignore_index=True)
    about = {"system": system, "variant": variant, "run": run, "predictor": explained.predictor}
    write_rows(fold.label_rows(scores, **about), path_to_corruption)
    return {"n_rows": len(scores), "n_empty": int(scores["empty"].sum())}


if __name__ == "__main__":
    perform(snakemake, measure_corruption, recordings=open_recordings, network=open_system)
