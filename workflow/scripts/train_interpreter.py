"""Train an interpreter on one fold's frozen classifier (Sec. III-B)."""

import tempfile
from pathlib import Path

import torch
from l2i.systems.posthoc import LossWeights, train_posthoc

from harness import perform
from l2i.dictionary import load_dictionary
from l2i.features import open_features
from l2i.fingerprints import file_sha256
from l2i.fold import open_fold
from l2i.interpreter import Interpreter
from l2i.models import load_classifier, save_interpreter
from l2i.runtime import precision_name, resolve_precision
from l2i.training import Plan


def train_interpreter(
    path_to_index: str,
    path_to_classes: str,
    path_to_log_mel: str,
    path_to_log_magnitude: str,
    path_to_dictionary: str,
    path_to_classifier: str,
    path_to_model: str,
    path_to_history: str,
    *,
    interpreter: dict,
    pooling: str,
    features: dict,
    dataset: str,
    fold: str,
    system: str,
    variant: str,
    run: str,
    device: str,
) -> dict:
    """Write the interpreter of one fold and run; facts: precision, parity, cost."""
    split = open_fold(path_to_index, path_to_classes, dataset=dataset, fold=fold, features=features)
    classifier = load_classifier(path_to_classifier, device=device, **split.identity)
    W = load_dictionary(path_to_dictionary, **split.identity)
    precision = resolve_precision(interpreter["precision"], device)

    class_wise = pooling == "attention" and interpreter["attention"] == "class_wise"
    torch.manual_seed(int(run))
    network = Interpreter(
        W,
        len(split.classes),
        pooling="class_attention" if class_wise else pooling,
        dropout=interpreter[f"{pooling}_dropout"],
        width=classifier.architecture["width"],
        taps=interpreter["taps"],
    )
    network = network.to(device).to(memory_format=torch.channels_last)
    # Beside the result: temporary folders of compute nodes are often in memory.
    with tempfile.TemporaryDirectory(prefix=".part-", dir=Path(path_to_model).parent) as scratch:
        history, parity = train_posthoc(
            network,
            classifier,
            open_features(path_to_log_mel),
            open_features(path_to_log_magnitude),
            split.train_rows,
            LossWeights(
                reconstruction=interpreter["reconstruction_weight"],
                sparsity=interpreter["sparsity_weight"],
                fidelity=interpreter["fidelity_weight"],
            ),
            Plan(
                n_epochs=interpreter["n_epochs"],
                batch_size=interpreter["batch_size"],
                learning_rate=interpreter["learning_rate"],
            ),
            precision=precision,
            device=device,
            scratch=Path(scratch),
        )

    origin = {"system": system, "variant": variant, "run": run}
    origin |= {"classifier_sha256": file_sha256(path_to_classifier)}
    save_interpreter(path_to_model, network, **origin, **split.identity)
    history.to_csv(path_to_history, index=False)
    return {
        "precision": precision_name(precision),
        "parity_with_float32": parity,
        "n_parameters": sum(p.numel() for p in network.parameters()),
        "seconds_per_epoch": float(history["seconds"].median()),
    }


if __name__ == "__main__":
    perform(snakemake, train_interpreter)
