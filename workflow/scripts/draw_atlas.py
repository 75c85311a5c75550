"""A page of a dictionary: what each component looks and sounds like, and who uses it."""

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from harness import perform
from l2i.datasets.fold import Fold
from l2i.dictionary.shapes import cosines, grouped, most_alike, shapes_of
from l2i.disk import write_text
from l2i.evaluation.component_use import ComponentUse, measure_use, typical_clip
from l2i.interpretation.component_sounds import ComponentSound, hear, sound_of, steady_sound
from l2i.interpretation.explained import ExplainedClassifier, Explaining
from l2i.pages.atlas import Atlas, Component, Excerpt, write_atlas
from l2i.streams import random_stream, torch_stream
from l2i.systems.loading import open_system
from l2i.training.opening import open_recordings
from l2i.training.task import Recordings
from l2i.weights import read_identity

N_HEARD = 400  # test clips, at most: what more would tell is not worth their time
N_CLIPS, N_ALIKE = 5, 5  # that are named with a component
EXCERPT = 3.0  # seconds
SIMILAR = 0.85  # cosine of two columns that are alike


def draw_atlas(
    recordings: Recordings,
    network: Explaining,
    path_to_dictionary: list[str],
    path_to_pages: str,
    path_to_summary: str,
    *,
    threshold: float,
    relevance_pooling: str,
    relevance_scale: str,
    seed: int,
    titles: dict[str, str],
    system: str,
    run: str,
) -> dict:
    """Write the page, and in numbers what a list of all pages says of it."""
    fold = recordings.fold
    explained = network.explained(
        recordings.classifier,
        relevance_pooling=relevance_pooling,
        relevance_scale=relevance_scale,
    )
    rows = rows_to_hear(fold, seed)
    use = measure_use(explained, recordings, rows)
    W = explained.interpreter.W.cpu().numpy()
    similarity = cosines(W)
    atlas = Atlas(
        dataset=titles[fold.dataset],
        fold=fold.name,
        system=titles[system],
        run=run,
        sample_rate=fold.front_end.sample_rate,
        n_fft=fold.front_end.n_fft,
        classes=fold.classes,
        n_decisions=use.n_decisions(len(fold.classes)).tolist(),
        n_clips=len(rows),
        n_test_clips=len(fold.test_rows),
        threshold=threshold,
        similarity=similarity,
        similar_from=SIMILAR,
        grouping=grouped(similarity, SIMILAR),
    )
    (path,) = path_to_dictionary
    learned_from = read_identity(path).get("component_classes") or [None] * W.shape[1]
    names = fold.index["clip"].iloc[rows].tolist()
    components = components_of(W, use, atlas, names, learned_from)
    excerpts = excerpts_of(explained, recordings, rows, use, seed)
    facts = write_atlas(Path(path_to_pages), atlas, ((components[k], e) for k, e in excerpts))
    n_dead = int(use.dead.sum())
    summary = {
        "dataset": atlas.dataset,
        "fold": atlas.fold,
        "system": atlas.system,
        "n_components": len(components),
        "n_groups": len(atlas.grouping.groups),
        "n_unused": int((use.n_selected(threshold) == 0).sum()) - n_dead,
        "n_dead": n_dead,
    }
    write_text(path_to_summary, json.dumps(summary, indent=2) + "\n")
    return facts | {"n_clips": len(rows)}


def rows_to_hear(fold: Fold, seed: int) -> np.ndarray:
    """The test clips, or so many of them drawn at random."""
    rows = fold.test_rows
    if len(rows) <= N_HEARD:
        return rows
    return np.sort(random_stream(seed, "atlas").choice(rows, N_HEARD, replace=False))


def components_of(
    W: np.ndarray,
    use: ComponentUse,
    atlas: Atlas,
    names: list[str],
    learned_from: list[str | None],
) -> list[Component]:
    """What is said of each column."""
    frequencies = np.arange(len(W)) * atlas.sample_rate / atlas.n_fft
    energy, n_selected, n_classes = (
        use.energy.mean(0),
        use.n_selected(atlas.threshold),
        len(atlas.classes),
    )
    return [
        Component(
            number=k,
            column=W[:, k],
            shape=shape,
            energy=float(energy[k]),
            n_selected=int(n_selected[k]),
            dead=bool(use.dead[k]),
            learned_from=learned_from[k],
            uses=use.uses(k, n_classes, atlas.threshold),
            clips=[(names[i], share) for i, share in use.strongest(k, N_CLIPS)],
            alike=[
                (j, float(atlas.similarity[k, j]), float(use.correlation[k, j]))
                for j in most_alike(atlas.similarity, k, N_ALIKE)
            ],
        )
        for k, shape in enumerate(shapes_of(W, frequencies))
    ]


def excerpts_of(
    explained: ExplainedClassifier,
    recordings: Recordings,
    rows: np.ndarray,
    use: ComponentUse,
    seed: int,
) -> Iterator[tuple[int, Excerpt | None]]:
    """What is heard of each component in its typical clip, clip by clip."""
    fold = recordings.fold
    typical = {k: typical_clip(use.energy[:, k]) for k in range(use.energy.shape[1])}
    yield from ((k, None) for k, i in typical.items() if i is None)
    by_clip = sorted((i, k) for k, i in typical.items() if i is not None)
    for i, found in groupby(by_clip, key=lambda pair: pair[0]):
        clip = recordings.clips([rows[i]])
        heard = hear(explained, clip.waveforms[0], fold.front_end)
        name = fold.index["clip"].iloc[rows[i]]
        for _, k in found:
            sound = sound_of(heard, k, seconds=EXCERPT)
            steady = steady_sound(
                explained.interpreter.W[:, k],
                fold.front_end,
                activation=float(sound.activation.max()),
                generator=torch_stream(seed, "atlas", k),
            )
            yield k, excerpt_of(name, sound, steady.numpy())


def excerpt_of(name: str, sound: ComponentSound, steady: np.ndarray) -> Excerpt:
    """A sound as the page takes it."""
    return Excerpt(
        clip=name,
        start_seconds=sound.start_seconds,
        component=sound.component.numpy(),
        clip_sound=sound.clip.numpy(),
        steady=steady,
        X=sound.X.numpy(),
        mask=sound.mask.numpy(),
        activation=sound.activation.numpy(),
    )


if __name__ == "__main__":
    perform(snakemake, draw_atlas, recordings=open_recordings, network=open_system)
