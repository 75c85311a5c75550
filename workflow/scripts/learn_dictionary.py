"""Learn the spectral dictionary W of one fold from its training clips (Sec. III-D, IV-B.3)."""

import pandas as pd
import torch

from harness import perform
from l2i.dictionary import save_dictionary, training_columns
from l2i.features import open_features
from l2i.fold import open_fold
from l2i.nmf import sparse_nmf


def learn_dictionary(
    path_to_index: str,
    path_to_classes: str,
    path_to_log_magnitude: str,
    path_to_dictionary: str,
    path_to_history: str,
    *,
    dictionary: dict,
    features: dict,
    seed: int,
    dataset: str,
    fold: str,
    device: str,
) -> dict:
    """Write the dictionary of one fold; facts: its error, the columns it has seen, the time."""
    split = open_fold(path_to_index, path_to_classes, dataset=dataset, fold=fold, features=features)
    log_magnitude = open_features(path_to_log_magnitude)
    X = training_columns(log_magnitude, split.train_rows, device=device)
    result = sparse_nmf(
        X,
        dictionary["n_components"],
        sparsity=dictionary["sparsity"],
        n_iter=dictionary["n_iter"],
        solver=dictionary["solver"],
        generator=torch.Generator().manual_seed(seed),
    )

    save_dictionary(path_to_dictionary, result.W, **split.identity)
    history = pd.DataFrame({"objective": result.objective, "seconds": result.seconds})
    history.to_csv(path_to_history, index_label="iteration")
    return {
        "relative_error": result.relative_error,
        "n_columns": X.shape[1],
        "seconds": float(result.seconds[-1]),
    }


if __name__ == "__main__":
    perform(snakemake, learn_dictionary)
