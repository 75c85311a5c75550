from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from torchaudio.functional import resample as reference

from l2i.features import resampling
from l2i.features.resampling import resample


@pytest.fixture
def point_by_point(monkeypatch):
    monkeypatch.setattr(resampling, "_LARGEST_FILTER", 0)


@pytest.mark.parametrize("rates", [(48_000, 44_100), (22_050, 44_100), (44_100, 16_000), (3, 500)])
def test_both_ways_compute_the_same_sound(rates, point_by_point, rng):
    x = rng.standard_normal(2000).astype(np.float32)
    expected = reference(torch.from_numpy(x), *rates).numpy()
    found = resample(x, *rates)
    assert found.dtype == np.float32 and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_usual_rates_are_converted_as_torchaudio_does(rng):
    x = rng.standard_normal(2000).astype(np.float32)
    expected = reference(torch.from_numpy(x), 48_000, 44_100).numpy()
    np.testing.assert_array_equal(resample(x, 48_000, 44_100), expected)


@pytest.mark.parametrize("rate", [1, 44_056, 44_099, 9_999_991, 10_000_000])
def test_memory_does_not_depend_on_the_rates(rate):
    x = np.zeros(min(rate, 44_100) if rate > 1 else 2, np.float32)
    tracemalloc.start()
    resample(x, rate, 44_100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 150 * 2**20


def test_a_tone_keeps_its_pitch_between_rates_without_a_common_factor():
    seconds = np.arange(44_056) / 44_056
    found = resample(np.sin(2 * np.pi * 440 * seconds).astype(np.float32), 44_056, 44_100)
    expected = np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100)
    np.testing.assert_allclose(found[100:-100], expected[100:-100], atol=1e-3)
