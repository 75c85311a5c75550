"""What explains the decision on one sound: its class, the relevant components, how they sound.

All sounds are mono, at the rate of the model's front end, and have the length and the level of the
file as read: they compare by ear, and nothing is normalised behind the listener's back.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from l2i.interpretation.listening import level_dbfs
from l2i.interpretation.masking import masked_sound
from l2i.interpretation.relevance import EPS, select, soft_masked
from l2i.interpretation.saving import (
    SOUNDS,
    fresh_folder,
    mark,
    write_dictionary,
    write_explanations,
    write_page,
)
from l2i.interpretation.showing import as_html, as_text

if TYPE_CHECKING:
    from l2i.interpretation.model import Model


@dataclass(frozen=True, eq=False)
class Timeline:
    """What the model says of each window of a long sound."""

    start_seconds: list[float]
    end_seconds: list[float]
    probabilities: np.ndarray  # (n_windows, C)


@dataclass(frozen=True, eq=False)
class Component:
    """One of the K components of a sound: a column of the dictionary, and where it is active.

    Examples
    --------
    >>> component = explanation.components[3]
    >>> component.relevance, component.level_dbfs, component.waveform, component.mask
    """

    number: int
    relevance: float  # to the class that is explained; the largest magnitude of all is 1
    _of: Explanation = field(repr=False)

    @cached_property
    def waveform(self) -> np.ndarray:
        """How it sounds by itself, (n_samples,); computed when asked for."""
        return self._of.sound_of([self.number])

    @property
    def level_dbfs(self) -> float | None:
        """Level of its sound in dB re full scale; None for digital silence."""
        return level_dbfs(self.waveform)

    @property
    def spectrum(self) -> np.ndarray:
        """Its column of the dictionary, (n_bins,), from 0 Hz to half the sample rate."""
        return self._of.model.dictionary[:, self.number].cpu().numpy()

    @property
    def activation(self) -> np.ndarray:
        """How active it is in each frame, (n_frames,)."""
        return self._of.activations[self.number].cpu().numpy()

    @property
    def mask(self) -> np.ndarray:
        """Its share of the model's energy, (n_bins, n_frames), from 0 to 1."""
        W, H = self._of.model.dictionary, self._of.activations
        share = W[:, self.number, None] * H[self.number] / (W @ H).clamp(min=EPS)
        return share.cpu().numpy()


@dataclass(frozen=True, eq=False)
class Explanation:
    """The decision on one sound, and why.

    Made by :meth:`l2i.Model.explain`. `waveform` is the sound as it was heard: mono, at
    `sample_rate`, at the level of its file. `probabilities` are by class, `decided` the classes
    that the model decides for, `target` the class that is explained. `activations` are (K,
    n_frames), on the device of the model. `notes` say in words what was done to the sound.

    Examples
    --------
    >>> e = l2i.load().explain("dog.wav")
    >>> print(e)
    >>> e.target, e.probabilities["dog"], e.relevant[0].number
    >>> e.components[3].waveform, e.interpretation, e.remainder
    >>> e.of("rain").save("page")
    """

    name: str
    model: Model = field(repr=False)
    waveform: np.ndarray = field(repr=False)
    gain: float
    probabilities: dict[str, float]
    estimates: dict[str, float]  # the same of the interpreter
    decided: list[str]
    target: str
    class_relevances: np.ndarray = field(repr=False)  # (C, K)
    activations: Tensor = field(repr=False)
    timeline: Timeline | None = field(repr=False)
    notes: list[str]

    @property
    def sample_rate(self) -> int:
        """Samples a second of every sound here."""
        return self.model.front_end.sample_rate

    @property
    def classes(self) -> list[str]:
        """Names of all classes of the model."""
        return self.model.classes

    @property
    def relevances(self) -> np.ndarray:
        """Relevance of each component to the class that is explained, (K,)."""
        return self.class_relevances[self.classes.index(self.target)]

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """All K components by number; the sound of one is made when it is asked for."""
        return tuple(Component(k, float(r), self) for k, r in enumerate(self.relevances))

    @property
    def relevant(self) -> list[Component]:
        """The components of the interpretation, the most relevant one first."""
        r = torch.from_numpy(self.relevances)
        chosen = select(r, self.model.threshold).nonzero()[:, 0]
        return [self.components[k] for k in chosen[r[chosen].argsort(descending=True)]]

    @cached_property
    def interpretation(self) -> np.ndarray:
        """All relevant components together, (n_samples,); computed when asked for."""
        return self.sound_of([each.number for each in self.relevant])

    @cached_property
    def remainder(self) -> np.ndarray:
        """What is left of the sound without them, (n_samples,); computed when asked for."""
        return self.sound_without([each.number for each in self.relevant])

    def of(self, target: str) -> Explanation:
        """The same sound with another class explained.

        Raises
        ------
        InputError
            If the model knows no such class.
        """
        return replace(self, target=self.model.known_class(target))

    @property
    def most_probable(self) -> str:
        """The class of the largest probability."""
        return max(self.probabilities, key=lambda name: self.probabilities[name])

    def save(self, folder: str | os.PathLike[str], *, single_file: bool = False) -> Path:
        """Write the sounds, what is said of them, and a page that plays them.

        Parameters
        ----------
        folder : path
            `index.html` in it is the page, `sounds/` holds wav files and JSON. It must be new,
            empty, or written by this; it is written whole or not at all.
        single_file : bool
            Whether `index.html` holds all that it plays, so that it can be passed on by itself.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        InputError
            If the folder holds something else, or cannot be written.

        Examples
        --------
        >>> model.explain("dog.wav").save("page")
        PosixPath('page/index.html')
        """
        with fresh_folder(Path(folder)) as fresh:
            write_dictionary(fresh / SOUNDS, self.model)
            write_explanations(fresh / SOUNDS, self, [self.target])
            write_page(fresh, self.model, self.name, single_file=single_file)
            mark(fresh, self.model, [self.name])
        return Path(folder, "index.html")

    def __str__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: probabilities, and players of what can be heard."""
        return as_html(self)

    def sound_of(self, numbers: list[int]) -> np.ndarray:
        """The share of some components in the sound, (n_samples,), made anew each time."""
        L, W = self._selection(numbers), self.model.dictionary
        return self._masked(lambda X, H: soft_masked(X, W, H, L))

    def sound_without(self, numbers: list[int]) -> np.ndarray:
        """What is left of the sound without these components, (n_samples,), made each time."""
        L, W = self._selection(numbers), self.model.dictionary
        return self._masked(lambda X, H: X - soft_masked(X, W, H, L))

    def _selection(self, numbers: list[int]) -> Tensor:
        L = torch.zeros(len(self.activations), dtype=torch.bool, device=self.activations.device)
        L[numbers] = True
        return L

    def _masked(self, share: Callable[[Tensor, Tensor], Tensor]) -> np.ndarray:
        scaled = torch.from_numpy(self.waveform / np.float32(self.gain))
        sound = masked_sound(scaled, self.activations, self.model.front_end, share)
        return sound.mul_(self.gain).numpy()
