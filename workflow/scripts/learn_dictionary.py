"""Learn the spectral dictionary W of one fold from its training clips (Sec. III-D, IV-B.3)."""

from pathlib import Path

import pandas as pd

from harness import perform
from l2i.checks import InputError
from l2i.datasets.fold import Fold, open_fold
from l2i.dictionary.learning import DictionaryResult, Part, learn_per_class, learn_together
from l2i.dictionary.stored_dictionary import save_dictionary
from l2i.features.cache import open_features
from l2i.streams import torch_stream
from l2i.tables import write_rows


def learn_dictionary(
    fold: Fold,
    path_to_log_magnitude: str,
    path_to_dictionary: str,
    path_to_history: str,
    *,
    dictionary: dict,
    seed: int,
    device: str,
    checkpoints: str,
) -> dict:
    """Write the dictionary of one fold; facts: errors, the clips and columns seen, the time."""
    log_magnitude = open_features(path_to_log_magnitude, n_clips=len(fold.index))
    rows = fold.train_rows
    how = {
        "n_components": dictionary["n_components"],
        "sparsity": dictionary["sparsity"],
        "n_iter": dictionary["n_iter"],
        "solver": dictionary["solver"],
        "generator": torch_stream(seed, "dictionary"),
        "device": device,
    }
    if dictionary["clips_per_class"] is not None:
        result = learn_per_class(
            log_magnitude,
            rows,
            fold.targets(rows),
            dataset=fold.dataset,
            classes=fold.classes,
            n_noise_components=dictionary["n_noise_components"],
            clips_per_class=dictionary["clips_per_class"],
            checkpoint=Path(checkpoints) / f"parts-{device}.pt",
            **how,
        )
    elif dictionary["n_noise_components"]:
        key = f"datasets.{fold.dataset}.dictionary"
        raise InputError(
            f"{key}.n_noise_components is {dictionary['n_noise_components']}, but noise is only "
            f"held fixed beside single classes: set it to 0, or {key}.clips_per_class to a number"
        )
    else:
        result = learn_together(log_magnitude, rows, **how)

    owners = result.component_classes
    save_dictionary(path_to_dictionary, result.W, component_classes=owners, **fold.identity)
    write_rows(history_of(result), path_to_history)
    return facts_of(result.parts)


def history_of(result: DictionaryResult) -> pd.DataFrame:
    """Objective of every iteration, of every part where there are several."""
    histories = [part.history.assign(part=name) for name, part in result.parts.items()]
    leading = [] if result.component_classes is None else ["part"]
    return pd.concat(histories)[[*leading, "iteration", "objective", "seconds"]]


def facts_of(parts: dict[str, Part]) -> dict:
    """What the record says of parts: their errors and clips, and sums over them."""
    errors = {name: part.relative_error for name, part in parts.items()}
    return {
        "relative_error": sum(errors.values()) / len(errors),
        "relative_errors": errors,
        "n_clips": {name: part.n_clips for name, part in parts.items()},
        "n_columns": sum(part.n_columns for part in parts.values()),
        "seconds": sum(float(part.history["seconds"].iloc[-1]) for part in parts.values()),
    }


if __name__ == "__main__":
    perform(snakemake, learn_dictionary, fold=open_fold)
