"""A classifier, its interpreter, and what it takes to explain any sound with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np

from l2i.features.spectral import FrontEnd
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.explanation import Explanation


@dataclass(frozen=True)
class Model:
    """What explains sounds: networks, front end, names of the classes.

    `waveform_scale` is how waveforms are scaled before the networks hear them, see
    :func:`l2i.features.audio.scale_waveform`; `clip_seconds` the length at which they decide;
    `threshold` the relevance above which a component belongs to an interpretation; `card` says in
    plain values where the model comes from and what it is worth.
    """

    explained: ExplainedClassifier
    front_end: FrontEnd
    classes: list[str]
    waveform_scale: str
    clip_seconds: float
    threshold: float = 0.1
    card: dict[str, Any] = field(default_factory=dict)

    def explain(
        self,
        sound: str | PathLike[str] | np.ndarray,
        *,
        sample_rate: int | None = None,
        target: str | None = None,
    ) -> Explanation:
        """Explain the decision on a sound, or how much of another class is in it."""
        raise NotImplementedError
