"""Write the heaviest prototype of each class as sound (APNet)."""

import json
from dataclasses import asdict
from pathlib import Path

import torch

from harness import perform
from l2i.disk import write_text
from l2i.features.audio import scale_waveform, write_wav
from l2i.interpretation.listening import by_class, level_dbfs
from l2i.names import file_name
from l2i.systems.apnet import APNet
from l2i.systems.apnet_sounds import heaviest_prototypes, logits_of_sound, prototype_sounds
from l2i.systems.loading import open_system
from l2i.training.opening import open_recordings
from l2i.training.task import Recordings


def sound_prototypes(
    recordings: Recordings,
    network: APNet,
    path_to_sounds: str,
) -> dict:
    """Write a folder with one wav for each class and prototypes.json; fact: prototypes.

    `probabilities` there are what the network itself says of the sound, scaled as clips are.
    """
    fold = recordings.fold
    numbers = heaviest_prototypes(network)
    sounds = prototype_sounds(network, recordings, fold.train_rows, numbers)
    folder = Path(path_to_sounds)
    folder.mkdir()
    about = []
    for name, sound in zip(fold.classes, sounds, strict=True):
        file = f"{file_name(name)}.wav"
        write_wav(folder / file, sound.waveform, sample_rate=sound.sample_rate)
        logits = logits_of_sound(network, scale_waveform(sound.waveform, fold.waveform_scale))
        said = logits.sigmoid() if fold.multi_label else logits.softmax(-1)
        known = zip(fold.classes, fold.targets([sound.nearest_row])[0].tolist(), strict=True)
        about.append(
            {
                "class": name,
                "prototype": sound.number,
                "file": file,
                "kind": "prototype",
                "level_dbfs": level_dbfs(sound.waveform),
                "sample_rate_hz": sound.sample_rate,
                "class_weights": by_class(fold.classes, torch.as_tensor(sound.class_weights)),
                "nearest_training_clip": fold.index["clip"].iloc[sound.nearest_row],
                "its_labels": [label for label, value in known if value == 1],
                "squared_distance": sound.distance,
                "front_end": asdict(network.front_end),
                "probabilities": by_class(fold.classes, said),
            }
        )
    text = json.dumps(about, indent=2, allow_nan=False) + "\n"
    write_text(folder / "prototypes.json", text)
    return {"n_prototypes": len(set(numbers))}


if __name__ == "__main__":
    perform(snakemake, sound_prototypes, recordings=open_recordings, network=open_system)
