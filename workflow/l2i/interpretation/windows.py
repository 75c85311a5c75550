"""Windows over what is longer than a network decides on, and what they make together.

Neighbours overlap by half. Activations of overlapping windows are faded into each other, with
weights that add up to 1 in every frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor


def window_starts(n_samples: int, n_window: int, hop_length: int) -> list[int]:
    """First sample of each window, all at whole hops, so that frames of neighbours coincide.

    One window where the waveform is no longer than that. The last one ends with the waveform, or
    less than a hop behind it.
    """
    if n_samples <= n_window:
        return [0]
    stride = max(1, n_window // 2 // hop_length) * hop_length
    last = -(-(n_samples - n_window) // hop_length) * hop_length
    return [*range(0, last, stride), last]


def fade_weights(firsts: Sequence[int], lengths: Sequence[int]) -> Iterator[Tensor]:
    """Weight of each window's frames in the frames of the whole, (length,) each.

    They rise and fall in straight lines, and add up to 1 in each frame that any window covers.

    Parameters
    ----------
    firsts, lengths : sequence of int
        First frame of each window, and how many it has.
    """
    total = torch.zeros(max(map(sum, zip(firsts, lengths, strict=True))), dtype=torch.float64)
    for first, length in zip(firsts, lengths, strict=True):
        total[first : first + length] += _triangle(length)
    for first, length in zip(firsts, lengths, strict=True):
        yield (_triangle(length) / total[first : first + length]).float()


def _triangle(n: int) -> Tensor:
    place = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return 1 - (2 * place - 1).abs()
