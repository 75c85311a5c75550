"""Psi: from hidden maps of the classifier to activations H of the dictionary (Sec. III-B).

Names and shapes
----------------
hidden : dict of (B, channels, time, bands)  of the paper's network the outputs of the blocks B1..B6
                                             before their pooling, and `input`, the log-mel itself,
                                             (B, 1, time, mel); of others whatever they have
n      : number of frames of B6, a 32nd of the spectrogram's, rounded down
H      : (B, K, T)                           activations, non-negative
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d, interpolate, pad, relu
from torch.nn.grad import conv2d_input, conv2d_weight

from l2i.checks import InputError
from l2i.networks.classifier import map_shapes, scaled
from l2i.networks.explainable import MapShape

TAPS = ("B4", "B5", "B6")  # the last three blocks (Sec. IV-B.4)
LONGEST_STRIDE = 32  # that of B6
GRID_STRIDE = 8  # B4 has the frame rate at which maps are joined, 4n frames
GRID_BANDS = 4  # ... and B6 the number of mel bands, of 128 at the input
JOINT_CHANNELS = 512
LOG_MEL = "input", MapShape(channels=1, n_bands=128, stride=1)  # of the paper's network


class JoinedMaps(nn.Module):
    """Hidden maps brought to one grid, 4 bands by 4n frames, and joined.

    For B4, B5 and B6 this is the front of the authors' networks, of Psi as of FLINT's attributes;
    other sets of maps, and those of other classifiers, follow the rule that this one is an instance
    of:

    - A map as fine in time as the grid or finer (B1 to B4) is cut into as many patches as the grid
      has cells, and one convolution, its kernel a patch and its stride too, makes a vector of each.
    - A coarser map (B5, B6) is stretched in time by two, goes through a 3 x 3 convolution, is
      averaged over bands and stretched again, as far as it needs either.
    - A map whose bands or frames the grid does not divide is resampled to the nearest that it does.
    - The log-mel itself has no channels to mix yet: two 3 x 3 convolutions, each averaged over 4
      bands by 2 frames, come before patches are cut (after the authors' input-only network, which
      keeps every frame throughout and costs eight times as much).
    - 512 channels are shared out by :func:`channel_shares`.

    Parameters
    ----------
    width : float
        Factor on channel counts, of the classifier and of this network.
    taps : sequence of str
        Which hidden maps, in any order, such as `B1` to `B6`, `input`.
    maps : mapping of str to MapShape, optional
        The hidden maps that there are, from the input to the output of the classifier; by default
        those of the paper's network of that width.

    Raises
    ------
    InputError
        If `taps` is empty, or names a map twice or one that does not exist.
    """

    def __init__(
        self, *, width: float, taps: Sequence[str], maps: Mapping[str, MapShape] | None = None
    ) -> None:
        super().__init__()
        maps = map_shapes(width) if maps is None else maps
        self.taps = in_network_order(taps, maps)
        self.shapes = {tap: maps[tap] for tap in self.taps}
        shares = [scaled(share, width) for share in channel_shares(len(self.taps))]
        for tap, share in zip(self.taps, shares, strict=True):
            self.add_module(layer_of(tap), _convolution_from(tap, self.shapes[tap], share, width))
        self.n_joined = sum(shares)

    def join(self, hidden: dict[str, Tensor]) -> Tensor:
        """The maps of `taps` on the grid, one after the other, (B, n_joined, 4, 4n)."""
        coarsest = max(reversed(self.taps), key=lambda tap: self.shapes[tap].stride)
        n_frames = torch.sym_int(hidden[coarsest].shape[2] * self.shapes[coarsest].stride)
        n = max(1, n_frames // LONGEST_STRIDE)
        coarse_first = sorted(self.taps, key=lambda tap: self.shapes[tap].stride <= GRID_STRIDE)
        return torch.cat([self._on_grid(tap, hidden[tap], n) for tap in coarse_first], dim=1)

    def _on_grid(self, tap: str, h: Tensor, n: int) -> Tensor:
        """One hidden map at 4 bands and 4n frames, (B, share, 4, 4n)."""
        shape, layer = self.shapes[tap], self.get_submodule(layer_of(tap))
        h = h.transpose(2, 3)  # (B, channels, bands, time)
        # Pooling floors: finer maps may be a little longer.
        h = h[..., : frames_of(shape, n)]
        if shape.stride <= GRID_STRIDE:
            n_bands, n_frames = patch_of(shape)
            return relu(layer(resampled(h, GRID_BANDS * n_bands, 4 * n * n_frames)))
        h = relu(stretch_conv(h, 2 * h.shape[-1], cast(nn.Conv2d, layer)))
        if h.shape[2] % GRID_BANDS:
            return resampled(h, GRID_BANDS, 4 * n)
        if h.shape[2] > GRID_BANDS:
            h = avg_pool2d(h, (h.shape[2] // GRID_BANDS, 1))
        return h if h.shape[-1] == 4 * n else stretch(h, 4 * n)


class Psi(JoinedMaps):
    """From hidden maps to activations.

    Where the maps are joined, every layer gives up frequency and gains time, until one row per
    component at the STFT's frame rate is left. For B4, B5 and B6 this is the network of the
    authors' code.

    Parameters
    ----------
    n_components : int
        Number K of dictionary columns.
    width, taps, maps
        See :class:`JoinedMaps`.

    Shape
    -----
    hidden : dict of (B, channels, time, bands), those of `taps` at least
    H : (B, K, n_frames)
    """

    def __init__(
        self,
        n_components: int,
        *,
        width: float = 1.0,
        taps: Sequence[str] = TAPS,
        maps: Mapping[str, MapShape] | None = None,
    ) -> None:
        super().__init__(width=width, taps=taps, maps=maps)
        middle = scaled(256, width)
        self.joint = nn.Conv2d(self.n_joined, middle, 3, padding=1)
        self.collapse = nn.Conv2d(middle, middle, (GRID_BANDS, 1))
        # Over time alone; Conv1d would leave the channels-last layout, which is faster.
        self.temporal = nn.Conv2d(middle, n_components, (1, 5), padding=(0, 2))
        self.activations = nn.Conv2d(n_components, n_components, (1, 5), padding=(0, 2))

    def forward(self, hidden: dict[str, Tensor], n_frames: int) -> Tensor:
        """Activations H at `n_frames` frames."""
        h = self.join(hidden)  # (B, 512, 4, 4n)
        n = h.shape[-1] // 4
        h = relu(stretch_conv(h, 8 * n, self.joint))  # (B, 256, 4, 8n)
        h = relu(stretch(self.collapse(h), 16 * n))  # (B, 256, 1, 16n)
        h = stretch(h, n_frames)
        return relu(self.activations(relu(self.temporal(h)))).squeeze(2)


def in_network_order(taps: Sequence[str], maps: Mapping[str, MapShape]) -> tuple[str, ...]:
    """The hidden maps named, from the input to the output of the classifier.

    Raises
    ------
    InputError
        If there are none, or if one is named twice or does not exist.
    """
    ordered = tuple(tap for tap in maps if tap in taps)
    if not taps or len(ordered) != len(taps):
        raise InputError(
            f"taps must be one or more of {', '.join(maps)}, each named once, got {list(taps)}"
        )
    return ordered


def layer_of(tap: str) -> str:
    """What the layer that hears a hidden map is called; names of layers hold no dots."""
    return f"from_{tap.lower().replace('.', '_')}"


def patch_of(shape: MapShape) -> tuple[int, int]:
    """Bands and frames of a map that is no coarser than the grid, for each cell of it."""
    return max(1, shape.n_bands // GRID_BANDS), max(1, round(GRID_STRIDE / shape.stride))


def frames_of(shape: MapShape, n: int) -> int:
    """Frames of a map that stand for 32n of the spectrogram."""
    if LONGEST_STRIDE % shape.stride == 0:  # a length that is a symbol cannot be rounded
        return n * int(LONGEST_STRIDE // shape.stride)
    return round(LONGEST_STRIDE * n / shape.stride)


def channel_shares(n_taps: int) -> list[int]:
    """How the 512 channels at the join are shared between maps, in network order.

    Equal shares, rounded down to a power of two; the middle map gets what is left over. So one map
    has 512, two have 256 each, three 128, 256 and 128, the latter two as in the authors' code.
    """
    equal = JOINT_CHANNELS >> (n_taps - 1).bit_length()
    shares = [equal] * n_taps
    shares[n_taps // 2] += JOINT_CHANNELS - sum(shares)
    return shares


def _convolution_from(tap: str, shape: MapShape, n_out: int, width: float) -> nn.Module:
    """What brings one hidden map to the grid, with `n_out` channels there."""
    if (tap, shape) == LOG_MEL:
        first, second = scaled(64, width), scaled(256, width)
        return nn.Sequential(
            nn.Conv2d(1, first, 3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d((4, 2)),
            nn.Conv2d(first, second, 3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d((4, 2)),
            nn.Conv2d(second, n_out, 2, stride=2),
        )
    if shape.stride > GRID_STRIDE:
        return nn.Conv2d(shape.channels, n_out, 3, padding=1)
    return nn.Conv2d(shape.channels, n_out, patch_of(shape), stride=patch_of(shape))


def resampled(h: Tensor, n_bands: int, n_frames: int) -> Tensor:
    """Maps (B, channels, bands, time) of another size: averaged where finer, else interpolated."""
    size = n_bands, n_frames
    if tuple(h.shape[2:]) == size:
        return h
    h = adaptive_avg_pool2d(h, (min(h.shape[2], n_bands), min(h.shape[3], n_frames)))
    return interpolate(h, size, mode="bilinear", align_corners=False)


def stretch(h: Tensor, n_frames: int) -> Tensor:
    """Linear interpolation of the last axis (time), corner to corner."""
    return interpolate(h, (h.shape[-2], n_frames), mode="bilinear", align_corners=True)


def stretch_conv(h: Tensor, n_frames: int, conv: nn.Conv2d) -> Tensor:
    """`conv(stretch(h, n_frames))` for about `h.shape[-1] / n_frames` of its operations.

    Mixing channels and interpolating over time commute. So channels are mixed at the coarse rate,
    once for each of the kernel's frames, and the results are shifted and interpolated together.

    Parameters
    ----------
    h : Tensor, shape (B, in_channels, n_bands, T)
    n_frames : int
        Frames to stretch to.
    conv : nn.Conv2d
        Of stride 1, with a kernel of odd length in time and "same" padding there.

    Returns
    -------
    Tensor, shape (B, out_channels, n_bands, n_frames)
    """
    if torch.compiler.is_exporting():
        return conv(stretch(h, n_frames))  # a graph of any length has no weights to be kept
    n_taps = conv.kernel_size[1]
    kernel = conv.weight.permute(3, 0, 1, 2).flatten(0, 1).unsqueeze(3)  # taps before channels
    mixed = conv_over_bands(h, kernel, int(conv.padding[0])).permute(0, 2, 3, 1)
    mixed = mixed.unflatten(3, (n_taps, -1)).flatten(2, 3)  # (B, n_bands, T * taps, out)
    weights = _stretch_weights(h.shape[-1], n_frames, n_taps, h.dtype, h.device)
    return (weights @ mixed + conv.bias).permute(0, 3, 1, 2)


def conv_over_bands(h: Tensor, kernel: Tensor, padding: int) -> Tensor:
    """Convolution of maps (B, channels, bands, time) with kernels of one frame.

    In float32 on a CPU the gradient of the kernel is computed band by band, in half of the time.
    """
    if h.device.type != "cpu" or torch.is_autocast_enabled("cpu") or not kernel.requires_grad:
        return conv2d(h, kernel, padding=(padding, 0))
    return cast(Tensor, _ConvOverBands.apply(h, kernel, padding))


class _ConvOverBands(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor, kernel: Tensor, padding: int) -> Tensor:
        ctx.save_for_backward(h, kernel)
        ctx.padding = padding
        return conv2d(h, kernel, padding=(padding, 0))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        h, kernel = ctx.saved_tensors
        of_h = of_kernel = None
        one_row = (*kernel.shape[:2], 1, 1)
        if ctx.needs_input_grad[0]:
            of_h = conv2d_input(h.shape, kernel, gradient, padding=(ctx.padding, 0))
        if ctx.needs_input_grad[1]:
            of_kernel = torch.zeros_like(kernel)
            for row in range(kernel.shape[2]):
                shift = row - ctx.padding  # from a band of the output to the one that it sees
                first, end = max(0, -shift), min(gradient.shape[2], h.shape[2] - shift)
                if first < end:
                    seen, out = h[:, :, first + shift : end + shift], gradient[:, :, first:end]
                    of_kernel[:, :, row : row + 1] = conv2d_weight(seen, one_row, out)
        return of_h, of_kernel, None


@lru_cache(maxsize=32)
def _stretch_weights(
    n: int, n_frames: int, n_taps: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """What frame s, seen by tap k, adds to a stretched frame: (n_frames, n * n_taps)."""
    line = stretch(torch.eye(n, dtype=torch.float64)[:, None, None], n_frames).flatten(1).T
    reach = n_taps // 2
    padded = pad(line, (0, 0, reach, reach))
    shifted = [padded[k : k + n_frames] for k in range(n_taps)]
    return torch.stack(shifted, dim=2).flatten(1).to(device, dtype)
