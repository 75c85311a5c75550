"""Write the interpretations of a fold's listening clips as sound (Algorithm 1)."""

from pathlib import Path

from harness import perform
from l2i.features.audio import write_wav
from l2i.interpretation.explained import Explaining
from l2i.interpretation.listening import (
    Clip,
    by_class,
    decided_log_mel,
    interpreted_classes,
    open_clip,
    rows_of_chosen,
    write_interpretation,
)
from l2i.interpretation.synthesis import SynthesisedInterpretation, synthesise
from l2i.names import file_name
from l2i.systems.loading import open_system
from l2i.training.opening import open_recordings
from l2i.training.task import Recordings


def interpret_clips(
    recordings: Recordings,
    network: Explaining,
    path_to_clips: str,
    path_to_sounds: str,
    *,
    threshold: float,
    relevance_scale: str,
) -> dict:
    """Write a folder for each listed test clip, and in it one for each interpreted class.

    Facts: clips, interpretations.
    """
    fold, clip_seconds = recordings.fold, recordings.clip_seconds
    explained = network.explained(recordings.classifier, relevance_scale=relevance_scale)
    Path(path_to_sounds).mkdir()
    rows = rows_of_chosen(fold, path_to_clips)
    n_sounds = 0
    for row in rows:
        # The networks hear the clip scaled; the listener hears it as it was.
        clip = open_clip(fold, row, recordings.data)
        folder = Path(path_to_sounds) / file_name(clip.name)
        folder.mkdir()
        write_wav(folder / "input.wav", clip.as_read, sample_rate=clip.sample_rate)
        waveform = clip.waveform.to(recordings.device)
        M = decided_log_mel(fold, waveform, clip_seconds)
        for target in interpreted_classes(explained.classifier, explained.predict(M)):
            synthesised = synthesise(
                explained,
                waveform,
                fold.front_end,
                threshold=threshold,
                n_decided=round(clip_seconds * fold.front_end.sample_rate),
                target=target,
            )
            n_sounds += 1
            written = folder / file_name(fold.classes[target])
            write_sounds(written, fold.classes, clip, synthesised, threshold, explained.predictor)
    return {"n_clips": len(rows), "n_interpretations": n_sounds}


def write_sounds(
    folder: Path,
    classes: list[str],
    clip: Clip,
    synthesised: SynthesisedInterpretation,
    threshold: float,
    predictor: str,
) -> None:
    """One interpretation: its sounds at the level of the file as read, and what they are."""
    components = {f"component_{k:03d}": k for k in synthesised.components}
    sounds = {"interpretation": synthesised.interpretation, "remainder": synthesised.remainder}
    sounds |= {name: synthesised.components[k] for name, k in components.items()}
    write_interpretation(
        folder,
        clip,
        {name: clip.gain * sound.numpy() for name, sound in sounds.items()},
        {
            "interpreted_class": classes[synthesised.target],
            "threshold": threshold,
            f"{predictor}_probabilities": by_class(classes, synthesised.probabilities),
            "interpreter_probabilities": by_class(classes, synthesised.estimate),
            "relevances": [round(float(r), 6) for r in synthesised.relevance],
        },
        of_sounds={
            name: {"relevance": float(synthesised.relevance[k])} for name, k in components.items()
        },
    )


if __name__ == "__main__":
    perform(snakemake, interpret_clips, recordings=open_recordings, network=open_system)
