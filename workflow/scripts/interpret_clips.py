"""Write the interpretations of a fold's listening clips as sound (Algorithm 1)."""

from pathlib import Path

from harness import perform
from l2i.features.audio import write_wav
from l2i.interpretation.listening import (
    Clip,
    by_class,
    chosen_clips,
    decided_log_mel,
    interpreted_classes,
    open_clip,
    write_interpretation,
)
from l2i.interpretation.synthesis import SynthesisedInterpretation, synthesise
from l2i.systems.loading import open_system


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
    explained = network.explained(recordings.classifier, relevance_scale=relevance_scale)
    Path(path_to_sounds).mkdir()
    rows = chosen_clips(split, listening, seed)
    n_sounds = 0
    for row in rows:
        # The networks hear the clip scaled; the listener hears it as it was.
        clip = open_clip(split, row, data)
        folder = Path(path_to_sounds) / clip.name
        folder.mkdir()
        write_wav(folder / "input.wav", clip.as_read, sample_rate=clip.sample_rate)
        waveform = clip.waveform.to(device)
        M = decided_log_mel(split, waveform, clip_seconds)
        for target in interpreted_classes(explained.classifier, explained.predict(M)):
            heard = synthesise(
                explained,
                waveform,
                split.front_end,
                threshold=threshold,
                n_decided=round(clip_seconds * split.front_end.sample_rate),
                target=target,
            )
            n_sounds += 1
            name = split.classes[target]
            write_sounds(folder / name, split.classes, clip, heard, threshold, explained.predictor)
    return {"n_clips": len(rows), "n_interpretations": n_sounds}


def write_sounds(
    folder: Path,
    classes: list[str],
    clip: Clip,
    heard: SynthesisedInterpretation,
    threshold: float,
    predictor: str,
) -> None:
    """One interpretation: its sounds at the level of the file as read, and what they are."""
    components = {f"component_{k:03d}": k for k in heard.components}
    sounds = {"interpretation": heard.interpretation, "remainder": heard.remainder}
    sounds |= {name: heard.components[k] for name, k in components.items()}
    write_interpretation(
        folder,
        clip,
        {name: clip.gain * sound.numpy() for name, sound in sounds.items()},
        {
            "interpreted_class": classes[heard.target],
            "threshold": threshold,
            f"{predictor}_probabilities": by_class(classes, heard.probabilities),
            "interpreter_probabilities": by_class(classes, heard.estimate),
            "relevances": [round(float(r), 6) for r in heard.relevance],
        },
        of_sounds={
            name: {"relevance": float(heard.relevance[k])} for name, k in components.items()
        },
    )


if __name__ == "__main__":
    perform(snakemake, interpret_clips)
