"""Write the heaviest prototype of each class as sound (APNet)."""

import json
from pathlib import Path

import torch

from harness import perform
from l2i.features.audio import write_wav
from l2i.interpretation.listening import by_class, level_dbfs
from l2i.systems.apnet_sounds import heaviest_prototypes, prototype_sounds
from l2i.systems.loading import open_system


def sound_prototypes(
    path_to_index: str,
    path_to_classes: str,
    path_to_log_mel: str,
    path_to_log_magnitude: str,
    path_to_classifier: list[str],
    path_to_system: str,
    path_to_sounds: str,
    *,
    module: str,
    features: dict,
    clip_seconds: float,
    dataset: str,
    fold: str,
    system: str,
    variant: str,
    run: str,
    data: str,
    device: str,
) -> dict:
    """Write a folder with one wav for each class and prototypes.json; fact: prototypes."""
    recordings, network = open_system(
        path_to_index,
        path_to_classes,
        path_to_log_mel,
        path_to_log_magnitude,
        path_to_classifier,
        path_to_system,
        **{"dataset": dataset, "fold": fold, "features": features},
        **{"module": module, "system": system, "variant": variant, "run": run},
        **{"clip_seconds": clip_seconds, "data": data, "device": device},
    )
    split = recordings.fold
    numbers = heaviest_prototypes(network)
    sounds = prototype_sounds(network, recordings, split.train_rows, numbers)
    folder = Path(path_to_sounds)
    folder.mkdir()
    about = []
    for name, sound in zip(split.classes, sounds, strict=True):
        file = f"{name}.wav".replace("/", "_")
        write_wav(folder / file, sound.waveform, sample_rate=sound.sample_rate)
        known = zip(split.classes, split.targets([sound.nearest_row])[0].tolist(), strict=True)
        about.append(
            {
                "class": name,
                "prototype": sound.number,
                "file": file,
                "level_dbfs": level_dbfs(sound.waveform),
                "sample_rate_hz": sound.sample_rate,
                "class_weights": by_class(split.classes, torch.as_tensor(sound.class_weights)),
                "nearest_training_clip": split.index["clip"].iloc[sound.nearest_row],
                "its_labels": [label for label, value in known if value == 1],
                "squared_distance": sound.distance,
            }
        )
    text = json.dumps(about, indent=2, allow_nan=False) + "\n"
    (folder / "prototypes.json").write_text(text, encoding="utf-8")
    return {"n_prototypes": len(set(numbers))}


if __name__ == "__main__":
    perform(snakemake, sound_prototypes)
