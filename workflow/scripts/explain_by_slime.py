"""Write what SLIME finds in a fold's listening clips as sound (baseline of Sec. V-A.3)."""

from pathlib import Path

import numpy as np
import torch

from harness import perform
from l2i.datasets.fold import Fold, open_fold
from l2i.features.audio import write_wav
from l2i.interpretation.listening import (
    Clip,
    by_class,
    decided_log_mel,
    interpreted_classes,
    open_clip,
    rows_of_chosen,
    write_interpretation,
)
from l2i.interpretation.slime import (
    Explanation,
    Slime,
    border_samples,
    divide,
    explain,
    gate,
    generator,
)
from l2i.names import file_name
from l2i.networks.stored_classifier import load_classifier
from l2i.progress import progress


def explain_by_slime(
    fold: Fold,
    path_to_classifier: str,
    path_to_clips: str,
    path_to_sounds: str,
    *,
    clip_seconds: float,
    slime: dict,
    seed: int,
    run: str,
    data: str,
    device: str,
) -> dict:
    """Write a folder for each listed test clip, and in it one for each interpreted class.

    Facts: clips, interpretations.
    """
    classifier = load_classifier(path_to_classifier, device=device, **fold.identity)
    n_decided = round(clip_seconds * fold.front_end.sample_rate)
    Path(path_to_sounds).mkdir()
    rows = rows_of_chosen(fold, path_to_clips)
    n_sounds = 0
    for row in progress(rows, description="Explain by SLIME", unit="clip"):
        clip = open_clip(fold, row, data)
        folder = Path(path_to_sounds) / file_name(clip.name)
        folder.mkdir()
        write_wav(folder / "input.wav", clip.as_read, sample_rate=clip.sample_rate)
        M = decided_log_mel(fold, clip.waveform.to(device), clip_seconds)
        with torch.no_grad():
            logits = classifier(M)
        explained = explain(
            classifier,
            M[0],
            interpreted_classes(classifier, logits),
            Slime(**slime),
            generator(seed, int(run), clip.name),
            clip_seconds=clip_seconds,
        )
        probabilities = classifier.probabilities(logits)[0]
        for target, explanation in explained.items():
            borders = border_samples(explanation.borders, fold.front_end, n_decided)
            about = {
                "interpreted_class": fold.classes[target],
                "classifier_probabilities": by_class(fold.classes, probabilities),
            }
            name = file_name(fold.classes[target])
            write_sounds(folder / name, clip, explanation, borders, about)
            n_sounds += 1
    return {"n_clips": len(rows), "n_interpretations": n_sounds}


def write_sounds(
    folder: Path, clip: Clip, explanation: Explanation, borders: np.ndarray, about: dict
) -> None:
    """One explained decision: the segments kept, together and alone, and the rest of the clip."""

    def through(segments: list[int]) -> tuple[np.ndarray, np.ndarray]:
        return divide(x, gate(segments, borders, len(x), clip.sample_rate))

    x, kept = clip.as_read, explanation.kept
    sounds = dict(zip(("interpretation", "remainder"), through(kept), strict=True))
    sounds |= {f"segment_{i:02d}": through([i])[0] for i in kept}
    seconds = (borders / clip.sample_rate).round(6).tolist()
    segments = [
        {
            "start_seconds": seconds[i],
            "end_seconds": seconds[i + 1],
            "weight": float(f"{weight:.6g}"),
            "kept": i in kept,
        }
        for i, weight in enumerate(explanation.weights)
    ]
    write_interpretation(
        folder, clip, sounds, {**about, "r2": round(explanation.r2, 6), "segments": segments}
    )


if __name__ == "__main__":
    perform(snakemake, explain_by_slime, fold=open_fold)
