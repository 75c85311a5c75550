"""Networks small enough to be trained within a test, and features for them."""

from __future__ import annotations

import torch

from l2i.networks.classifier import MIN_FRAMES, Classifier
from l2i.networks.interpreter import Interpreter

WIDTH = 0.125


def small_classifier(**options):
    """A fresh classifier of three classes, the same every time."""
    torch.manual_seed(0)
    return Classifier(3, width=WIDTH, head_units=8, **options)


def banded_log_mel(generator):
    """Twelve clips of three classes, told apart by a band of energy."""
    M = torch.randn(12, MIN_FRAMES, 128, generator=generator) - 40
    for i in range(12):
        M[i, :, 40 * (i % 3) : 40 * (i % 3) + 30] += 30
    return M.numpy()


def random_dictionary(generator):
    """Six components of 33 bins, of unit norm."""
    W = torch.rand(33, 6, generator=generator)
    return W / W.norm(dim=0)


def random_features(generator):
    """Log-mel (10, 150, 128) and log-magnitude (10, 33, 150) of ten clips."""
    log_mel = (torch.randn(10, 150, 128, generator=generator) * 10 - 40).numpy()
    return log_mel, torch.rand(10, 33, 150, generator=generator).numpy()


def small_interpreter(W, pooling="attention", dropout=0.0):
    """A fresh interpreter of the small classifier, the same every time."""
    torch.manual_seed(1)
    return Interpreter(W, 3, pooling=pooling, dropout=dropout, width=WIDTH)
