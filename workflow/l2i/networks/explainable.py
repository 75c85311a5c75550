"""What a classifier must say of itself so that an interpreter can listen to it.

:class:`l2i.networks.classifier.Classifier` does; :class:`l2i.networks.adapter.Adapter` lets most
other networks do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from torch import Tensor


class MapShape(NamedTuple):
    """Size of a hidden map, (B, channels, time, n_bands)."""

    channels: int
    n_bands: int  # along frequency; 1 where the network has given it up
    stride: float  # frames of the spectrogram for each of its own


class Explainable(Protocol):
    """A classifier that can be explained: an `nn.Module` with hidden maps that can be heard.

    M is what it hears of a batch of clips, one row each: a front end's
    :meth:`~l2i.features.spectral.FrontEnd.log_mel`.
    """

    @property
    def multi_label(self) -> bool:
        """Whether classes are decided one by one, or against each other."""

    @property
    def map_shapes(self) -> Mapping[str, MapShape]:
        """Its hidden maps by name, from its input to its output."""

    def __call__(self, M: Tensor) -> Tensor:
        """Class logits (B, C)."""

    def hidden_maps(self, M: Tensor, taps: tuple[str, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """Class logits, and the hidden maps that `taps` names, (B, channels, time, bands)."""

    def probabilities(self, logits: Tensor) -> Tensor:
        """Class probabilities of logits."""

    def decisions(self, logits: Tensor) -> Tensor:
        """Mask (B, C) of the classes that logits decide for."""
