"""Measure what the classifier loses without the relevant components, clip by clip (Table V)."""

import pandas as pd

from harness import perform
from l2i.evaluation import Explained, Pair, Removals, faithfulness_rows, n_random
from l2i.features import open_features, rows_of
from l2i.fold import Fold, open_fold
from l2i.models import load_pair
from l2i.progress import progress


def measure_faithfulness(
    path_to_index: str,
    path_to_classes: str,
    path_to_log_mel: str,
    path_to_classifier: str,
    path_to_interpreter: str,
    path_to_faithfulness: str,
    *,
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
    run: str,
    data: str,
    device: str,
) -> dict:
    """Write one row per test clip and removal; facts: clips, size of the random sets."""
    split = open_fold(path_to_index, path_to_classes, dataset=dataset, fold=fold, features=features)
    networks = load_pair(
        path_to_classifier,
        path_to_interpreter,
        system=system,
        run=run,
        device=device,
        identity=split.identity,
    )
    pair = Pair(
        *networks,
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
    explained = explain_test_clips(split, pair, path_to_log_mel, device)
    n_removed = n_random(explained, removals)

    tables = []
    clips = zip(split.test_rows, explained, strict=True)
    for row, clip in progress(
        clips, description="Remove components", unit="clip", total=len(explained)
    ):
        waveform = split.waveform(data, row, clip_seconds).to(device)
        rows = faithfulness_rows(pair, clip, waveform, split.front_end, removals, n_removed)
        rows.insert(0, "clip", clip.clip)
        tables.append(rows)
    scores = pd.concat(tables, ignore_index=True)
    split.label_rows(scores, system=system, run=run).to_csv(path_to_faithfulness, index=False)
    return {"n_clips": len(explained), "n_removed_at_random": n_removed}


def explain_test_clips(
    split: Fold, pair: Pair, path_to_log_mel: str, device: str
) -> list[Explained]:
    """Decision, activations and relevances of every test clip."""
    log_mel = open_features(path_to_log_mel)
    explained = []
    for row in split.test_rows:
        M = rows_of(log_mel, [row]).to(device)
        logits, interpretation = pair.explain(M, M.shape[1])
        target = logits.argmax(1)
        explained.append(
            Explained(
                clip=split.index["clip"].iloc[row],
                target=int(target),
                logits=logits[0],
                H=interpretation.H[0],
                r=pair.relevance_to(interpretation, target)[0],
            )
        )
    return explained


if __name__ == "__main__":
    perform(snakemake, measure_faithfulness)
