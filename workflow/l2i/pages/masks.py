"""Masks over the picture of a clip: what of it a sound takes, by components or by segments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from l2i.checks import REMAKE, InputError
from l2i.pages.interpreted import Interpretation, is_component, number_of, read_array
from l2i.pages.players import Scene
from l2i.pages.spectrograms import shares

N_MASK_ROWS, N_MASK_COLUMNS = (
    90,
    240,
)  # of a mask of components, which is stretched over the picture
N_COLUMNS = 480  # of a mask of segments, which has one row


def component_masks(
    interpretation: Interpretation, W: np.ndarray, scene: Scene
) -> Iterator[tuple[str, np.ndarray]]:
    """Names of the sounds of components, and their masks."""
    H = read_array(interpretation.folder.parent / "activations.npy")
    n_frames = -(-scene.n_samples // scene.grid.hop_length) + 1  # without what silence was added
    components = interpretation.components
    if W.shape[1] != len(H) or W.shape[0] != scene.grid.n_fft // 2 + 1 or max(components) >= len(H):
        raise InputError(
            f"{interpretation.folder}: dictionary and activations do not fit what was selected of "
            f"them; {REMAKE}"
        )
    sets = [components, *([k] for k in components)]
    how = {"n_rows": N_MASK_ROWS, "n_columns": N_MASK_COLUMNS}
    masks = shares(W, H[:, :n_frames], sets, scene.grid, scene.axis, **how)
    singles = iter(masks[1:])
    for name, said in interpretation.sounds.items():
        if is_component(said):
            yield name, next(singles)
        else:
            yield name, masks[0] if said["kind"] == "interpretation" else 1 - masks[0]


def segment_masks(interpretation: Interpretation, scene: Scene) -> Iterator[tuple[str, np.ndarray]]:
    """Names of the sounds of segments, and their masks of one row."""
    t = (np.arange(N_COLUMNS) + 0.5) * scene.seconds / N_COLUMNS

    def within(stretches: Iterable[tuple[float, float]]) -> np.ndarray:
        inside = [(t >= start) & (t < end) for start, end in stretches]
        return np.any(inside, axis=0)[None].astype(float)

    kept = within(interpretation.stretches)
    segments = interpretation.about["segments"]
    for name, said in interpretation.sounds.items():
        if said["kind"] == "segment":
            one = segments[number_of(name)]
            yield name, within([(one["start_seconds"], one["end_seconds"])])
        else:
            yield name, kept if said["kind"] == "interpretation" else 1 - kept
