"""Write the interpretations of a fold's listening clips as sound (Algorithm 1)."""

import json
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import pad

from harness import perform
from l2i.audio import read_audio, write_wav
from l2i.checks import InputError
from l2i.evaluation import Pair
from l2i.fold import Fold
from l2i.synthesis import Listening, level_dbfs, listen
from l2i.systems.stored import open_recordings, open_system


def interpret_clips(
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
    threshold: float,
    relevance_scale: str,
    listening: list[str] | int,
    seed: int,
    dataset: str,
    fold: str,
    system: str,
    variant: str,
    run: str,
    data: str,
    device: str,
) -> dict:
    """Write a folder for each listed test clip, and in it one for each interpreted class.

    Facts: clips, interpretations.
    """
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
    network = open_system(
        path_to_system,
        path_to_classifier,
        recordings,
        module=module,
        system=system,
        variant=variant,
        run=run,
    )
    pair = network.pair(recordings.classifier, relevance_scale=relevance_scale)
    Path(path_to_sounds).mkdir()
    rows = chosen_clips(split, listening, seed)
    n_sounds = 0
    for row in rows:
        as_read = read_audio(
            Path(data) / dataset / split.index["path"].iloc[row],
            sample_rate=split.front_end.sample_rate,
        )
        waveform = split.waveform(data, row)
        # The networks hear the clip scaled; the listener hears it as it was.
        peak = float(waveform.abs().max())
        gain = float(np.abs(as_read).max()) / peak if peak else 1.0
        folder = Path(path_to_sounds) / split.index["clip"].iloc[row]
        folder.mkdir()
        write_wav(
            folder / "input.wav", gain * waveform.numpy(), sample_rate=split.front_end.sample_rate
        )
        for target in interpreted_classes(pair, split, waveform.to(device), clip_seconds):
            heard = listen(
                pair,
                waveform.to(device),
                split.front_end,
                threshold=threshold,
                n_decided=round(clip_seconds * split.front_end.sample_rate),
                target=target,
            )
            n_sounds += 1
            write_sounds(folder / split.classes[target], split, row, heard, gain, threshold)
    return {"n_clips": len(rows), "n_interpretations": n_sounds}


def chosen_clips(split: Fold, listening: list[str] | int, seed: int) -> list[int]:
    """Rows of the test clips that are named, or of so many drawn at random."""
    if isinstance(listening, int):
        n = min(listening, len(split.test_rows))
        return sorted(np.random.default_rng(seed).choice(split.test_rows, n, replace=False))
    names = split.index["clip"]
    unknown = sorted(set(listening) - set(names))
    if unknown:
        raise InputError(
            f"datasets.{split.dataset}.listening names {', '.join(unknown)}: the corpus has none "
            "such. Names are those of audio files without their suffix"
        )
    return [row for row in split.test_rows if names.iloc[row] in listening]


def interpreted_classes(
    pair: Pair, split: Fold, waveform: torch.Tensor, clip_seconds: float
) -> list[int]:
    """The classes that the classifier decides for, or the most probable one where there is none."""
    n_samples = round(clip_seconds * split.front_end.sample_rate)
    decided = pad(waveform, (0, n_samples - len(waveform)))  # crops where negative
    with torch.no_grad():
        logits = pair.predict(split.front_end.log_mel(split.front_end.stft(decided))[None])
    classes = pair.classifier.decisions(logits)[0].nonzero()[:, 0].tolist()
    return classes or [int(logits.argmax())]


def write_sounds(
    folder: Path, split: Fold, row: int, heard: Listening, gain: float, threshold: float
) -> None:
    """One interpretation: its sounds at the level of the file as read, and what they are."""
    sounds = {"interpretation": heard.interpretation, "remainder": heard.remainder}
    sounds |= {f"component_{k:03d}": sound for k, sound in heard.components.items()}
    folder.mkdir()
    files = {}
    for name, sound in sounds.items():
        samples = gain * sound.numpy()
        write_wav(folder / f"{name}.wav", samples, sample_rate=split.front_end.sample_rate)
        files[name] = {"file": f"{name}.wav", "level_dbfs": level_dbfs(samples)}
        if name.startswith("component_"):
            files[name]["relevance"] = float(heard.relevance[int(name.split("_")[1])])
    known = zip(split.classes, split.targets([row])[0].tolist(), strict=True)
    description = {
        "clip": split.index["clip"].iloc[row],
        "labels": [name for name, value in known if value == 1],
        "interpreted_class": split.classes[heard.target],
        "threshold": threshold,
        "sample_rate_hz": split.front_end.sample_rate,
        "n_samples": len(heard.interpretation),
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
