"""A page of a dictionary: what each component looks and sounds like, and who uses it."""

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import torch

from harness import perform
from l2i.dictionary.shapes import cosines, grouped, most_alike, shapes_of
from l2i.disk import write_text
from l2i.evaluation.component_use import ComponentUse, measure_use, typical_clip
from l2i.evaluation.drawn_clips import drawn_test_rows
from l2i.features.spectral import FrontEnd
from l2i.interpretation.component_sounds import hear, sound_of, steady_sound
from l2i.interpretation.explained import ExplainedClassifier, Explaining
from l2i.interpretation.occasions import Entry, read_entries
from l2i.pages.atlas import Atlas, Component, Excerpt, write_atlas
from l2i.pages.spectrograms import Grid
from l2i.streams import torch_stream
from l2i.systems.loading import open_system
from l2i.training.opening import open_recordings
from l2i.training.task import Recordings
from l2i.weights import read_identity

N_HEARD = 400  # test clips, at most: what more would tell is not worth their time
N_CLIPS, N_ALIKE = 5, 5  # that are named with a component
EXCERPT = 3.0  # seconds
# From the page of an atlas: rules/atlas.smk and rules/pages.smk say where these are.
HOME, LISTEN = "../../../../../index.html", "../../../../../../listen/index.html"
SIMILAR = 0.9  # cosine of two columns that are alike


def compose_atlas(
    recordings: Recordings,
    network: Explaining,
    path_to_dictionary: list[str],
    path_to_clips: str,
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
    fold, front_end = recordings.fold, recordings.fold.front_end
    explained = network.explained(
        recordings.classifier,
        relevance_pooling=relevance_pooling,
        relevance_scale=relevance_scale,
    )
    rows = drawn_test_rows(fold, N_HEARD, "atlas", seed)
    use = measure_use(explained, recordings, rows)
    W = explained.interpreter.W.cpu().numpy()
    similarity = cosines(W)
    atlas = Atlas(
        dataset=titles[fold.dataset],
        fold=fold.name,
        system=titles[system],
        run=run,
        grid=Grid(front_end.sample_rate, front_end.n_fft, front_end.hop_length),
        classes=fold.classes,
        n_decisions=use.n_decisions(len(fold.classes)).tolist(),
        n_clips=len(rows),
        n_test_clips=len(fold.test_rows),
        threshold=threshold,
        similarity=similarity,
        correlation=use.correlation,
        similar_from=SIMILAR,
        grouping=grouped(similarity, SIMILAR),
        home=HOME,
        links=links_to(read_entries(path_to_clips), titles[fold.dataset], fold.name),
    )
    (path,) = path_to_dictionary  # of the system, which holds a copy of all but this
    learned_from = read_identity(path).get("component_classes") or [None] * W.shape[1]
    names = fold.index["clip"].iloc[rows].tolist()
    components = components_of(W, use, atlas, names, learned_from)
    heard = (
        (components[k], steady_of(W[:, k], front_end, seed, k), excerpt)
        for k, excerpt in excerpts_of(explained, recordings, rows, use)
    )
    facts = write_atlas(Path(path_to_pages), atlas, heard)
    dead = np.flatnonzero(use.dead).tolist()
    summary = {
        "dataset": atlas.dataset,
        "fold": atlas.fold,
        "system": atlas.system,
        "n_components": len(components),
        "n_groups": len(atlas.grouping.groups),
        "n_unused": int((use.n_selected(threshold) == 0).sum()) - len(dead),
        "dead": dead,
    }
    write_text(path_to_summary, json.dumps(summary, indent=2) + "\n")
    return facts | {"n_clips": len(rows)}


def links_to(entries: list[Entry], dataset: str, fold: str) -> dict[str, str]:
    """Where the listening page plays those clips that are interpreted for it: found by search."""
    where = {"dataset": dataset, "fold": fold, "kind": "clean"}
    names = [entry.clip for entry in entries]
    return {name: f"{LISTEN}#{urlencode({'words': name} | where)}" for name in names}


def components_of(
    W: np.ndarray,
    use: ComponentUse,
    atlas: Atlas,
    names: list[str],
    learned_from: list[str | None],
) -> list[Component]:
    """What is said of each column."""
    frequencies = np.arange(len(W)) * atlas.grid.sample_rate / atlas.grid.n_fft
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


def steady_of(column: np.ndarray, front_end: FrontEnd, seed: int, k: int) -> np.ndarray:
    """The column by itself as sound."""
    generator = torch_stream(seed, "atlas", k)
    return steady_sound(torch.from_numpy(column), front_end, generator).numpy()


def excerpts_of(
    explained: ExplainedClassifier, recordings: Recordings, rows: np.ndarray, use: ComponentUse
) -> Iterator[tuple[int, Excerpt | None]]:
    """What is heard of each component in its typical clip, if there is one; clip by clip."""
    fold = recordings.fold
    typical = {k: typical_clip(use.energy[:, k]) for k in range(use.energy.shape[1])}
    yield from ((k, None) for k, i in typical.items() if i is None)
    by_clip = sorted((i, k) for k, i in typical.items() if i is not None)
    for i, found in groupby(by_clip, key=lambda pair: pair[0]):
        waveform = recordings.clips([rows[i]]).waveforms[0]
        heard = hear(explained, waveform, fold.front_end)
        for _, k in found:
            sound = sound_of(heard, k, seconds=EXCERPT)
            yield (
                k,
                Excerpt(
                    clip=fold.index["clip"].iloc[rows[i]],
                    start_seconds=sound.start_seconds,
                    component=sound.component.numpy(),
                    clip_sound=sound.clip.numpy(),
                    mask=sound.mask.numpy(),
                    activation=sound.activation.numpy(),
                ),
            )


if __name__ == "__main__":
    perform(snakemake, compose_atlas, recordings=open_recordings, network=open_system)
