"""Write what integrated gradients and Grad-CAM find in clips of a fold as sound."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from harness import perform
from l2i.datasets.fold import Fold, open_fold
from l2i.evaluation.masked_explanations import claimed, energy_share
from l2i.features.spectral import log_magnitude, phase_of
from l2i.interpretation.attributions import (
    METHODS,
    Attributions,
    attributions_of,
    fitted,
)
from l2i.interpretation.listening import (
    Clip,
    Predictor,
    Sound,
    by_class,
    hearing_of,
    write_array,
    write_input,
    write_interpretation,
)
from l2i.interpretation.occasions import read_entries
from l2i.interpretation.opened_clips import open_entry
from l2i.interpretation.synthesis import inverted
from l2i.names import file_name
from l2i.networks.stored_classifier import load_classifier
from l2i.progress import progress


def explain_by_attribution(
    fold: Fold,
    path_to_classifier: str,
    path_to_clips: str,
    path_to_sounds: list[str],
    *,
    clip_seconds: float,
    attributions: dict,
    data: str,
    device: str,
) -> dict:
    """Write a folder for each clip of an occasion, and in it one for each interpreted class.

    Parameters
    ----------
    path_to_sounds : list of str
        One for each of `METHODS`, in their order.

    Returns
    -------
    dict
        n_clips; of both methods together n_interpretations, and those of which nothing is heard.
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
    folders = dict(zip(METHODS, map(Path, path_to_sounds), strict=True))
    for folder in folders.values():
        folder.mkdir()
    entries, kept = read_entries(path_to_clips), []
    for entry in progress(entries, description="Explain by gradients", unit="clip"):
        opened = open_entry(fold, entry, data)
        clip = opened.clip
        S = hearing.stft(clip.waveform.to(device))
        with torch.no_grad():
            logits = classifier(hearing.front_end.log_mel(S)[None])
        targets = opened.targets_of(classifier, logits)
        probabilities = by_class(fold.classes, classifier.probabilities(logits)[0])
        for method, folder in folders.items():
            of_clip = folder / file_name(clip.name)
            write_input(of_clip, clip)
            found = attributions_of(
                method,
                classifier,
                log_magnitude(S),
                [*targets],
                hearing.front_end,
                Attributions(**attributions),
            )
            for target, attribution in found.items():
                about = {"decided": targets[target], "classifier_probabilities": probabilities}
                name = fold.classes[target]
                written = of_clip / file_name(name)
                kept.append(write_sounds(written, clip, attribution, about, predictor, name))
    return {"n_clips": len(entries), "n_interpretations": len(kept), "n_silent": kept.count(0)}


def write_sounds(
    folder: Path,
    clip: Clip,
    attribution: Tensor,
    about: dict,
    predictor: Predictor,
    target: str,
) -> float:
    """One explained decision: what its mask keeps and what is left; the share of ||X||^2 kept."""
    front_end, waveform = predictor.hearing.front_end, clip.waveform.double()
    S = front_end.stft(inverted(waveform, front_end))
    X, phase = log_magnitude(S), phase_of(S)
    mask = fitted(claimed(attribution.cpu()), X.shape[1])

    def sound(spectrogram: Tensor) -> np.ndarray:
        return clip.gain * front_end.inverse(spectrogram, phase, len(waveform)).float().numpy()

    sounds = {
        "interpretation": Sound("interpretation", sound(mask * X)),
        "remainder": Sound("remainder", sound(X - mask * X)),
    }
    kept = float(energy_share(X, mask[None]))
    about = {**about, "mask": "mask.npy", "energy_kept": float(f"{kept:.6g}")}
    write_interpretation(folder, clip, sounds, about, predictor, target=target)
    write_array(folder / about["mask"], mask, "<f2")
    return kept


if __name__ == "__main__":
    perform(snakemake, explain_by_attribution, fold=open_fold)
