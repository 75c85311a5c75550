"""l2i.pages.pictures: PNG of levels and of masks."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from l2i.pages.pictures import N_COLOURS, N_GREYS, coloured, colours, shade


def opened(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA")).astype(int)


def lightness(rgb):
    """L* of CIELAB."""
    linear = np.where(rgb > 0.04045 * 255, ((rgb / 255 + 0.055) / 1.055) ** 2.4, rgb / 255 / 12.92)
    Y = linear @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(np.maximum(Y, 0.008856)) - 16


def test_what_is_louder_is_lighter_by_even_steps():
    steps = np.diff(lightness(colours().astype(float)))
    assert (steps[8:] > 1.2).all() and (steps[8:] < 1.9).all()  # black before
    assert lightness(colours()[-1].astype(float)) > 90 and colours()[0].max() < 20


def test_the_lowest_band_is_at_the_bottom():
    levels = np.zeros((3, 2))
    levels[0] = 1
    picture = opened(coloured(levels))
    assert picture.shape == (3, 2, 4) and (picture[:, :, 3] == 255).all()
    assert (picture[2, 0, :3] == colours()[-1]).all() and (picture[0, 0, :3] == colours()[0]).all()


def test_a_mask_is_black_where_it_is_0_and_clear_where_it_is_1():
    hidden = opened(shade(np.array([[0.0, 1.0, 0.5], [2.0, -1.0, 0.0]])))
    assert (hidden[:, :, :3] == 0).all()
    assert hidden[1, :2, 3].tolist() == [255, 0] and abs(hidden[1, 2, 3] - 127) <= 255 / N_GREYS
    assert hidden[0, :, 3].tolist() == [0, 255, 255]


def test_pictures_are_small():
    t = np.linspace(0, 1, 240)
    assert len(shade(np.tile(t, (90, 1)))) < 1000
    noise = np.random.default_rng(0).random((180, 480))
    assert len(coloured(noise)) < 180 * 480 * np.log2(N_COLOURS) / 8 * 1.05
