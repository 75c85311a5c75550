"""l2i.synthetic.urban: sounds of the street, told apart by band and course."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.synthetic import SECONDS, likeness, share_in_band
from l2i.synthetic import urban
from l2i.synthetic.sounds import generator

URBAN_BANDS = {  # where nearly all energy is, in Hz
    "engine": (30, 1200),
    "machinery-impact": (700, 9000),
    "non-machinery-impact": (40, 22_050),
    "powered-saw": (2000, 12_000),
    "alert-signal": (550, 4500),
    "music": (200, 4000),
    "human-voice": (80, 4000),
    "dog": (300, 4500),
}


class TestSounds:
    @pytest.mark.parametrize("name", urban.KINDS)
    def test_sounds_of_the_street_are_full_scale_in_their_band_and_differ(self, name):
        sounds = [urban.KINDS[name](SECONDS, generator(0, k)) for k in range(3)]
        for x in sounds:
            assert 0.9 < np.abs(x).max() < 1.6
            assert share_in_band(x, 44_100, *URBAN_BANDS[name]) > 0.8
        assert max(likeness(a, b) for a, b in zip(sounds, sounds[1:], strict=False)) < 0.99

    def test_kinds_of_sound_are_less_alike_than_sounds_of_a_kind(self):
        bands = {n: [profile(f(SECONDS, generator(1, k))) for k in range(4)]
                 for n, f in urban.KINDS.items()}  # fmt: skip
        centres = {name: np.mean(own, axis=0) for name, own in bands.items()}
        for name, own in bands.items():
            for p in own:
                distances = {other: np.abs(p - c).sum() for other, c in centres.items()}
                assert min(distances, key=distances.get) == name

    @pytest.mark.parametrize(
        ("name", "is_struck"),
        [("machinery-impact", True), ("non-machinery-impact", True), ("dog", True)]
        + [("engine", False), ("alert-signal", False)],
    )
    def test_strokes_and_barks_are_short_and_hums_are_long(self, name, is_struck):
        for k in range(3):
            steadiness = 2 * profile(urban.KINDS[name](SECONDS, generator(2, k)))[-1]
            assert (steadiness > 0.6) == is_struck


def profile(x):
    """Share of energy in each octave, and how unsteady the level is."""
    octaves = [share_in_band(x, 44_100, 32 * 2**k, 64 * 2**k) for k in range(9)]
    level = np.abs(x[: len(x) // 441 * 441]).reshape(-1, 441).mean(axis=1)
    return np.array([*octaves, level.std() / level.mean() / 2])
