"""Prototypes made audible: decoded to a log-mel spectrogram, then to a waveform.

A prototype has features but no masks to unpool with. As in the reference, it takes those of the
training clip that it is nearest to. The power spectrum between the centres of two mel bands is
interpolated, and the phase is Griffin and Lim's. Non-negative least squares, which the reference
inverts the filterbank with, fits no better here and takes a thousand times as long.

References
----------
P. Zinemanas, M. Rocamora, M. Miron, F. Font, X. Serra, "An interpretable deep learning model for
automatic sound classification", Electronics 10(7), 2021, Sec. 3.5.
D. Griffin, J. Lim, "Signal estimation from modified short-time Fourier transform", IEEE TASSP,
1984.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import griffinlim

from l2i.features.audio import fit_length
from l2i.features.log_mel import LogMel
from l2i.systems.apnet import APNet
from l2i.training.task import Recordings

PEAK = 0.5  # of every waveform, in units of full scale
N_ITER = 64  # of Griffin and Lim's algorithm


@dataclass(frozen=True)
class PrototypeSound:
    """A prototype, and what it is like."""

    number: int  # 0 to K - 1
    class_weights: Tensor  # (C,) what it adds to each logit of a clip that equals it
    nearest_row: int  # of the training clips, in the index of the data set
    distance: float  # to that clip: squared, mean over rows of frequency
    log_mel: Tensor  # (T, n_mels) decoded, in dB
    waveform: np.ndarray  # (n_samples,) float32
    sample_rate: int  # Hz


def heaviest_prototypes(network: APNet) -> list[int]:
    """The prototype of each class that adds most to it; one may stand for several classes."""
    return network.class_weights().argmax(1).tolist()


@torch.no_grad()
def prototype_sounds(
    network: APNet, recordings: Recordings, rows: np.ndarray, numbers: Sequence[int]
) -> list[PrototypeSound]:
    """Decode prototypes.

    Parameters
    ----------
    network : APNet
        Trained, in evaluation mode.
    recordings : Recordings
        The fold that it was trained on.
    rows : np.ndarray of int
        Its training clips.
    numbers : sequence of int
        Prototypes wanted, for example :func:`heaviest_prototypes`.

    Returns
    -------
    list of PrototypeSound
        In the order asked for. Levels mean nothing: each waveform has the same peak.
    """
    numbers = list(numbers)
    near = [
        network.distances(network.encoder(network.inputs(c))[0]) for c in recordings.batches(rows)
    ]
    distances, nearest = torch.cat([D.mean(2)[:, numbers] for D in near]).min(0)
    class_weights = network.class_weights().cpu()
    sounds = []
    for number, distance, position in zip(
        numbers, distances.tolist(), nearest.tolist(), strict=True
    ):
        row = int(rows[position])
        _, masks = network.encoder(network.inputs(recordings.clips(np.array([row]))))
        decoded = network.decoder(network.prototypes[number][None], masks)
        log_mel = network.unscale(decoded)[0].cpu()
        sounds.append(
            PrototypeSound(
                number,
                class_weights[:, number],
                row,
                distance,
                log_mel,
                waveform_of(log_mel, network.front_end),
                network.front_end.sample_rate,
            )
        )
    return sounds


@torch.no_grad()
def logits_of_sound(network: APNet, waveform: np.ndarray) -> Tensor:
    """Logits (C,) of the network for a scaled waveform at its own rate, as if it were a clip."""
    front_end = network.front_end
    n_samples = front_end.n_fft + (network.n_frames - 1) * front_end.hop_length
    device = network.prototypes.device
    x = torch.from_numpy(fit_length(waveform, n_samples))[None].to(device)
    features, _ = network.encoder(network.scale(front_end(x, front_end.sample_rate)))
    return network.logits(network.distances(features))[0].cpu()


def waveform_of(log_mel: Tensor, front_end: LogMel) -> np.ndarray:
    """A waveform with about this log-mel spectrogram, (T, n_mels) in dB, its peak at PEAK.

    Its frames are centred, so that it is one window shorter than the clips of the same T.
    """
    filters = front_end.filters  # of equal areas: what they give is a density
    triangles = filters / filters.amax(0)  # neighbours add up to 1
    power = 10 ** (log_mel.double() / 10) @ triangles.T
    x = griffinlim(
        power.float().sqrt().T,
        torch.hann_window(front_end.n_fft),
        front_end.n_fft,
        front_end.hop_length,
        front_end.n_fft,
        power=1.0,
        n_iter=N_ITER,
        momentum=0.0,
        length=None,
        rand_init=False,  # all phases zero at first: the same sound every time
    )
    return (PEAK * x / x.abs().amax().clamp(min=torch.finfo(x.dtype).tiny)).numpy()
