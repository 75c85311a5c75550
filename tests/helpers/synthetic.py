"""What synthetic sounds and corpora hold: energy by frequency, labels by split."""

from __future__ import annotations

import numpy as np

SECONDS = np.arange(44_100) / 44_100


def share_in_band(x, sample_rate, low, high):
    """Share of the energy between two frequencies, in Hz."""
    hertz = np.fft.rfftfreq(len(x), 1 / sample_rate)
    power = np.abs(np.fft.rfft(x)) ** 2
    return power[(hertz > low) & (hertz < high)].sum() / power.sum()


def likeness(a, b):
    """Cosine of the angle between two magnitude spectra."""
    a, b = np.abs(np.fft.rfft(a)), np.abs(np.fft.rfft(b))
    return a @ b / np.sqrt((a @ a) * (b @ b))


def labels_by_split(index):
    """(split, class) -> set of the labels that occur."""
    columns = [column for column in index if column.startswith("label_")]
    return {
        (split, column): set(part[column].dropna())
        for split, part in index.groupby("split")
        for column in columns
    }
