"""Whether a configuration fits a corpus, which only its index can tell.

The names and numbers that people write for a corpus (clips to listen to, classes left out of
means, weights and components of classes) are held against the clips and classes that it has, before
anything is trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from l2i.features.audio import NO_SIGNED_SCALE
from l2i.names import LABEL

_SOME = 5  # names that a message gives of many


def misfits(
    index: pd.DataFrame, classes: Sequence[str], asked: Mapping[str, Any], dataset: str
) -> list[str]:
    """Say what of a configuration does not fit a corpus, one line each.

    Parameters
    ----------
    index : DataFrame
        The clips of the corpus.
    classes : sequence of str
        Its classes in order.
    asked : mapping
        listening (names, or how many), excluded_classes, positive_weight, n_components (of the
        dictionary and of what is swept), clips_per_class, waveform_scale, and folds, which are
        tested where the corpus has such.
    dataset : str
        Its name in the configuration.
    """
    place = f"datasets.{dataset}"
    return [
        *_unknown_clips(index, asked["listening"], place),
        *_unknown_classes(classes, asked["excluded_classes"], place),
        *_wrong_counts(len(classes), asked, place),
        *_untrainable(index, classes, asked["folds"], dataset),
        *_without_scale(index, asked["waveform_scale"]),
    ]


def _unknown_clips(
    index: pd.DataFrame, listening: Sequence[str] | int, place: str
) -> Iterator[str]:
    if isinstance(listening, int):
        return
    known = set(index["clip"])
    for name in sorted({*listening} - known):
        yield (
            f"{place}.listening names {name}: the corpus has no such clip{_alike(name, known)}. "
            "Names are those of audio files without their suffix, as the index has them"
        )
    if "split" in index:
        tested = set(index["clip"][index["split"] == "test"])
        for name in sorted(({*listening} & known) - tested):
            yield f"{place}.listening names {name}, which is no test clip: name one that is"


def _unknown_classes(classes: Sequence[str], excluded: Sequence[str], place: str) -> Iterator[str]:
    for name in sorted({*excluded} - {*classes}):
        yield (
            f"{place}.excluded_classes names {name}: the corpus has no such class"
            f"{_alike(name, classes)}"
        )
    if {*classes} <= {*excluded}:
        yield f"{place}.excluded_classes names all classes of the corpus: leave one"


def _alike(name: str, known: Sequence[str] | set[str]) -> str:
    alike = get_close_matches(name, known, n=1)
    return f"; did you mean {alike[0]}" if alike else f", but {_few(sorted(known))}"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SOME} more" if len(names) > _SOME else ""
    return ", ".join(names[:_SOME]) + more


def _wrong_counts(n_classes: int, asked: Mapping[str, Any], place: str) -> Iterator[str]:
    weight = asked["positive_weight"]
    if weight is not None and len(weight) != n_classes:
        yield (
            f"{place}.classifier.positive_weight has {len(weight)} entries, but the corpus has "
            f"{n_classes} classes: give one for each, or null"
        )
    for n in sorted({*asked["n_components"]}) if asked["clips_per_class"] is not None else ():
        if n % n_classes:
            yield (
                f"{place}.dictionary.n_components, or a value of ablations.figure_6, is {n}: with "
                f"clips_per_class it must be a multiple of the {n_classes} classes"
            )


def _untrainable(
    index: pd.DataFrame, classes: Sequence[str], folds: Sequence[int], dataset: str
) -> Iterator[str]:
    """Folds that the corpus lacks, and classes that training would never hear."""
    if "fold" not in index:
        yield from (
            f"no training clip of {dataset} is labelled with {name}; it cannot be learned"
            for name in _never_positive(index[index["split"] == "train"], classes)
        )
        return
    there = sorted(set(index["fold"]))
    for fold in folds:
        if fold not in there:
            yield (
                f"run.folds names {fold}, but {dataset} has the folds {', '.join(map(str, there))}"
            )
            continue
        for name in _never_positive(index[index["fold"] != fold], classes):
            yield (
                f"class {name} of {dataset} has clips in fold {fold} alone, and cannot be learned "
                "where that is tested: take the fold out of run.folds, or add clips"
            )


def _never_positive(clips: pd.DataFrame, classes: Sequence[str]) -> list[str]:
    if "label" in clips:
        heard = set(clips["label"])
        return [name for i, name in enumerate(classes) if i not in heard]
    return [name for name in classes if not np.any(clips[LABEL + name] == 1)]


def _without_scale(index: pd.DataFrame, waveform_scale: str) -> Iterator[str]:
    if waveform_scale != "signed" or "maximum" not in index:  # of a layout of one's own
        return
    for path in index["path"][index["maximum"] == 0].unique():
        yield f"{path}: {NO_SIGNED_SCALE} for features.waveform_scale, or leave it out"
