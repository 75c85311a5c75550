"""Train a system on one fold: an interpreter of its classifier, or one that predicts by itself."""

from pathlib import Path

import torch

from harness import perform
from l2i.dictionary.learning import load_dictionary
from l2i.networks.stored_classifier import fresh_classifier
from l2i.runtime import precision_name, resolve_precision
from l2i.systems.loading import open_recordings, origin_of, save_system, system_module
from l2i.training import losses
from l2i.training.model_selection import choose_and_train
from l2i.training.task import Task


def train_system(
    path_to_index: str,
    path_to_classes: str,
    path_to_log_mel: str,
    path_to_log_magnitude: str,
    path_to_dictionary: list[str],
    path_to_classifier: list[str],
    path_to_weights: list[str],
    path_to_model: str,
    path_to_history: str,
    *,
    module: str,
    system_settings: dict,
    choose: dict,
    start: dict | None,
    features: dict,
    clip_seconds: float,
    positive_weight: list[float] | None,
    selection_seed: int | None,
    dataset: str,
    fold: str,
    system: str,
    variant: str,
    run: str,
    data: str,
    device: str,
    checkpoints: str,
    scratch: str,
) -> dict:
    """Write the network of one fold and run; facts: precision, cost, what the system tells."""
    recordings = open_recordings(
        path_to_index,
        path_to_classes,
        path_to_log_mel,
        path_to_log_magnitude,
        path_to_classifier,
        dataset=dataset,
        fold=fold,
        features=features,
        clip_seconds=clip_seconds,
        data=data,
        device=device,
    )
    split = recordings.fold
    precision = resolve_precision(system_settings.pop("precision"), device)
    torch.manual_seed(int(run))
    classifier = None
    if start is not None:
        classifier = fresh_classifier(
            len(split.classes),
            multi_label=split.multi_label,
            architecture=start,
            path_to_weights=path_to_weights[0] if path_to_weights else None,
            device=device,
        )
    weight = None if positive_weight is None else torch.tensor(positive_weight, device=device)
    W = None
    if path_to_dictionary:
        W = load_dictionary(path_to_dictionary[0], **split.identity).to(device)
    task = Task(
        **vars(recordings),
        rows=split.train_rows,
        loss=losses.classification(split.multi_label, weight),
        start=classifier,
        W=W,
        precision=precision,
        scratch=Path(scratch),
        checkpoints=Path(checkpoints),
    )
    train = system_module(module).train
    trained = choose_and_train(
        train, task, system_settings, choose, seed=int(run), selection_seed=selection_seed
    )

    origin = origin_of(module, system, variant, run, path_to_classifier)
    save_system(path_to_model, trained.network, **origin, **split.identity)
    trained.history.to_csv(path_to_history, index=False)
    seconds, waiting = trained.history["seconds"], trained.history["seconds_waiting"]
    return {
        "precision": precision_name(precision),
        "n_parameters": sum(p.numel() for p in trained.network.parameters()),
        "n_epochs": len(trained.history),
        "seconds_per_epoch": float(seconds.median()),
        "share_waiting": float(waiting.sum() / max(seconds.sum(), 1e-9)),
        **trained.facts,  # a system may count its own parameters
    }


if __name__ == "__main__":
    perform(snakemake, train_system)
