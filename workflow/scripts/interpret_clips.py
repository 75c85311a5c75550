"""Write the interpretations of clips of a fold as sound (Algorithm 1)."""

from pathlib import Path

from harness import perform
from l2i.interpretation.explained import Explaining
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
    """Write a folder for each clip of an occasion, and in it one for each interpreted class.

    Facts: clips, interpretations.
    """
    fold, hearing = recordings.fold, hearing_of(recordings.fold, recordings.clip_seconds)
    explained = network.explained(recordings.classifier, relevance_scale=relevance_scale)
    predictor = Predictor(
        explained.predictor,
        fold.classes,
        lambda M: explained.classifier.probabilities(explained.predict(M)),
        hearing,
        recordings.device,
    )
    Path(path_to_sounds).mkdir()
    write_array(Path(path_to_sounds) / "dictionary.npy", explained.interpreter.W)
    entries = read_entries(path_to_clips)
    n_sounds = 0
    for entry in entries:
        # The networks hear the clip scaled; the listener hears it as it was.
        opened = open_entry(fold, entry, recordings.data)
        clip = opened.clip
        folder = Path(path_to_sounds) / file_name(clip.name)
        write_input(folder, clip)
        waveform = clip.waveform.to(recordings.device)
        logits = explained.predict(hearing.log_mel(waveform)[None])
        for target, decided in opened.targets_of(explained.classifier, logits).items():
            synthesised = synthesise(
                explained,
                waveform,
                fold.front_end,
                threshold=threshold,
                n_decided=hearing.n_samples,
                target=target,
            )
            if not (folder / "activations.npy").exists():  # the same for all classes
                write_array(folder / "activations.npy", synthesised.activations)
            about = {"decided": decided, "threshold": threshold}
            written = folder / file_name(fold.classes[target])
            write_sounds(written, clip, synthesised, about, predictor)
            n_sounds += 1
    return {"n_clips": len(entries), "n_interpretations": n_sounds}


def write_sounds(
    folder: Path,
    clip: Clip,
    synthesised: SynthesisedInterpretation,
    about: dict,
    predictor: Predictor,
) -> None:
    """One interpretation: its sounds at the level of the file as read, and what they are."""
    sounds = {
        name: Sound(name, clip.gain * sound.numpy())
        for name, sound in (
            ("interpretation", synthesised.interpretation),
            ("remainder", synthesised.remainder),
        )
    }
    for k, sound in synthesised.components.items():
        more = {"component": k, "relevance": float(synthesised.relevance[k])}
        sounds[f"component_{k:03d}"] = Sound("component", clip.gain * sound.numpy(), more)
    classes = predictor.classes
    write_interpretation(
        folder,
        clip,
        sounds,
        {
            **about,
            f"{predictor.name}_probabilities": by_class(classes, synthesised.probabilities),
            "interpreter_probabilities": by_class(classes, synthesised.estimate),
            "relevances": [round(float(r), 6) for r in synthesised.relevance],
        },
        predictor,
        target=classes[synthesised.target],
    )


if __name__ == "__main__":
    perform(snakemake, interpret_clips, recordings=open_recordings, network=open_system)
