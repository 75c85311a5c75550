"""l2i.synthetic.instruments: each within its register, and never twice the same."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.synthetic import SECONDS, likeness, share_in_band
from l2i.synthetic.instruments import INSTRUMENTS, play
from l2i.synthetic.sounds import generator

REGISTERS = {"bass": (35, 330), "cymbals": (4000, 20_000), "flute": (700, 4000)}


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_instruments_play_at_full_scale_and_never_the_same_twice(name):
    sounds = [play(name, SECONDS, generator(0, k)) for k in range(3)]
    for x in sounds:
        assert x.shape == SECONDS.shape
        assert np.abs(x).max() == pytest.approx(1)
        low, high = REGISTERS.get(name, (20, 22_050))
        assert share_in_band(x, 44_100, low, high) > 0.9
    assert max(likeness(a, b) for a, b in zip(sounds, sounds[1:], strict=False)) < 0.99
