"""One fold of a data set: who trains, who tests, and what both must agree on.

A fold is named by the part that is tested, or `official` where the corpus has one split of its own.

Everything trained carries the fold's identity, and loading asks for it, so that no clip is ever
scored by a network that has seen it, nor by one with other classes or another front end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from l2i.checks import InputError
from l2i.datasets.pieces import contents_of, spans_of
from l2i.features.audio import Span
from l2i.features.cache import load_waveform
from l2i.features.spectral import FrontEnd
from l2i.names import LABEL, OFFICIAL
from l2i.stored import read_json
from l2i.streams import random_stream
from l2i.tables import read_rows
from l2i.weights import classes_hash


@dataclass(frozen=True)
class Fold:
    """The clips of a data set, split by the fold that is tested.

    `index` holds all clips; its row numbers are those of the feature arrays.
    """

    dataset: str
    name: str
    index: pd.DataFrame
    classes: list[str]
    front_end: FrontEnd
    waveform_scale: str

    @property
    def multi_label(self) -> bool:
        """Whether a clip may have any number of labels, not all of them known."""
        return "label" not in self.index

    @property
    def train_rows(self) -> np.ndarray:
        """Row numbers of the training clips."""
        if self.name == OFFICIAL:
            return self._rows_of("train")
        return np.flatnonzero(self.index["fold"] != int(self.name))

    @property
    def validate_rows(self) -> np.ndarray:
        """Row numbers of the clips that the corpus keeps for choosing thresholds; often none."""
        return self._rows_of("validate") if self.name == OFFICIAL else np.empty(0, int)

    @property
    def test_rows(self) -> np.ndarray:
        """Row numbers of the test clips."""
        if self.name == OFFICIAL:
            return self._rows_of("test")
        return np.flatnonzero(self.index["fold"] == int(self.name))

    def selection(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows to learn from and rows to choose settings on; test clips are in neither.

        To choose on: the corpus's own validation clips; else one of several training folds, the
        next after the one that is tested; else a tenth of the training clips, drawn with `seed`.
        """
        rows = self.train_rows
        if len(self.validate_rows):
            return rows, self.validate_rows
        if self.name != OFFICIAL:
            folds = self.index["fold"].to_numpy()[rows]
            others = np.unique(folds)
            if len(others) > 1:
                later = others[others > int(self.name)]
                chosen = folds == (later[0] if len(later) else others[0])
                return rows[~chosen], rows[chosen]
        order = random_stream(seed, "selection clips").permutation(len(rows))
        drawn = order < max(1, len(rows) // 10)
        return rows[~drawn], rows[drawn]

    def _rows_of(self, split: str) -> np.ndarray:
        return np.flatnonzero(self.index["split"] == split)

    @property
    def identity(self) -> dict[str, Any]:
        """What every dictionary and network of this fold carries, and must be asked for with."""
        return {
            "dataset": self.dataset,
            "fold": self.name,
            "classes_sha256": classes_hash(self.classes),
            "train_clips_sha256": self.train_clips_sha256,
            "waveform_scale": self.waveform_scale,
            **asdict(self.front_end),
        }

    @property
    def train_clips_sha256(self) -> str:
        """sha256 of what the training clips hold, sorted: hashes of their files, places of pieces.

        What learned from other clips has another one, whatever the folds are called: a network that
        has seen a clip can then not be asked about it.
        """
        contents = sorted(contents_of(self.index.iloc[self.train_rows]))
        return hashlib.sha256("\n".join(contents).encode()).hexdigest()

    def labels(self, rows: np.ndarray | Sequence[int]) -> Tensor:
        """Class numbers of some clips of a multi-class corpus, int64."""
        return torch.from_numpy(self.index["label"].to_numpy()[rows])

    def targets(self, rows: np.ndarray | Sequence[int]) -> Tensor:
        """Labels of some clips, (len(rows), C): 1, 0, or NaN where nobody has looked."""
        if not self.multi_label:
            return torch.nn.functional.one_hot(self.labels(rows), len(self.classes)).float()
        columns = self.index[[LABEL + name for name in self.classes]]
        return torch.from_numpy(columns.to_numpy(np.float32)[rows])

    def waveform(self, data: str, row: int, clip_seconds: float | None = None) -> Tensor:
        """A clip from its audio file below the data folder, scaled as for its features.

        Cropped or padded to `clip_seconds`, or as long as it is.
        """
        rate = self.front_end.sample_rate
        x = load_waveform(
            Path(data) / self.dataset / self.index["path"].iloc[row],
            sample_rate=rate,
            scale=self.waveform_scale,
            n_samples=None if clip_seconds is None else round(clip_seconds * rate),
            sha256=self.index["sha256"].iloc[row],
            span=self.span(row),
        )
        return torch.from_numpy(x)

    def span(self, row: int) -> Span | None:
        """Where in its file a clip lies; None where it is all of it."""
        return spans_of(self.index.iloc[[row]])[0]

    def label_rows(self, table: pd.DataFrame, **columns: object) -> pd.DataFrame:
        """A table of clips with the columns in front that say where its rows belong.

        Among them is the clip's source, so that tables need no other file to know which clips are
        independent of each other.
        """
        leading = pd.DataFrame({"dataset": self.dataset, "fold": self.name}, index=table.index)
        source = table["clip"].map(self.index.set_index("clip")["source"])
        return pd.concat([leading.assign(source=source, **columns), table], axis=1)


def open_fold(
    path_to_index: str | Path,
    path_to_classes: str | Path,
    *,
    dataset: str,
    fold: str,
    features: dict[str, Any],
) -> Fold:
    """Open one fold of a data set.

    Parameters
    ----------
    path_to_index, path_to_classes : str or Path
        Index and class list of the data set.
    dataset, fold : str
        Which fold is tested.
    features : dict
        The settings of that name: those of :class:`FrontEnd`, and `waveform_scale`.

    Raises
    ------
    InputError
        If the corpus has no clips of that fold, or no others.
    """
    front_end, waveform_scale = front_end_of(features)
    opened = Fold(
        dataset=dataset,
        name=fold,
        index=read_rows(path_to_index, columns=("clip",)),
        classes=read_json(path_to_classes, list),
        front_end=front_end,
        waveform_scale=waveform_scale,
    )
    column = "split" if fold == OFFICIAL else "fold"
    if column not in opened.index:
        raise InputError(f"{dataset} has no {column}s, so fold {fold} of it means nothing")
    if not len(opened.test_rows) or not len(opened.train_rows):
        parts = ", ".join(map(str, sorted(opened.index[column].unique())))
        raise InputError(
            f"fold {fold} of {dataset} leaves no clips to test or none to train on: the corpus has "
            f"the {column}s {parts}. Correct run.folds, or the corpus"
        )
    return opened


def front_end_of(features: dict[str, Any]) -> tuple[FrontEnd, str]:
    """The front end and the waveform scale that the settings `features` describe."""
    front_end = FrontEnd(**{k: v for k, v in features.items() if k != "waveform_scale"})
    return front_end, features["waveform_scale"]
