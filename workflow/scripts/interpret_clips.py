"""Write the interpretations of a fold's listening clips as sound (Algorithm 1)."""

import json
from pathlib import Path

import numpy as np
import torch

from harness import perform
from l2i.audio import read_audio, write_wav
from l2i.checks import InputError
from l2i.evaluation import Pair
from l2i.fold import Fold, open_fold
from l2i.models import load_pair
from l2i.synthesis import Listening, level_dbfs, listen


def interpret_clips(
    path_to_index: str,
    path_to_classes: str,
    path_to_classifier: str,
    path_to_interpreter: str,
    path_to_sounds: str,
    *,
    features: dict,
    clip_seconds: float,
    threshold: float,
    relevance_scale: str,
    listening: list[str],
    dataset: str,
    fold: str,
    system: str,
    run: str,
    data: str,
    device: str,
) -> dict:
    """Write a folder of sounds and a description for each listed test clip; fact: clips."""
    split = open_fold(path_to_index, path_to_classes, dataset=dataset, fold=fold, features=features)
    networks = load_pair(
        path_to_classifier,
        path_to_interpreter,
        system=system,
        run=run,
        device=device,
        identity=split.identity,
    )
    pair = Pair(
        *networks,
        relevance_scale=relevance_scale,
    )
    unknown = sorted(set(listening) - set(split.index["clip"]))
    if unknown:
        raise InputError(
            f"datasets.{dataset}.listening names {', '.join(unknown)}: the corpus has none such. "
            "Names are those of audio files without their suffix"
        )
    Path(path_to_sounds).mkdir()
    rows = [row for row in split.test_rows if split.index["clip"].iloc[row] in listening]
    for row in rows:
        waveform = split.waveform(data, row)
        heard = listen(
            pair,
            waveform.to(device),
            split.front_end,
            threshold=threshold,
            n_decided=round(clip_seconds * split.front_end.sample_rate),
        )
        as_read = read_audio(
            Path(data) / dataset / split.index["path"].iloc[row],
            sample_rate=split.front_end.sample_rate,
        )
        folder = Path(path_to_sounds) / split.index["clip"].iloc[row]
        write_sounds(folder, split, row, heard, waveform, as_read, threshold)
    return {"n_clips": len(rows)}


def write_sounds(
    folder: Path,
    split: Fold,
    row: int,
    heard: Listening,
    waveform: torch.Tensor,
    as_read: np.ndarray,
    threshold: float,
) -> None:
    """One clip: its sounds at the level of the file as read, and what they are."""
    # The networks hear the clip scaled; the listener hears it as it was.
    gain = float(np.abs(as_read).max() / waveform.abs().max())
    sounds = {"input": waveform, "interpretation": heard.interpretation}
    sounds["remainder"] = heard.remainder
    sounds |= {f"component_{k:03d}": sound for k, sound in heard.components.items()}
    folder.mkdir()
    files = {}
    for name, sound in sounds.items():
        samples = gain * sound.numpy()
        write_wav(folder / f"{name}.wav", samples, sample_rate=split.front_end.sample_rate)
        files[name] = {"file": f"{name}.wav", "level_dbfs": level_dbfs(samples)}
        if name.startswith("component_"):
            files[name]["relevance"] = float(heard.relevance[int(name.split("_")[1])])
    description = {
        "clip": split.index["clip"].iloc[row],
        "label": split.index["category"].iloc[row],
        "interpreted_class": split.classes[heard.target],
        "threshold": threshold,
        "sample_rate_hz": split.front_end.sample_rate,
        "n_samples": len(waveform),
        "gain_to_original": gain,
        "classifier_probabilities": by_class(split, heard.probabilities),
        "interpreter_probabilities": by_class(split, heard.estimate),
        "relevances": [round(float(r), 6) for r in heard.relevance],
        "sounds": files,
    }
    text = json.dumps(description, indent=2, allow_nan=False) + "\n"
    (folder / "interpretation.json").write_text(text, encoding="utf-8")


def by_class(split: Fold, probabilities: torch.Tensor) -> dict[str, float]:
    """Probabilities under the names of their classes."""
    return {name: round(float(p), 6) for name, p in zip(split.classes, probabilities, strict=True)}


if __name__ == "__main__":
    perform(snakemake, interpret_clips)
