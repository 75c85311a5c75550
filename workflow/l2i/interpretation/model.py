"""A classifier, its interpreter, and what it takes to explain any sound with them."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from l2i.checks import InputError, naming, require_distinct
from l2i.features.audio import scale_waveform
from l2i.features.spectral import FrontEnd
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.explanation import Explanation, Timeline
from l2i.interpretation.hearing import FAINTEST, Hearing
from l2i.interpretation.listening import by_class
from l2i.interpretation.reading import read_sound
from l2i.interpretation.windows import Heard, hear, pool, probabilities_of


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

    def __post_init__(self) -> None:
        """Refuse classes that cannot be told apart by their names."""
        require_distinct(self.classes, "classes")

    @property
    def dictionary(self) -> Tensor:
        """Spectra of the components, (n_bins, K)."""
        return self.explained.interpreter.W

    @property
    def title(self) -> str:
        """What pages call it: its system, and what it has learned from."""
        said = [str(self.card[key]) for key in ("system", "dataset") if key in self.card]
        return ", ".join(said) or "L2I"

    @property
    def hearing(self) -> Hearing:
        """How a waveform comes to the networks."""
        return Hearing(self.front_end, self.waveform_scale, self.clip_seconds)

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
        named = name if isinstance(sound, np.ndarray) else os.fspath(sound)
        if not waveform.any():
            raise InputError(f"{named}: is silent throughout; there is nothing in it to be heard")
        if len(waveform) < self.hearing.n_samples:
            seconds = len(waveform) / self.front_end.sample_rate
            notes = [*notes, f"{seconds:.3g} s, with silence added up to {self.clip_seconds:g} s"]
        with naming(named):  # what has no scale
            gain = gain_of(waveform, self.waveform_scale)
            heard = hear(self.explained, waveform, self.hearing)
        pooled = pool(self.explained, heard)
        return Explanation(
            name=name,
            model=self,
            waveform=waveform,
            gain=gain,
            probabilities=by_class(self.classes, pooled.probabilities),
            estimates=by_class(self.classes, pooled.estimates),
            decided=[name for name, yes in zip(self.classes, pooled.decided, strict=True) if yes],
            target=target or self.classes[int(pooled.probabilities.argmax())],
            class_relevances=pooled.relevances.cpu().numpy(),
            activations=heard.interpretation.H[0],
            timeline=self._timeline(heard, len(waveform)),
            notes=notes,
        )

    def probabilities(self, M: Tensor) -> Tensor:
        """Probabilities (B, C) of log-mels (B, n_frames, n_mels) of scaled clips."""
        return self.explained.classifier.probabilities(self.explained.predict(M))

    def heard_in(self, waveform: np.ndarray, peak: float) -> Tensor | None:
        """Probabilities (C,) of a part of a sound, heard by itself, as loud as any.

        None where it is silent, or fainter than what rounding leaves of the sound, whose largest
        magnitude is `peak`.
        """
        if not np.abs(waveform).max() > FAINTEST * peak:
            return None
        return probabilities_of(self.explained, waveform, self.hearing)

    def _timeline(self, heard: Heard, n_samples: int) -> Timeline | None:
        """What is said of each window, where there are several."""
        if len(heard.starts) == 1:
            return None
        rate = self.front_end.sample_rate
        ends = (min(start + self.hearing.n_samples, n_samples) for start in heard.starts)
        return Timeline(
            start_seconds=[start / rate for start in heard.starts],
            end_seconds=[end / rate for end in ends],
            probabilities=self.explained.classifier.probabilities(heard.logits).cpu().numpy(),
        )


def gain_of(waveform: np.ndarray, scale: str) -> float:
    """What a waveform is divided by before it is masked: its peak, as for training.

    Raises
    ------
    InputError
        See :func:`l2i.features.audio.scale_waveform`.
    """
    extremes = waveform[[waveform.argmin(), waveform.argmax()]]  # which alone decide on it
    loudest = np.abs(extremes).argmax()
    return float(extremes[loudest] / scale_waveform(extremes, scale)[loudest])
