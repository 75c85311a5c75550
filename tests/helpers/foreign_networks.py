"""Classifiers that are not of this library, and sounds that they tell apart."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from l2i.features.spectral import FrontEnd
from l2i.features.waveforms import WaveformFrontEnd
from l2i.networks.adapter import Adapter

RATE = 8000
SECONDS = 1.0
CLASSES = ["low", "high"]
SETTINGS = {"sample_rate": RATE, "n_fft": 256, "hop_length": 64, "n_mels": 20, "mel_power": 2}
SPECTROGRAMS, WAVEFORMS = FrontEnd(**SETTINGS), WaveformFrontEnd(**SETTINGS)


def tone(kind, number):
    """A tone of one second that begins anywhere, around 400 Hz or 2000 Hz."""
    rng = np.random.default_rng([kind, number])
    t = np.arange(int(RATE * SECONDS)) / RATE
    pitch = (400, 2000)[kind] * rng.uniform(0.8, 1.2)
    x = np.sin(2 * np.pi * pitch * t) * (t > rng.uniform(0, 0.5))
    return (0.5 * x + 0.003 * rng.standard_normal(len(t))).astype(np.float32)


def tones(numbers):
    """Tones of both kinds, in turn."""
    return [tone(kind, number) for number in numbers for kind in (0, 1)]


def hear(M):
    """Log-mels as images with time on the last axis, near 0."""
    return (M.transpose(1, 2)[:, None] + 40) / 30


class OnSpectrograms(nn.Module):
    """A CNN on log-mels, frequency before time, whose layers lie in a list."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Conv2d(1, 6, 3, stride=2), nn.Conv2d(6, 12, 3, stride=(2, 3), padding=1)]
        )
        self.head = nn.Linear(12 * 5, 2)

    def forward(self, images):
        h = images
        for layer in self.layers:
            h = torch.nn.functional.gelu(layer(h))
        return self.head(h.mean(3).flatten(1))


class OnWaveforms(nn.Module):
    """A CNN on waveforms, with one dimension only, as speech models begin."""

    def __init__(self):
        super().__init__()
        self.filters = nn.Sequential(nn.Conv1d(1, 16, 64, stride=16), nn.ReLU())
        self.features = nn.Sequential(nn.Conv1d(16, 24, 5, stride=3), nn.ReLU())
        self.head = nn.Linear(24, 2)

    def forward(self, x):
        return self.head(self.features(self.filters(x[:, None])).mean(2))


def heard(front_end, sounds):
    """What a classifier hears of sounds, one row each."""
    x = torch.from_numpy(np.stack(sounds))
    return front_end.log_mel(front_end.stft(x / x.abs().amax(1, keepdim=True)))


def trained(network, front_end, of=lambda M: M):
    """The network after it has learned to tell the tones apart."""
    M, labels = of(heard(front_end, tones(range(16)))), torch.tensor([0, 1] * 16)
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(60):
        loss = nn.functional.cross_entropy(network(M), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def on_spectrograms():
    """A trained classifier of spectrograms, ready to be explained."""
    torch.manual_seed(0)
    network = trained(OnSpectrograms(), SPECTROGRAMS, hear)
    taps, over = ["layers.0", "layers.1"], {"hear": hear, "arrange": lambda h: h.transpose(2, 3)}
    return Adapter(network, SPECTROGRAMS, clip_seconds=SECONDS, taps=taps, **over)


def on_waveforms():
    """A trained classifier of waveforms, ready to be explained."""
    torch.manual_seed(0)
    network = trained(OnWaveforms(), WAVEFORMS)
    return Adapter(network, WAVEFORMS, clip_seconds=SECONDS, taps=["filters", "features"])
