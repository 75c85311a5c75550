"""Whether a clip can be heard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2i.listening_test.audibility import SILENCE_DBFS, Audible, level_of

RATE = 8000
ONE_FRAME = RATE // 20


def steps(*dbfs):
    """Frames of these levels, side by side: squares, whose level is their amplitude."""
    return np.concatenate([np.full(ONE_FRAME, 10 ** (level / 20)) for level in dbfs])


def test_levels_are_those_of_frames_of_a_twentieth_of_a_second():
    level = level_of(steps(0, -20, -40, -60), RATE)
    assert level.frames_dbfs == pytest.approx([0, -20, -40, -60])
    assert level.dbfs == pytest.approx(10 * np.log10((1 + 1e-2 + 1e-4 + 1e-6) / 4))


def test_what_fills_no_frame_belongs_to_the_last_one_and_makes_no_clip_longer():
    x = np.concatenate([steps(-20, -20), np.zeros(ONE_FRAME // 4)])
    assert level_of(x, RATE).frames_dbfs == pytest.approx([-20, -20 + 10 * np.log10(4 / 5)])
    assert level_of(x, RATE).seconds_above(-60) == pytest.approx(0.1)
    assert level_of(x[:30], RATE).frames_dbfs == pytest.approx([-20])


def test_silence_has_a_level_and_is_never_audible():
    for n in (0, 1, RATE):
        level = level_of(np.zeros(n, np.float32), RATE)
        assert (level.frames_dbfs == SILENCE_DBFS).all() and level.dbfs == SILENCE_DBFS
        assert level.contrast_db == 0
        assert not Audible(-119.9, 0.05)(level)


@pytest.mark.parametrize(("n_loud", "heard"), [(9, False), (10, True), (11, True)])
def test_a_clip_is_audible_from_so_many_seconds_of_such_a_level_on(n_loud, heard):
    x = steps(*[-59.9] * n_loud, *[-60.1] * 30)
    assert Audible(floor_dbfs=-60.0, seconds=0.5)(level_of(x, RATE)) is heard
    assert level_of(x, RATE).seconds_above(-60.0) == pytest.approx(n_loud / 20)


def test_a_short_sound_in_silence_is_audible_and_so_is_one_without_contrast():
    rule = Audible(floor_dbfs=-60.0, seconds=0.25)
    bark = np.concatenate([np.zeros(4 * RATE), steps(*[-15] * 5)])
    assert rule(level_of(bark, RATE)) and level_of(bark, RATE).dbfs < -25
    rain = level_of(steps(*[-45] * 40), RATE)
    assert rule(rain) and rain.contrast_db == pytest.approx(0)


@given(
    st.lists(st.floats(-100, 0), min_size=1, max_size=20),
    st.floats(-110, 0),
    st.floats(0.01, 1),
    st.floats(0, 40),
)
def test_louder_clips_and_lower_floors_are_never_less_audible(levels, floor, seconds, more):
    x = steps(*levels)
    level = level_of(x, RATE)
    if Audible(floor, seconds)(level):
        assert Audible(floor - more, seconds)(level)
        assert Audible(floor, seconds)(level_of(x * 10 ** (more / 20 + 1e-9), RATE))
        assert Audible(floor, seconds)(level_of(np.concatenate([x, steps(-90)]), RATE))
