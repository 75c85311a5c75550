"""Post-hoc training: seconds an epoch, ours against the naive way and against the GEMM floor.

Names of shapes
---------------
B, T    : clips of a batch, frames of the spectrogram
n       : frames of B6, a 32nd of T, rounded down
C, K    : classes, components
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import librosa
import numpy as np
import torch
from features import N_SAMPLES, librosa_features
from machine import gemm_rate
from parts import Given
from rows import Row, at_most, faster, near_floor
from torch import nn
from torch.utils.data import DataLoader, Dataset

from l2i.features.cache import cache_features, open_features
from l2i.features.spectral import FrontEnd
from l2i.hashing import file_sha256
from l2i.networks.classifier import Classifier
from l2i.networks.interpreter import ATTENTION_UNITS, AttentionPooling, Interpreter
from l2i.networks.psi import TAPS
from l2i.networks.stored_classifier import frozen
from l2i.runtime import channels_last, has_matrix_units, precision_name, resolve_precision
from l2i.systems.posthoc import LossWeights, train_posthoc
from l2i.training import losses
from l2i.training.loop import Plan

N_CLIPS, BATCH, N_EPOCHS = 320, 32, 3
N_CLASSES, N_COMPONENTS = 10, 100
OF_FLOOR = 0.7  # of the machine's rate of matrix products, at least
AGAINST_NAIVE = {True: 10, False: 4}  # by whether the processor has matrix units


class Clips(Dataset):
    """Decode a clip and compute its features, every time anew."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        x, _ = librosa.load(self.paths[i], sr=44_100)
        x = librosa.util.fix_length(x / np.abs(x).max(), size=N_SAMPLES)
        return librosa_features(x, 1)


def measure(given: Given) -> list[Row]:
    """One epoch of post-hoc training over clips, after the one-off work of ours.

    The naive way decodes each clip, computes its features with librosa in one loading worker and
    runs the classifier on each clip, in every epoch and in float32. Ours computes hidden maps once
    and trains in the precision that is faster on this machine.
    """
    paths = given.clips(N_CLIPS)
    torch.manual_seed(0)
    classifier = frozen(Classifier(N_CLASSES), "cpu")
    W = torch.rand(513, N_COMPONENTS)
    W /= W.norm(dim=0)
    network = Interpreter(W, N_CLASSES, pooling="attention", dropout=0.4)
    precision = resolve_precision("auto", "cpu")
    before = gemm_rate(precision)
    once, per_epoch = _ours(paths, classifier, network, precision, given.scratch)
    # On a machine whose speed changes meanwhile the higher rate is the stricter one.
    rate = max(before, gemm_rate(precision))
    floor = _operations_of_epoch(network, len(paths)) / rate
    theirs = _naive_epoch(paths, Classifier(N_CLASSES).eval().requires_grad_(False), W)
    epoch = f"an epoch over {len(paths)} clips in {precision_name(precision)}"
    at_rate = f"at {rate / 1e9:.0f} GFLOP/s of square products"
    bar = AGAINST_NAIVE[has_matrix_units()]
    return [
        faster(f"post-hoc training: {epoch}", "s", per_epoch, theirs, bar, floor=floor),
        near_floor(
            f"post-hoc training: {epoch}, share of the floor",
            "s",
            per_epoch,
            floor,
            OF_FLOOR,
            note=f"{at_rate}; convolutions can be faster than these",
        ),
        at_most("post-hoc training: hidden maps and projections, once a job", "s", once),
    ]


