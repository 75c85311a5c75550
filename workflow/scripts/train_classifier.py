"""Train the network under interpretation on one fold's training clips (Sec. IV-B.1)."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch

from harness import perform
from l2i.checks import InputError
from l2i.datasets.fold import Fold, open_fold
from l2i.features.cache import open_features
from l2i.networks.classifier import Classifier
from l2i.networks.stored_classifier import fresh_classifier, frozen, save_classifier
from l2i.runtime import precision_name, resolve_precision
from l2i.streams import stream_seed
from l2i.tables import write_rows
from l2i.thresholds import best_thresholds
from l2i.training import losses
from l2i.training.checkpoints import checkpoint_path
from l2i.training.fine_tuning import fit_classifier, predict


def train_classifier(
    fold: Fold,
    path_to_log_mel: str,
    path_to_weights: list[str],
    path_to_model: str,
    path_to_history: str,
    *,
    classifier: dict,
    seed: int,
    device: str,
    checkpoints: str,
) -> dict:
    """Write the classifier of one fold; facts: precision, parameters, seconds an epoch."""
    log_mel = open_features(path_to_log_mel, n_clips=len(fold.index))
    rows = fold.train_rows
    precision = resolve_precision(classifier["precision"], device)

    torch.manual_seed(stream_seed(seed, "classifier"))
    network = fresh_classifier(
        len(fold.classes),
        multi_label=fold.multi_label,
        architecture={name: classifier[name] for name in ("width", "head_units", "dropout")},
        path_to_weights=path_to_weights[0] if path_to_weights else None,
        device=device,
    )
    weight = classifier["positive_weight"]
    loss = losses.classification(
        fold.multi_label, None if weight is None else torch.tensor(weight, device=device)
    )
    history = fit_classifier(
        network,
        log_mel,
        rows,
        fold.targets(rows),
        classifier,
        loss=loss,
        precision=precision,
        device=device,
        checkpoint=checkpoint_path(Path(checkpoints), device, precision),
    )
    if fold.multi_label:
        set_thresholds(network, fold, log_mel, classifier["decision"], device)

    save_classifier(path_to_model, network, **fold.identity)
    write_rows(history, path_to_history)
    return {
        "precision": precision_name(precision),
        "n_parameters": sum(p.numel() for p in network.parameters()),
        "seconds_per_epoch": float(history["seconds"].median()),
    }


def set_thresholds(
    network: Classifier,
    fold: Fold,
    log_mel: np.ndarray,
    decision: Literal["validate"] | float,
    device: str,
) -> None:
    """Store with the network from which probability on it decides for a class."""
    if decision != "validate":
        network.thresholds.fill_(decision)
        return
    rows = fold.validate_rows
    if not len(rows):
        raise InputError(
            f"datasets.{fold.dataset}.classifier.decision is validate, but the corpus has no such "
            "clips: set it to a number, such as 0.5"
        )
    probabilities = predict(frozen(network, device), log_mel, rows, device).sigmoid()
    thresholds = best_thresholds(fold.targets(rows).numpy(), probabilities.numpy())
    network.thresholds.copy_(torch.from_numpy(thresholds))


if __name__ == "__main__":
    perform(snakemake, train_classifier, fold=open_fold)
