"""Measure what the classifier makes of what a system claims, and of the rest."""

from harness import perform
from l2i.evaluation.drawn_clips import drawn_test_rows
from l2i.evaluation.explainers import by_components, masks_of_clips
from l2i.evaluation.masked_scores import Scorer
from l2i.interpretation.explained import Explaining
from l2i.systems.loading import open_system
from l2i.tables import write_rows
from l2i.training.opening import open_recordings
from l2i.training.task import Recordings


def measure_masks(
    recordings: Recordings,
    network: Explaining,
    path_to_masks: str,
    *,
    n_steps: int,
    n_clips: int,
    operators: list[str],
    threshold: float,
    relevance_pooling: str,
    relevance_scale: str,
    seed: int,
    system: str,
    variant: str,
    run: str,
) -> dict:
    """Write one row per test clip, decided class and operator; facts: clips."""
    fold = recordings.fold
    explained = network.explained(
        recordings.classifier,
        relevance_pooling=relevance_pooling,
        relevance_scale=relevance_scale,
    )
    scorer = Scorer(explained.predict, explained.classifier, fold.front_end, operators, seed)
    explainers = {system: by_components(explained, threshold=threshold, n_steps=n_steps)}
    rows = drawn_test_rows(fold, n_clips, "masks", seed)
    scores = masks_of_clips(recordings, scorer, explainers, rows)[system]
    write_rows(fold.label_rows(scores, system=system, variant=variant, run=run), path_to_masks)
    return {"n_clips": len(rows)}


if __name__ == "__main__":
    perform(snakemake, measure_masks, recordings=open_recordings, network=open_system)
