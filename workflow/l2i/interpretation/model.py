"""A classifier, its interpreter, and what it takes to explain any sound with them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from l2i.checks import InputError
from l2i.features.audio import scale_waveform, stream, to_mono
from l2i.features.resampling import resample
from l2i.features.spectral import FrontEnd
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.explanation import Explanation, Timeline
from l2i.interpretation.synthesis import decide
from l2i.interpretation.windows import fade_weights, window_starts
from l2i.networks.interpreter import Interpretation
from l2i.progress import progress

TINY = 1e-12  # keeps a share of nothing from being no number


class Sound(NamedTuple):
    """A sound as read: mono, at the rate of a front end."""

    name: str
    waveform: np.ndarray  # (n_samples,)
    notes: list[str]  # what was done to it


@dataclass(frozen=True)
class Model:
    """What explains sounds: a classifier, its interpreter, their front end and their classes.

    Made by :func:`l2i.load`. `waveform_scale` is how a clip is scaled before the networks hear it
    (see :func:`l2i.features.audio.scale_waveform`), `clip_seconds` the length at which they decide,
    `threshold` the relevance above which a component belongs to an interpretation, and `card` says
    in plain values where the model comes from and what it is worth.

    Examples
    --------
    >>> model = l2i.load()
    >>> model.explain("dog.wav").save("page")
    """

    explained: ExplainedClassifier = field(repr=False)
    front_end: FrontEnd = field(repr=False)
    classes: list[str]
    waveform_scale: str
    clip_seconds: float
    threshold: float = 0.1
    card: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def dictionary(self) -> Tensor:
        """Spectra of the components, (n_bins, K)."""
        return self.explained.interpreter.W

    @property
    def n_window(self) -> int:
        """Samples on which the networks decide."""
        return round(self.clip_seconds * self.front_end.sample_rate)

    def known_class(self, name: str) -> str:
        """The name, if a class has it.

        Raises
        ------
        InputError
            None has: says which there are, the most similar first.
        """
        if name in self.classes:
            return name
        alike = difflib.get_close_matches(name, self.classes, n=3, cutoff=0.5)
        others = [each for each in self.classes if each not in alike]
        raise InputError(
            f"the model knows no class {name!r}: name one of {', '.join([*alike, *others])}"
        )

    def explain(
        self,
        sound: str | os.PathLike[str] | np.ndarray,
        *,
        sample_rate: int | None = None,
        target: str | None = None,
    ) -> Explanation:
        """Explain what the model decides on a sound, or what speaks for another class.

        A sound that is longer than `clip_seconds` is heard in windows of that length that overlap
        by half, each scaled as a clip of its own. Several classes exclude each other: decided is
        for the largest mean probability over windows; else for each class that any window decides
        for, and its probability is the largest of any. A window counts for the relevances to a
        class as much as the class is probable in it. Windows of digital silence count for neither.
        Activations are faded from window to window, and masks act on the whole sound.

        Parameters
        ----------
        sound : path or np.ndarray
            A file that libsndfile reads, of any rate, length and number of channels; or samples,
            (n_samples,) or (n_samples, n_channels), integers of any full scale. Channels are
            averaged, as for training.
        sample_rate : int, optional
            Of an array, in Hz.
        target : str, optional
            Class to explain. By default the most probable of those that are decided for.

        Raises
        ------
        InputError
            If the sound cannot be read or is silent, or the model knows no such class.

        Examples
        --------
        >>> e = model.explain("dog.wav")
        >>> e = model.explain(samples, sample_rate=22_050, target="rain")
        """
        if target is not None:
            self.known_class(target)
        name, waveform, notes = read_sound(sound, sample_rate, self.front_end.sample_rate)
        if not waveform.any():
            raise InputError(f"{name}: is silent throughout, so there is nothing to hear in it")
        if len(waveform) < self.n_window:
            seconds = len(waveform) / self.front_end.sample_rate
            notes = [*notes, f"{seconds:.3g} s, silence added up to {self.clip_seconds:g} s"]
        heard = self._hear(waveform)
        probabilities, decided = self._decision(heard)
        return Explanation(
            name=name,
            model=self,
            waveform=waveform,
            gain=_gain(waveform, self.waveform_scale),
            probabilities=dict(zip(self.classes, probabilities.tolist(), strict=True)),
            decided=decided,
            target=target or max(decided, key=lambda each: probabilities[self.classes.index(each)]),
            class_relevances=self._relevances(heard).cpu().numpy(),
            activations=heard.H,
            timeline=heard.timeline(self, len(waveform)),
            notes=notes,
        )

    def probabilities(self, waveform: np.ndarray) -> dict[str, float] | None:
        """What the model makes of a waveform (n_samples,) at its own rate; None for silence."""
        ...
