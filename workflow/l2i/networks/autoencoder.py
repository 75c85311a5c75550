"""An autoencoder that unpools where it has pooled (Zinemanas et al. 2021, Sec. 3.1 and 3.3).

Two poolings, each with a mask of the entries that were the largest of their cell. The decoder
repeats every entry over its cell and keeps what the mask marks, so that it need not guess where in
a cell something was.

The activation keeps the order of its arguments, and zeros: it therefore comes after the pooling and
before the unpooling, on a quarter of the entries, which gives what the reference gives.

Names and shapes
----------------
x        : (B, T, M)          spectrograms, T and M multiples of 4, values in [-1, 1]
features : (B, c, T/4, M/4)
masks    : two of 0 and 1, (B, c, T, M) and (B, c, T/2, M/2); no gradient
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, max_pool2d

CELL = 4  # entries of the input along each axis that become one of the features
SLOPE = 0.3  # of the leaky ReLU, Keras's default
KERNEL = 5

Masks = tuple[Tensor, Tensor]


class Encoder(nn.Module):
    """Spectrograms to features."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.first = convolution(1, n_channels)
        self.second = convolution(n_channels, n_channels)
        self.third = convolution(n_channels, n_channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Masks]:
        """Features and masks."""
        h, mask_1 = pool(self.first(x.unsqueeze(1)))
        h, mask_2 = pool(self.second(leaky_relu(h, SLOPE)))
        return leaky_relu(self.third(leaky_relu(h, SLOPE)), SLOPE), (mask_1, mask_2)


class Decoder(nn.Module):
    """Features and masks to spectrograms.

    The reference names its layers transposed convolutions. At a stride of one these are
    convolutions, their kernels flipped.
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.first = convolution(n_channels, n_channels)
        self.second = convolution(n_channels, n_channels)
        self.third = convolution(n_channels, 1)

    def forward(self, features: Tensor, masks: Masks) -> Tensor:
        """Spectrograms x."""
        mask_1, mask_2 = masks
        h = unpool(leaky_relu(self.first(features), SLOPE), mask_2)
        h = unpool(leaky_relu(self.second(h), SLOPE), mask_1)
        return self.third(h).squeeze(1).tanh()


def convolution(n_in: int, n_out: int) -> nn.Conv2d:
    """A layer that keeps the size, initialised as by Keras: Glorot's uniform, no bias at first."""
    layer = nn.Conv2d(n_in, n_out, KERNEL, padding=KERNEL // 2)
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def pool(h: Tensor) -> tuple[Tensor, Tensor]:
    """Largest entry of each 2 x 2 cell, and a mask of where it was: in all places, if tied."""
    pooled = max_pool2d(h, 2)
    with torch.no_grad():
        mask = (h >= repeat(pooled)).to(h.dtype)
    return pooled, mask


def unpool(h: Tensor, mask: Tensor) -> Tensor:
    """Each entry, in those places of its cell that the mask marks; zero elsewhere."""
    return repeat(h) * mask


def repeat(h: Tensor) -> Tensor:
    """Each entry as a 2 x 2 cell, (B, c, T, M) to (B, c, 2T, 2M)."""
    return interpolate(h, scale_factor=2, mode="nearest")
