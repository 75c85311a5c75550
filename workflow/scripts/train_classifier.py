"""Train the network under interpretation on one fold's training clips (Sec. IV-B.1)."""

import torch

from harness import perform
from l2i.classifier import Classifier
from l2i.features import open_features
from l2i.fine_tuning import Augmentation, fine_tune_head, train_all_layers
from l2i.fold import open_fold
from l2i.models import save_classifier
from l2i.runtime import precision_name, resolve_precision
from l2i.training import Plan
from l2i.weights import load_weights


def train_classifier(
    path_to_index: str,
    path_to_classes: str,
    path_to_log_mel: str,
    path_to_weights: list[str],
    path_to_model: str,
    path_to_history: str,
    *,
    classifier: dict,
    features: dict,
    seed: int,
    dataset: str,
    fold: str,
    device: str,
) -> dict:
    """Write the classifier of one fold; facts: precision, parameters, seconds an epoch."""
    split = open_fold(path_to_index, path_to_classes, dataset=dataset, fold=fold, features=features)
    log_mel, rows = open_features(path_to_log_mel), split.train_rows
    labels = split.labels(rows)
    precision = resolve_precision(classifier["precision"], device)
    plan = Plan(
        n_epochs=classifier["n_epochs"],
        batch_size=classifier["batch_size"],
        learning_rate=classifier["learning_rate"],
        schedule=classifier["schedule"],
    )

    torch.manual_seed(seed)
    network = Classifier(
        len(split.classes),
        width=classifier["width"],
        head_units=classifier["head_units"],
        dropout=classifier["dropout"],
    )
    if path_to_weights:
        load_trunk(network, path_to_weights[0])
    network = network.to(device).to(memory_format=torch.channels_last)
    where = {"precision": precision, "device": device}
    if classifier["trainable"] == "head":
        history = fine_tune_head(network, log_mel, rows, labels, plan, **where)
    else:
        changes = classifier["augmentation"]
        augmentation = Augmentation(**changes) if changes else None
        history = train_all_layers(
            network, log_mel, rows, labels, plan, augmentation=augmentation, **where
        )

    save_classifier(path_to_model, network, **split.identity)
    history.to_csv(path_to_history, index=False)
    return {
        "precision": precision_name(precision),
        "n_parameters": sum(p.numel() for p in network.parameters()),
        "seconds_per_epoch": float(history["seconds"].median()),
    }


def load_trunk(network: Classifier, path_to_weights: str) -> None:
    """Put published weights under the fresh head."""
    trunk = load_weights(path_to_weights, kind="trunk")
    missing, unexpected = network.load_state_dict(trunk, strict=False)
    left = [name for name in missing if not name.endswith("num_batches_tracked")]
    if unexpected or any(not name.startswith(("head.", "output.")) for name in left):
        raise ValueError(f"{path_to_weights} does not hold the trunk: {unexpected or left}")


if __name__ == "__main__":
    perform(snakemake, train_classifier)
