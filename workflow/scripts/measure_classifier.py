"""Let the classifier decide on its test clips (Table I)."""

from harness import perform
from l2i.datasets.fold import open_fold
from l2i.evaluation.clip_scores import classification_rows, tagging_rows
from l2i.features.cache import open_features
from l2i.networks.stored_classifier import load_classifier
from l2i.training.fine_tuning import predict


def measure_classifier(
    path_to_index: str,
    path_to_classes: str,
    path_to_log_mel: str,
    path_to_classifier: str,
    path_to_classification: str,
    *,
    features: dict,
    dataset: str,
    fold: str,
    device: str,
) -> dict:
    """Write one row per test clip; fact: clips."""
    split = open_fold(path_to_index, path_to_classes, dataset=dataset, fold=fold, features=features)
    classifier = load_classifier(path_to_classifier, device=device, **split.identity)
    rows = split.test_rows
    logits = predict(classifier, open_features(path_to_log_mel), rows, device)
    if split.multi_label:
        decisions = classifier.decisions(logits.to(device)).cpu()  # where the thresholds are
        scores = tagging_rows(logits, decisions, split.targets(rows), split.classes)
    else:
        scores = classification_rows(logits, split.labels(rows))
    scores.insert(0, "clip", split.index["clip"].to_numpy()[rows])
    split.label_rows(scores).to_csv(path_to_classification, index=False)
    return {"n_clips": len(rows)}


if __name__ == "__main__":
    perform(snakemake, measure_classifier)
