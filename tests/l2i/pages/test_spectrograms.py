"""l2i.pages.spectrograms: what is seen of sounds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from l2i.features.spectral import FrontEnd
from l2i.interpretation.relevance import soft_masked
from l2i.pages import spectrograms
from l2i.pages.spectrograms import (
    Axis,
    Grid,
    band_levels,
    bands_of,
    in_columns,
    in_percent,
    outline,
    shares,
    spectrogram,
)

GRID = Grid(8000, 256, 128)
AXIS = GRID.axis


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(0, 0.1, 5000).astype(np.float32)


def test_the_stft_is_that_in_which_sounds_are_masked(noise):
    front_end = FrontEnd(**vars(GRID), n_mels=32, mel_power=1)
    S = front_end.stft(torch.from_numpy(noise))
    power = np.concatenate([*GRID.power(noise)], axis=1)
    # Beyond both ends of a clip the picture has silence, and the front end a reflection.
    inner = slice(2, -2)
    assert power.shape == S.shape
    np.testing.assert_allclose(power[:, inner], S.abs().square()[:, inner], rtol=1e-3, atol=1e-6)


def test_masks_are_those_of_the_method():
    rng = np.random.default_rng(1)
    W, H = (rng.random(shape).astype(np.float32) for shape in ((129, 5), (5, 40)))
    L = torch.tensor([True, False, True, False, False])
    ones = torch.ones(129, 40)
    expected = soft_masked(ones, torch.from_numpy(W), torch.from_numpy(H), L).numpy()
    (found,) = shares(W, H, [[0, 2]], GRID, AXIS, n_rows=60, n_columns=100)
    np.testing.assert_allclose(found, bands_of(GRID, AXIS, 60) @ expected, rtol=1e-4)


def test_long_sounds_are_seen_a_part_at_a_time_and_alike(noise, monkeypatch):
    W, H = np.ones((129, 2), np.float32), np.random.default_rng(2).random((2, 40), np.float32)

    def all_of_it():
        seen = spectrogram(noise, GRID, AXIS, n_rows=50, n_columns=7)
        masks = shares(W, H, [[0], [0, 1]], GRID, AXIS, n_rows=9, n_columns=7)
        return seen, masks, band_levels(noise, GRID, AXIS, 8)

    at_once = all_of_it()
    monkeypatch.setattr(spectrograms, "FRAMES_AT_ONCE", 3)
    for one, other in zip(at_once, all_of_it(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_columns_are_means_of_as_many_frames_as_belong_to_each():
    blocks = [np.array([[1.0, 2, 3]]), np.array([[4.0, 5, 6, 99]])]  # one frame is too many
    assert in_columns(blocks, 6, 3).tolist() == [[1.5, 3.5, 5.5]]
    assert in_columns(blocks, 6, 100).tolist() == [[1, 2, 3, 4, 5, 6]]
    assert in_columns(blocks, 5, 2).tolist() == [[2, 4.5]]


@pytest.mark.parametrize("n_bands", [1, 64, 500])
def test_bands_take_all_that_they_show_of_once(n_bands):
    B = bands_of(GRID, AXIS, n_bands)
    assert (B >= 0).all() and B.sum(1) == pytest.approx(np.ones(n_bands), abs=1e-5)
    assert np.all(np.diff(B @ np.arange(129)) > -1e-3), "a higher band has higher bins"


def test_bands_beyond_half_the_sample_rate_take_nothing():
    B = bands_of(GRID, Axis(100, 16_000), 40)
    assert (B[-8:] == 0).all() and B[0].sum() == pytest.approx(1)


def test_levels_are_between_80_db_below_the_loudest_and_the_loudest():
    assert in_percent(np.array([1.0, 1e-4, 1e-8, 0.0]), 1.0) == [100, 50, 0, 0]
    assert in_percent(np.zeros(2), 0.0) == [0, 0]
    assert not spectrogram(np.zeros(999), GRID, AXIS, n_rows=4, n_columns=4).any()


def test_an_outline_has_the_extremes_of_each_stretch():
    x = np.zeros(1000, np.float32)
    x[501], x[999] = 0.5, -0.25
    wave = outline(x)
    assert len(wave) == 2 * spectrograms.N_PEAKS
    assert (wave[2 * 200 + 1], wave[-2], sum(map(abs, wave))) == (100, -50, 150)
