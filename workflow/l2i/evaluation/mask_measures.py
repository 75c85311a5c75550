"""How faithful an explanation is, measured by its mask: columns `MASKS`, row by decision.

Skeleton: signatures stand, the body follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from torch import Tensor

from l2i.evaluation.masked_explanations import MaskedExplanation
from l2i.features.spectral import FrontEnd
from l2i.networks.explainable import Explainable


@dataclass(frozen=True)
class HeardClip:
    """One clip as a network hears it, what it says, and the STFT that masks act on."""

    name: str
    M: Tensor  # (n_frames, n_mels) log-mel
    logits: Tensor  # (C,) of the clip as it is
    waveform: Tensor  # (n_samples,) that the log-mel is of
    S: Tensor  # (F, T) complex128, of the waveform up to a whole number of hops; T >= n_frames


@dataclass(frozen=True)
class Listener:
    """Whose decisions are explained, and how cells are removed from what it hears.

    `predict` gives logits (B, C) of log-mels (B, n_frames, n_mels); `classifier` says what they
    mean and decide.
    """

    predict: Callable[[Tensor], Tensor]
    classifier: Explainable
    front_end: FrontEnd
    operators: Sequence[str]
    seed: int

    def hear(self, name: str, M: Tensor, waveform: Tensor) -> HeardClip:
        """One clip, by its log-mel (n_frames, n_mels) and its waveform."""
        raise NotImplementedError

    def decided(self, clip: HeardClip) -> list[int]:
        """Classes that are decided for in the clip."""
        raise NotImplementedError


def mask_rows(
    listener: Listener,
    clip: HeardClip,
    explanations: Mapping[int, MaskedExplanation],
    classes: Sequence[str],
) -> pd.DataFrame:
    """One row per explained class and operator: every measure of one clip."""
    raise NotImplementedError
