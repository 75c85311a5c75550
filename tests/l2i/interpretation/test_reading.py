"""l2i.interpretation.reading: sounds of files and of memory."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from l2i.checks import InputError
from l2i.interpretation.reading import read_sound

RATE = 8000
TONE = (0.5 * np.sin(np.arange(RATE) / 7)).astype(np.float32)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_files_of_many_kinds_are_read(tmp_path, suffix):
    path = tmp_path / f"dog.{suffix}"
    soundfile.write(path, TONE, RATE)
    name, waveform, notes = read_sound(path, None, RATE)
    assert name == "dog" and notes == []
    assert np.abs(waveform[100:7000] - TONE[100:7000]).max() < 0.05


def test_what_was_done_to_a_file_is_told(tmp_path):
    path = tmp_path / "two.wav"
    soundfile.write(path, np.stack([TONE, 0 * TONE], axis=1), RATE, subtype="FLOAT")
    _, waveform, notes = read_sound(path, None, 2 * RATE)
    assert notes == ["2 channels mixed into one", "resampled from 8000 to 16000 Hz"]
    assert len(waveform) == 2 * RATE and np.abs(waveform).max() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    "samples",
    [
        TONE,
        TONE.astype(np.float64),
        (TONE * 2**15).astype(np.int16),
        (TONE * 2.0**31).astype(np.int32),
        (TONE * 2**7 + 2**7).astype(np.uint8),
        np.stack([TONE, TONE], axis=1),
    ],
    ids=["float32", "float64", "int16", "int32", "uint8", "stereo"],
)
def test_samples_are_in_units_of_full_scale(samples):
    _, waveform, _ = read_sound(samples, RATE, RATE)
    assert waveform.dtype == np.float32
    assert np.abs(waveform - TONE).max() < 0.01


@pytest.mark.parametrize(
    ("samples", "rate", "said"),
    [
        (TONE, None, "without their rate"),
        (TONE, 0, "without their rate"),
        (TONE[None], RATE, r"more channels than samples.*\(n_samples, n_channels\)"),
        (TONE[:, None, None], RATE, "is no sound"),
        (TONE[:0], RATE, "is no sound"),
        (np.array(["a"]), RATE, "is no sound"),
        (np.full(9, np.nan), RATE, "NaN"),
        (np.full(9, 1e300), RATE, "more than float32 can"),
    ],
)
def test_what_is_no_sound_is_refused(samples, rate, said):
    with pytest.raises(InputError, match=said):
        read_sound(samples, rate, RATE)


def test_files_say_their_rate(tmp_path):
    with pytest.raises(InputError, match="leave out sample_rate"):
        read_sound(tmp_path / "dog.wav", RATE, RATE)


def test_a_folder_and_nothing_are_told_apart(tmp_path):
    with pytest.raises(InputError, match="no such file; check its name"):
        read_sound(tmp_path / "dog.wav", None, RATE)
    with pytest.raises(InputError, match="is a folder"):
        read_sound(tmp_path, None, RATE)


def test_a_name_can_do_nothing_but_show(tmp_path):
    path = tmp_path / "a\x1b[31m.wav"
    soundfile.write(path, TONE, RATE)
    assert read_sound(path, None, RATE).name == "a\\x1b[31m"
