"""Multiplications that networks and dictionaries do, in units of 10^9, by the sizes of the data.

Of the networks of l2i.networks, layer by layer for a clip's forward pass; a step of training does
three times as many, once forward and twice for its gradients. Read without the library: a plan of
the work must not wait for PyTorch. A test counts them in the networks themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

GIGA = 1e9
TRAINING = 3  # passes through a network in a step: forward, and two for the gradients
BLOCKS = ((16, 16), (32, 32), (64, 64), (128, 128), (256, 256), (512,))
EMBEDDING, JOINT, MIDDLE = 1024, 512, 256  # channels
N_MELS = 128
MAP_ELEMENTS = 448  # of B4, B5 and B6 together, for each frame of the spectrogram, at width 1


def classifier_pass(n_frames: int, width: float, head_units: int = 256) -> float:
    """A clip through the classifier."""
    total, n_in = 0, 1
    for depth, channels in enumerate(BLOCKS):
        cells = (n_frames >> depth) * (N_MELS >> depth)
        for n_out in (round(width * c) for c in channels):
            total += 9 * n_in * n_out * cells
            n_in = n_out
    embedded = round(width * EMBEDDING)
    cells = max(1, (n_frames >> len(BLOCKS)) - 1)
    total += cells * embedded * (4 * n_in + head_units)
    return total / GIGA


def psi_pass(n_frames: int, width: float, n_components: int, taps: Sequence[str]) -> float:
    """A clip through Psi, that joins the hidden maps of `taps`; without the product with W.

    Maps are mixed at their own rate, before they are stretched to that of the next layer.
    """
    n = n_frames // 32
    share, middle = width * JOINT / len(taps), width * MIDDLE
    total = 0.0
    for tap in taps:
        if tap == "input":
            first, second = 64 * width, 256 * width
            total += 9 * first * n_frames * N_MELS + 9 * first * second * n_frames * N_MELS / 8
            total += 4 * second * share * 16 * n
            continue
        depth = int(tap[1]) - 1
        channels, stride = width * BLOCKS[depth][-1], 1 << depth
        bands = N_MELS >> depth
        if stride <= 8:  # patches: every cell of the map is read once
            total += channels * share * bands * (32 * n // stride)
        else:
            total += 9 * channels * share * bands * (32 * n // stride)
    total += 9 * width * JOINT * middle * 4 * 4 * n + 4 * middle * middle * 8 * n
    total += 5 * n_components * (middle + n_components) * n_frames
    return total / GIGA


def dictionary_product(n_frames: int, n_bins: int, n_components: int) -> float:
    """W H of a clip."""
    return n_frames * n_bins * n_components / GIGA


def factorization_sweep(n_columns: int, n_bins: int, n_components: int) -> float:
    """A sweep of NMF: W'X and X H', and the two small Gram matrices with H."""
    return n_columns * n_components * (2 * n_bins + 2 * n_components) / GIGA
