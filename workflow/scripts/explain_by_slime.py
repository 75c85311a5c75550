"""Write what SLIME finds in clips of a fold as sound (baseline of Sec. V-A.3)."""

from pathlib import Path

import numpy as np
import torch

from harness import perform
from l2i.datasets.fold import Fold, open_fold
from l2i.interpretation.listening import (
    Clip,
    Predictor,
    Sound,
    by_class,
    hearing_of,
    write_input,
    write_interpretation,
)
from l2i.interpretation.occasions import read_entries
from l2i.interpretation.opened_clips import open_entry
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
    """Write a folder for each clip of an occasion, and in it one for each interpreted class.

    Facts: clips, interpretations.
    """
    classifier = load_classifier(path_to_classifier, device=device, **fold.identity)
    hearing = hearing_of(fold, clip_seconds)
    predictor = Predictor(
        "classifier",
        fold.classes,
        lambda M: classifier.probabilities(classifier(M)),
        hearing,
        device,
    )
    Path(path_to_sounds).mkdir()
    entries = read_entries(path_to_clips)
    n_sounds = 0
    for entry in progress(entries, description="Explain by SLIME", unit="clip"):
        opened = open_entry(fold, entry, data)
        clip = opened.clip
        folder = Path(path_to_sounds) / file_name(clip.name)
        write_input(folder, clip)
        M = hearing.log_mel(clip.waveform.to(device))
        with torch.no_grad():
            logits = classifier(M[None])
        targets = opened.targets_of(classifier, logits)
        explained = explain(
            classifier,
            M,
            [*targets],
            Slime(**slime),
            generator(seed, int(run), clip.name),
            clip_seconds=clip_seconds,
        )
        probabilities = by_class(fold.classes, classifier.probabilities(logits)[0])
        for target, explanation in explained.items():
            about = {"decided": targets[target], "classifier_probabilities": probabilities}
            name = fold.classes[target]
            write_sounds(folder / file_name(name), clip, explanation, about, predictor, name)
            n_sounds += 1
    return {"n_clips": len(entries), "n_interpretations": n_sounds}


def write_sounds(
    folder: Path,
    clip: Clip,
    explanation: Explanation,
    about: dict,
    predictor: Predictor,
    target: str,
) -> None:
    """One explained decision: the segments kept, together and alone, and the rest of the clip."""
    hearing = predictor.hearing
    borders = border_samples(explanation.borders, hearing.front_end, hearing.n_samples)

    def through(segments: list[int]) -> tuple[np.ndarray, np.ndarray]:
        return divide(x, gate(segments, borders, len(x), clip.sample_rate))

    x, kept = clip.as_read, explanation.kept
    names = ("interpretation", "remainder")
    sounds = {name: Sound(name, part) for name, part in zip(names, through(kept), strict=True)}
    sounds |= {f"segment_{i:02d}": Sound("segment", through([i])[0], {"segment": i}) for i in kept}
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
    about = {**about, "r2": round(explanation.r2, 6), "segments": segments}
    write_interpretation(folder, clip, sounds, about, predictor, target=target)


if __name__ == "__main__":
    perform(snakemake, explain_by_slime, fold=open_fold)
