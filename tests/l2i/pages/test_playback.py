"""l2i.pages.playback: levels of sounds, and volumes at which they are compared."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from l2i.pages.playback import LARGEST_CUT, TARGET_LUFS, Levels, Volumes, levels_of, to_flac

RATE = 48_000
T = np.arange(3 * RATE) / RATE


def sine(level=1.0, hertz=997.0):
    return level * np.sin(2 * np.pi * hertz * T)


class TestLevels:
    def test_a_sine_at_full_scale_has_the_loudness_of_the_standard(self):
        # ITU-R BS.1770: 997 Hz at 0 dBFS in one channel is -3.01 LKFS.
        levels = levels_of(sine(), RATE)
        assert levels.loudness == pytest.approx(-3.01, abs=0.05)
        assert levels.rms_dbfs == pytest.approx(-3.01, abs=0.01)
        assert levels.peak_dbfs == pytest.approx(0, abs=0.01)

    @pytest.mark.parametrize("db", [-40, -90, 6])
    def test_loudness_follows_the_level_however_faint_the_sound(self, db):
        loud = levels_of(sine(10 ** (db / 20)), RATE).loudness
        assert loud == pytest.approx(levels_of(sine(), RATE).loudness + db, abs=0.01)

    def test_a_treble_is_louder_than_it_is_strong(self):
        levels = levels_of(sine(hertz=5000.0), RATE)
        assert levels.loudness > levels.rms_dbfs + 2.5

    def test_silence_around_a_sound_does_not_make_it_soft(self):
        around = np.concatenate([np.zeros(6 * RATE), sine(), np.zeros(6 * RATE)])
        # Blocks that the sound fills in part count too.
        assert levels_of(around, RATE).loudness == pytest.approx(-3.01, abs=0.6)
        assert levels_of(around, RATE).rms_dbfs < -9

    def test_what_is_too_short_for_the_standard_has_its_level(self):
        short = levels_of(sine()[: RATE // 3], RATE)
        assert short.loudness == short.rms_dbfs

    def test_a_lone_click_has_a_loudness(self):
        click = np.zeros(RATE)
        click[100] = 0.5
        assert np.isfinite(levels_of(click, RATE).loudness)

    def test_silence_has_none(self):
        assert levels_of(np.zeros(RATE), RATE) is None and levels_of(np.zeros(0), RATE) is None


class TestFlac:
    @pytest.mark.parametrize("level", [3.0, 0.5, 1e-4])
    def test_it_is_stored_at_the_target_and_below_full_scale(self, level):
        x = sine(level)
        stored, rate = soundfile.read(io.BytesIO(to_flac(x, RATE, levels_of(x, RATE))))
        assert rate == RATE and len(stored) == len(x)
        assert levels_of(stored, RATE).loudness == pytest.approx(TARGET_LUFS, abs=0.01)

    def test_a_peak_that_is_too_high_for_that_is_heeded(self):
        x = np.full(RATE, 1e-3)
        x[::RATE] = 1.0
        levels = levels_of(x, RATE)
        stored, _ = soundfile.read(io.BytesIO(to_flac(x, RATE, levels)))
        assert np.abs(stored).max() == pytest.approx(10 ** (-1 / 20), abs=1e-4)
        assert levels.stored_loudness < TARGET_LUFS


class TestVolumes:
    def levels(self, loudness, peak=-10.0):
        return Levels(peak, loudness, loudness)

    def test_matched_all_are_as_loud_as_the_softest_that_is_stored(self):
        soft, loud = self.levels(-30.0, peak=-1.0), self.levels(-20.0, peak=-1.0)
        volumes = Volumes.of([soft, loud])
        assert volumes.matched(soft) == 1
        assert volumes.matched(loud) == pytest.approx(10 ** (-7 / 20), abs=1e-4)

    def test_but_not_softer_than_can_be_heard(self):
        soft, loud = self.levels(-60.0, peak=-1.0), self.levels(-20.0)
        volumes = Volumes.of([soft, loud])
        assert volumes.matched(loud) == pytest.approx(10 ** (-LARGEST_CUT / 20), abs=1e-4)
        assert volumes.matched(soft) == 1

    def test_in_truth_each_is_as_much_louder_as_it_is(self):
        sounds = [self.levels(loudness, peak=loudness + 10) for loudness in (-50.0, -12.0, -23.0)]
        volumes = Volumes.of(sounds)
        played = [s.stored_loudness + 20 * np.log10(volumes.true(s)) for s in sounds]
        assert np.subtract(played, played[1]) == pytest.approx([-38, 0, -11], abs=0.05)
        assert max(map(volumes.true, sounds)) == 1

    def test_of_nothing_there_are_some(self):
        assert Volumes.of([]).gain == 0


def test_blocks_of_flac_are_short_so_that_browsers_can_seek():
    x = np.sin(np.arange(44_100) / 9)
    levels = levels_of(x, 44_100)
    assert levels is not None
    content = to_flac(x, 44_100, levels)
    assert content[:4] == b"fLaC" and int.from_bytes(content[10:12], "big") == 1152
