"""Any network, heard as a classifier of this library: outputs of its layers are hidden maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from l2i.checks import InputError, reason
from l2i.features.spectral import FrontEnd
from l2i.networks.explainable import MapShape


def as_it_is(M: Tensor) -> Tensor:
    """What a front end gives, (B, n_frames, n_mels)."""
    return M


def time_by_bands(h: Tensor) -> Tensor:
    """Maps (B, channels, time, bands) as they are; (B, channels, time) as of one band."""
    return h.unsqueeze(3) if h.ndim == 3 else h


class Adapter(nn.Module):
    """A network of one's own, as :class:`l2i.networks.explainable.Explainable`.

    Parameters
    ----------
    network : nn.Module
        Takes what `hear` makes of M and returns class logits (B, C). Put into evaluation mode.
    front_end : FrontEnd
        Of what the network hears, and of the dictionary.
    clip_seconds : float
        Length of the clips that it decides on.
    taps : sequence of str
        Layers whose outputs are its hidden maps, by their names in `network.named_modules()`, from
        input to output. The later half of the convolutions is a good choice.
    hear : callable, optional
        What the network takes, of M as the front end gives it: (B, n_frames, n_mels). By default M.
    arrange : callable, optional
        An output of a layer as (B, channels, time, bands); by default outputs have that form, or
        (B, channels, time).
    multi_label : bool
        Whether classes are decided one by one, each from a probability of 0.5 on.

    Raises
    ------
    InputError
        If there are no taps, one is no layer, puts out no map, or does not take part in the
        decision, or the network cannot take a clip.
    """

    def __init__(
        self,
        network: nn.Module,
        front_end: FrontEnd,
        *,
        clip_seconds: float,
        taps: Sequence[str],
        hear: Callable[[Tensor], Tensor] = as_it_is,
        arrange: Callable[[Tensor], Tensor] = time_by_bands,
        multi_label: bool = False,
    ) -> None:
        super().__init__()
        self.network, self.multi_label = network, multi_label
        self._hear, self._arrange = hear, arrange
        layers = dict(network.named_modules())
        known = ", ".join(name for name in layers if name)
        if not len(taps):
            raise InputError(f"taps is empty, and nothing would be heard: name some of {known}")
        if unknown := [tap for tap in taps if tap not in layers]:
            raise InputError(
                f"taps names {', '.join(unknown)}, which are no layers of the network: name some "
                f"of {known}"
            )
        self._layers = {tap: layers[tap] for tap in taps}
        self.map_shapes = self._measured(front_end, clip_seconds)

    def forward(self, M: Tensor) -> Tensor:
        """Class logits (B, C)."""
        return self.network(self._hear(M))

    def hidden_maps(self, M: Tensor, taps: Sequence[str]) -> tuple[Tensor, dict[str, Tensor]]:
        """Class logits, and what the layers named put out, (B, channels, time, bands)."""
        heard: dict[str, Tensor] = {}

        def keep(tap: str) -> Callable[[nn.Module, object, Tensor], None]:
            return lambda _layer, _input, output: heard.update({tap: self._arrange(output.clone())})

        hooks = [self._layers[tap].register_forward_hook(keep(tap)) for tap in taps]
        try:
            return self(M), heard
        finally:
            for hook in hooks:
                hook.remove()

    def probabilities(self, logits: Tensor) -> Tensor:
        """Class probabilities of logits: the softmax, or a sigmoid for each class."""
        return logits.sigmoid() if self.multi_label else logits.softmax(-1)

    def decisions(self, logits: Tensor) -> Tensor:
        """Mask of the classes that logits (B, C) decide for."""
        if self.multi_label:
            return logits > 0
        return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).bool()

    def _measured(self, front_end: FrontEnd, clip_seconds: float) -> dict[str, MapShape]:
        """Shapes of the hidden maps of one clip of silence."""
        n_samples = round(clip_seconds * front_end.sample_rate)
        device = next((p.device for p in self.parameters()), torch.device("cpu"))
        with torch.no_grad():
            silence = torch.zeros(1, n_samples, device=device)
            M = front_end.log_mel(front_end.stft(silence))
            try:
                logits, maps = self.eval().hidden_maps(M, tuple(self._layers))
            except (RuntimeError, IndexError, TypeError, ValueError, AttributeError) as error:
                raise InputError(
                    f"a clip of {clip_seconds:g} s, which is {tuple(M.shape)}, does not go through "
                    f"`hear`, network and `arrange`: {reason(error)}"
                ) from error
        wrong = [tap for tap in self._layers if tap not in maps or maps[tap].ndim != 4]
        if wrong or logits.ndim != 2:
            raise InputError(
                f"the network must give logits (B, C), and its layers {', '.join(self._layers)} "
                "outputs that `arrange` brings to (B, channels, time, bands); not so "
                f"{', '.join(wrong) or 'the logits'}"
            )
        n_frames = front_end.n_frames(n_samples)
        return {
            tap: MapShape(h.shape[1], h.shape[3], n_frames / h.shape[2]) for tap, h in maps.items()
        }
