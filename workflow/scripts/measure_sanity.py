"""Explain the test clips with classifiers whose weights are shuffled, more and more of them."""

from collections.abc import Iterator

import pandas as pd

from harness import perform
from l2i.evaluation.sanity import explained_for, heard, sanity_rows
from l2i.interpretation.explained import Explaining
from l2i.networks.classifier import Classifier
from l2i.networks.shuffled_weights import CASCADE, name_of, shuffled
from l2i.progress import progress
from l2i.streams import random_stream
from l2i.systems.loading import open_system
from l2i.tables import write_rows
from l2i.training.opening import open_recordings
from l2i.training.task import Recordings, needed

N_CLIPS = 32  # training clips that statistics of batch norms are taken of; fewer where there are


def measure_sanity(
    recordings: Recordings,
    network: Explaining,
    path_to_sanity: str,
    *,
    threshold: float,
    n_draws: int,
    relevance_pooling: str,
    relevance_scale: str,
    seed: int,
    system: str,
    variant: str,
    run: str,
) -> dict:
    """Write one row per test clip, step of the cascade and draw; fact: clips, networks.

    The first step shuffles nothing, once. The interpreter is the same throughout.
    """
    fold = recordings.fold
    how = {"relevance_pooling": relevance_pooling, "relevance_scale": relevance_scale}
    pairs = [
        (key, network.explained(classifier, **how))
        for key, classifier in _classifiers(recordings, n_draws, seed)
    ]
    _, intact = pairs[0]
    tables = []
    for clips in progress(recordings.batches(fold.test_rows), description="Explain", unit="batch"):
        classes = clips.reference.argmax(1)
        relevances = explained_for(intact, clips.log_mel, classes)
        sounds = [heard(waveform, fold.front_end) for waveform in clips.waveforms]
        about = pd.DataFrame({"clip": fold.index["clip"].iloc[clips.rows].to_numpy()})
        about["class"] = [fold.classes[c] for c in classes]
        for key, explained in pairs:
            rows = sanity_rows(
                *(explained, clips.log_mel, sounds, relevances, classes, fold.front_end),
                threshold=threshold,
            )
            tables.append(about.assign(**key).join(rows))
    scores = pd.concat(tables, ignore_index=True)
    write_rows(fold.label_rows(scores, system=system, variant=variant, run=run), path_to_sanity)
    return {"n_clips": len(fold.test_rows), "n_networks": len(pairs)}


def _classifiers(
    recordings: Recordings, n_draws: int, seed: int
) -> Iterator[tuple[dict[str, str | int], Classifier]]:
    """The classifier as it is, then shuffled ones, each with what tells it apart."""
    classifier, rows = needed(recordings.classifier, "classifier"), recordings.fold.train_rows
    chosen = random_stream(seed, "batch norm clips").permutation(rows)[:N_CLIPS]
    M = recordings.clips(chosen).log_mel
    nothing, *steps = CASCADE
    yield {"shuffled": name_of(nothing), "draw": 0}, classifier
    for stages in steps:
        for draw in range(n_draws):
            network = shuffled(classifier, stages, M, seed=seed, draw=draw)
            yield {"shuffled": name_of(stages), "draw": draw}, network


if __name__ == "__main__":
    perform(snakemake, measure_sanity, recordings=open_recordings, network=open_system)
