"""Measure what else finds clips that are mixed: the best of masks, NMF alone, and SLIME."""

from collections.abc import Iterator

import pandas as pd
import torch
from torch import Tensor

from harness import perform
from l2i.dictionary.stored_dictionary import load_dictionary
from l2i.evaluation.nmf_alone import activations, class_shares, relevances
from l2i.evaluation.planted import Planted, Separation, plant, scored, share_of_components
from l2i.evaluation.planted_references import found_by_oracle, found_by_slime
from l2i.features.spectral import log_magnitude
from l2i.interpretation.relevance import select
from l2i.interpretation.slime import Slime, explain, generator
from l2i.progress import progress
from l2i.tables import write_rows
from l2i.training.opening import open_recordings
from l2i.training.task import Recordings, needed


def measure_corruption_references(
    recordings: Recordings,
    path_to_dictionary: str,
    path_to_corruption: str,
    *,
    threshold: float,
    slime: dict,
    sparsity: float,
    snr_db: list[float],
    seed: int,
) -> dict:
    """Write one row per test clip, kind of company, ratio and method; facts: rows, empty ones.

    What is decided is the classifier's, whatever the method.
    """
    fold, front_end = recordings.fold, recordings.fold.front_end
    classifier = needed(recordings.classifier, "classifier")
    W = load_dictionary(path_to_dictionary, **fold.identity).to(recordings.device)
    shares = _shares_of_training_clips(recordings, W, sparsity)
    asked = Slime(**slime)

    def found_in(planted: Planted) -> Iterator[tuple[str, list[Separation]]]:
        mixtures = planted.mixtures.values()
        waveforms = planted.waveforms.to(recordings.device)
        yield "oracle_mask", [found_by_oracle(x.waveform, x.source, front_end) for x in mixtures]
        yield "nmf_alone", [nmf_alone(x, shares[planted.label]) for x in waveforms]
        yield "slime", [by_slime(x, planted) for x in waveforms]

    def nmf_alone(x: Tensor, of_class: Tensor) -> Separation:
        Y = front_end.stft(front_end.to_whole_hops(x))
        H = activations(log_magnitude(Y), W, sparsity=sparsity)
        L = select(relevances(H, of_class), threshold)
        return share_of_components(Y, W, H, L, front_end, len(x))

    def by_slime(x: Tensor, planted: Planted) -> Separation:
        M = front_end.log_mel(front_end.stft(x))
        rng, seconds = generator(seed, 0, planted.clip), recordings.clip_seconds
        explained = explain(classifier, M, [planted.label], asked, rng, clip_seconds=seconds)
        return found_by_slime(x.cpu(), explained[planted.label], front_end)

    tables = []
    for planted in plant(recordings, snr_db, seed=seed):
        M = front_end.log_mel(front_end.stft(planted.waveforms.to(recordings.device)))
        with torch.no_grad():
            decided = classifier(M).argmax(1)
            clean = int(recordings.clips([planted.row]).reference.argmax())
        for system, found in found_in(planted):
            rows = scored(planted, decided, found, decided_when_clean=clean)
            tables.append(rows.assign(system=system))
    scores = pd.concat(tables, ignore_index=True)
    write_rows(fold.label_rows(scores), path_to_corruption)
    return {"n_rows": len(scores), "n_empty": int(scores["empty"].sum())}


def _shares_of_training_clips(recordings: Recordings, W: Tensor, sparsity: float) -> Tensor:
    """Share of each class in the activations of each component, (C, K)."""
    rows = recordings.fold.train_rows
    told = progress(rows, description="Code training clips", unit="clip")
    spectra = (recordings.clips([row]).log_magnitude[0] for row in told)
    pooled = (activations(X, W, sparsity=sparsity).mean(1) for X in spectra)
    return class_shares(pooled, recordings.fold.labels(rows), len(recordings.fold.classes))


if __name__ == "__main__":
    perform(snakemake, measure_corruption_references, recordings=open_recordings)
