"""A classifier and an interpreter whose answers are known: one of two tones decides."""

from __future__ import annotations

import torch

from l2i.features.spectral import FrontEnd
from l2i.interpretation.explained import ExplainedClassifier
from l2i.networks.classifier import Classifier
from l2i.networks.interpreter import Interpretation

RATE = 44_100
FRONT_END = FrontEnd(sample_rate=RATE, n_fft=1024, hop_length=512, n_mels=128, mel_power=1)
LOW, HIGH = 40, 300  # bins of two tones
CLASSES = ["low", "not low", "never"]


def tones(n_samples, low=0.5, high=0.5):
    """Both tones at these amplitudes."""
    t = torch.arange(n_samples) / RATE
    hertz = RATE / 1024
    return low * torch.sin(2 * torch.pi * LOW * hertz * t) + high * torch.sin(
        2 * torch.pi * HIGH * hertz * t
    )


class Listener(Classifier):
    """A classifier that is sure of class 0 as long as the low tone is there."""

    def __init__(self, multi_label=False):
        super().__init__(3, width=0.05, head_units=2, multi_label=multi_label)

    def forward(self, M):
        low = M[:, 20:-20, 44:54].amax((1, 2))
        logit = (low + 20).clamp(-20, 20)  # the tone stands at about 0 dB, its absence below -35
        return torch.stack([logit, -logit, -25 + 0 * logit], dim=1)

    def hidden_maps(self, M, taps):
        return self(M), {"n_clips": len(M)}


class Oracle(torch.nn.Module):
    """An interpreter that knows: component 0 is the low tone, 1 the high one, 2 what is left."""

    def __init__(self):
        super().__init__()
        W = torch.zeros(513, 4)
        W[LOW - 20 : LOW + 21, 0] = 1
        W[HIGH - 20 : HIGH + 21, 1] = 1
        W[:, 2] = 1e-6
        W[450:, 3] = 1e-3
        self.architecture = {"taps": ["B6"]}
        self.register_buffer("W", W / W.norm(dim=0))
        self.linear = torch.nn.Linear(4, 3, bias=False)
        self.linear.weight.data = torch.tensor(
            [[1.0, 0.05, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
        )

    def forward(self, hidden, n_frames):
        H = torch.ones(hidden["n_clips"], 4, n_frames)
        H[:, 2:] = 0.01
        z = H.mean(2)
        return Interpretation(H, z, self.linear(z))

    def contributions(self, z):
        return (z if z.dim() == 3 else z[:, None]) * self.linear.weight

    def reconstruct(self, H):
        return self.W @ H


def known_pair(multi_label=False, **how):
    """The two together; with `multi_label`, deciding for each class by itself."""
    return ExplainedClassifier(Listener(multi_label), Oracle().requires_grad_(False), **how)