def step_operations(network: Interpreter, batch_size: int, n_frames: int) -> int:
    """Floating-point operations of a training step, 2 for each multiply-add.

    Of convolutions and products, as they are computed: a layer of O outputs, each a sum over I
    inputs, has O x I multiply-adds forward, as many for the gradient of its weights and, unless its
    input is a constant (the hidden maps), as many for that of its input. So a layer counts three
    times, or twice. An interpolation that was merged with a convolution (psi.stretch_conv) is a
    product with constant weights, hence counts twice: forward, and backward to the convolution.
    What is computed element by element does not count.

    For the network that is measured alone: Psi on B4, B5 and B6, Theta with one attention for all
    classes, and the reconstruction by projections. Others have other layers and are refused.

    Raises
    ------
    ValueError
        For an interpreter of other maps or of another pooling.
    """
    if network.psi.taps != TAPS or type(network.pooling) is not AttentionPooling:
        raise ValueError("operations are counted of B4, B5 and B6 and of shared attention alone")
    psi, n = network.psi, n_frames // 32
    K, C = network.W.shape[1], network.linear.out_features
    twice = [
        _multiply_adds(cast(nn.Conv2d, psi.from_b4), 4 * 4 * n),
        *_stretched(cast(nn.Conv2d, psi.from_b5), n_bands=8, n_in=2 * n, n_out=4 * n),
        *_stretched(cast(nn.Conv2d, psi.from_b6), n_bands=4, n_in=n, n_out=2 * n),
        _stretched(psi.joint, n_bands=4, n_in=4 * n, n_out=8 * n)[1],
        K * K * n_frames,  # W'W H
    ]
    thrice = [
        _stretched(psi.joint, n_bands=4, n_in=4 * n, n_out=8 * n)[0],
        _multiply_adds(psi.collapse, 8 * n),
        _multiply_adds(psi.temporal, n_frames),
        _multiply_adds(psi.activations, n_frames),
        2 * K * ATTENTION_UNITS * n_frames,  # value and gate
        ATTENTION_UNITS * n_frames,  # score
        K * n_frames,  # z = H a
        C * K,
    ]
    return 2 * batch_size * (2 * sum(twice) + 3 * sum(thrice))


def _multiply_adds(layer: nn.Conv2d, n_cells: int) -> int:
    """Of a convolution whose output has so many cells, forward."""
    return layer.weight.numel() * n_cells


def _stretched(layer: nn.Conv2d, *, n_bands: int, n_in: int, n_out: int) -> tuple[int, int]:
    """Of a convolution of n_in frames stretched to n_out: of it, and of the stretching."""
    n_channels, n_taps = len(layer.weight), layer.kernel_size[1]
    return _multiply_adds(layer, n_bands * n_in), n_bands * n_channels * n_out * n_taps * n_in


def _operations_of_epoch(network: Interpreter, n_clips: int) -> int:
    return step_operations(network, n_clips, 1 + N_SAMPLES // 512)


def _ours(
    paths: Sequence[Path],
    classifier: Classifier,
    network: Interpreter,
    precision: torch.dtype,
    folder: Path,
) -> tuple[float, float]:
    """Seconds of the work done once, and median seconds of an epoch."""
    files = folder / "X.npy", folder / "M.npy"
    cache_features(
        paths,
        *files,
        sha256=[file_sha256(path) for path in paths],
        front_end=FrontEnd(44_100, 1024, 512, 128, 1),
        scale="absolute",
        n_samples=N_SAMPLES,
    )
    log_magnitude, log_mel = map(open_features, files)
    start = time.perf_counter()
    history, _ = train_posthoc(
        channels_last(network),
        classifier,
        log_mel,
        log_magnitude,
        np.arange(len(paths)),
        LossWeights(reconstruction=10.0, sparsity=0.8, fidelity=[(1, 1.0)]),
        Plan(N_EPOCHS, BATCH, 2e-4),
        precision=precision,
        device="cpu",
        scratch=folder,
        checkpoint=None,
    )
    once = time.perf_counter() - start - history["seconds"].sum()
    return once, float(history["seconds"].median())


def _naive_epoch(paths: Sequence[Path], classifier: Classifier, W: torch.Tensor) -> float:
    """Seconds of one epoch the naive way, after one batch to warm up."""
    network = Interpreter(W, N_CLASSES, pooling="attention", dropout=0.4).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-4)

    def epoch(chosen: Sequence[Path]) -> None:
        for X, M in DataLoader(Clips(chosen), BATCH, shuffle=True, num_workers=1):
            with torch.no_grad():
                outputs = [classifier.hidden_maps(clip[None], TAPS) for clip in M]
            reference = torch.cat([logits for logits, _ in outputs]).softmax(-1)
            hidden = {tap: torch.cat([maps[tap] for _, maps in outputs]) for tap in TAPS}
            H, _, logits = network(hidden, X.shape[-1])
            total = (
                losses.fidelity(reference, logits).mean()
                + 10 * losses.reconstruction(X, network.reconstruct(H)).mean()
                + 0.8 * losses.sparsity(H).mean()
            )
            optimizer.zero_grad()
            total.backward()
            optimizer.step()

    epoch(paths[:BATCH])
    start = time.perf_counter()
    epoch(paths)
    return time.perf_counter() - start
