"""The listening page: what systems hear in clips, to be heard, seen and compared in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Heard:
    """One folder of interpretations, or of prototypes, and what its page calls it."""

    system: str  # its title in print
    folder: Path
    dataset: str  # title in print
    fold: str  # "" where there is none
    run: str  # "" where there is none


def write_listening_page(
    folder: Path,
    heard: Sequence[Heard],
    *,
    title: str,
    single_file: bool = False,
    prototypes: Sequence[Heard] = (),
) -> dict[str, int]:
    """Write a page that plays and shows interpretations: index.html, data.js and media/.

    Parameters
    ----------
    folder : Path
        Made here. Nothing is left of it where writing fails.
    heard : sequence of Heard
        Folders of interpretations. Clips of one name, data set and fold are one entry of the page,
        however many systems interpret them.
    title : str
    single_file : bool
        One index.html that holds everything, of at most 20 clips.
    prototypes : sequence of Heard
        Folders of prototypes, shown beside the clips of their data set and fold.

    Returns
    -------
    dict
        n_clips, n_sounds, n_bytes.

    Raises
    ------
    InputError
        If a single file is asked for more clips than it may hold, or a folder lacks what it must
        hold.
    """
    raise NotImplementedError
