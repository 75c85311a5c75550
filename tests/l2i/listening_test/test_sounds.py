"""What is played of a stimulus."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.listening_tests import RATE, SECONDS, STIMULI, SYSTEMS, tone, write_systems
from l2i.checks import InputError
from l2i.features.audio import write_wav
from l2i.listening_test.sounds import INPUT, equally_loud, level_sound, open_sounds
from l2i.names import file_name
from l2i.pages.playback import LARGEST_CUT, TARGET_LUFS, levels_of


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_systems(tmp_path_factory.mktemp("sounds"), silent=("slime", "drops"))


def loudness(x, rate=RATE):
    return levels_of(x, rate).loudness


def test_input_and_interpretations_are_equally_loud_and_otherwise_what_they_were(folders):
    sounds = open_sounds(folders, *STIMULI[0])
    assert set(sounds.played) == {INPUT, *SYSTEMS} and sounds.seconds == pytest.approx(SECONDS)
    assert sounds.mismatch_db < 0.02 and not sounds.silent
    for x in sounds.played.values():
        assert loudness(x) == pytest.approx(TARGET_LUFS, abs=0.02)
    kept = sounds.played["l2i_att"]
    assert kept == pytest.approx(tone(300, np.abs(kept).max()), abs=1e-3)


def test_what_found_nothing_stays_silence_and_is_named(folders):
    sounds = open_sounds(folders, "drops", "rain & <b>wind</b>")
    assert sounds.silent == ["slime"] and not sounds.played["slime"].any()
    assert loudness(sounds.played["l2i_att"]) == pytest.approx(loudness(sounds.played[INPUT]), 0.02)


def test_the_hash_is_of_what_is_played(folders):
    hashes = {open_sounds(folders, *stimulus).sha256 for stimulus in STIMULI}
    assert len(hashes) == len(STIMULI)
    swapped = dict(zip(SYSTEMS, [*folders.values()][::-1], strict=True))
    turned = dict([*folders.items()][::-1])
    first = open_sounds(folders, *STIMULI[0]).sha256
    assert open_sounds(turned, *STIMULI[0]).sha256 == first
    assert open_sounds(swapped, *STIMULI[0]).sha256 != first


@pytest.mark.parametrize("wrong", ["another clip", "longer", "another rate"])
def test_systems_that_heard_different_clips_are_refused(tmp_path, wrong):
    folders = write_systems(tmp_path)
    clip, target = STIMULI[0]
    of_clip = folders["l2i_att"] / file_name(clip)
    x = tone(200, 0.2, SECONDS + 0.1 if wrong == "longer" else SECONDS)
    rate = 8000 if wrong == "another rate" else RATE
    write_wav(of_clip / "input.wav", x, sample_rate=rate)
    with pytest.raises(InputError, match="bark.*delete it and give your command again"):
        open_sounds(folders, clip, target)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(["tone", "clicks", "noise", "silence"]), min_size=2, max_size=3))
def test_nothing_exceeds_full_scale_and_what_is_missing_to_equal_loudness_is_told(kinds):
    n = RATE
    made = {
        "tone": tone(500, 0.001, 1),
        "clicks": np.where(np.arange(n) % 8000 == 0, 0.9, 0.0),
        "noise": np.random.default_rng(0).uniform(-1, 1, n),
        "silence": np.zeros(n),
    }
    sounds = {f"{i}": made[kind] for i, kind in enumerate(kinds)}
    played, mismatch = equally_loud(sounds, RATE)
    heard = [loudness(x) for x in played.values() if x.any()]
    assert all(np.abs(x).max() <= 1 for x in played.values())
    assert mismatch == pytest.approx(max(heard) - min(heard) if heard else 0, abs=0.02)
    assert all(each < TARGET_LUFS + 0.01 for each in heard)
    if "clicks" not in kinds:
        assert mismatch < 0.02
    elif heard and {*kinds} - {"clicks", "silence"}:
        assert max(heard) > TARGET_LUFS - LARGEST_CUT - 0.02  # no softer for the clicks' sake


def test_the_noise_that_sets_the_volume_is_as_loud_as_anything_and_always_the_same():
    x = level_sound(44_100)
    assert loudness(x, 44_100) == pytest.approx(TARGET_LUFS, abs=0.1) and np.abs(x).max() < 1
    assert np.array_equal(x, level_sound(44_100)) and x[0] == x[-1] == 0
    power = np.abs(np.fft.rfft(x)) ** 2
    octaves = [power[int(4 * f) : int(8 * f)].sum() for f in (100, 400, 1600, 6400)]
    assert max(octaves) < 1.3 * min(octaves)  # pink: all octaves alike
