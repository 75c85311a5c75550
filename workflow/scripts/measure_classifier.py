"""Let the classifier decide on its test clips (Table I)."""

from harness import perform
from l2i.datasets.fold import Fold, open_fold
from l2i.evaluation.clip_scores import classification_rows, tagging_rows
from l2i.features.cache import open_features
from l2i.networks.stored_classifier import load_classifier
from l2i.tables import write_rows
from l2i.training.fine_tuning import predict


def measure_classifier(
    fold: Fold,
    path_to_log_mel: str,
    path_to_classifier: str,
    path_to_classification: str,
    *,
    device: str,
) -> dict:
    """Write one row per test clip; fact: clips."""
    classifier = load_classifier(path_to_classifier, device=device, **fold.identity)
    rows = fold.test_rows
    log_mel = open_features(path_to_log_mel, n_clips=len(fold.index))
    logits = predict(classifier, log_mel, rows, device)
    if fold.multi_label:
        decisions = classifier.decisions(logits.to(device)).cpu()  # where the thresholds are
        scores = tagging_rows(logits, decisions, fold.targets(rows), fold.classes)
    else:
        scores = classification_rows(logits, fold.labels(rows))
    scores.insert(0, "clip", fold.index["clip"].to_numpy()[rows])
    write_rows(fold.label_rows(scores), path_to_classification)
    return {"n_clips": len(rows)}


if __name__ == "__main__":
    perform(snakemake, measure_classifier, fold=open_fold)
