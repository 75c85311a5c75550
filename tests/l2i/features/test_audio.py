from __future__ import annotations

import numpy as np
import pytest
import soundfile

from l2i.checks import InputError
from l2i.features import audio
from l2i.features.audio import (
    Pieces,
    Span,
    decode,
    fit_length,
    read_audio,
    scale_waveform,
    write_wav,
)

RATE = 44_100


def tone(n_samples: int = RATE, *, rate: int = RATE, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(n_samples) / rate)).astype(np.float32)


def cut(path, fraction: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * fraction)])


class TestReadAudio:
    def test_written_floats_come_back_to_the_last_bit_even_beyond_full_scale(self, tmp_path):
        x = 3 * tone()
        write_wav(tmp_path / "x.wav", x, sample_rate=RATE)
        np.testing.assert_array_equal(read_audio(tmp_path / "x.wav", sample_rate=RATE), x)
        assert soundfile.info(tmp_path / "x.wav").subtype == "FLOAT"

    @pytest.mark.parametrize(("suffix", "atol"), [("wav", 5e-5), ("flac", 5e-5), ("ogg", 0.05)])
    def test_every_container_gives_the_same_sound(self, tmp_path, suffix, atol):
        soundfile.write(tmp_path / f"x.{suffix}", tone(), RATE)
        got = read_audio(tmp_path / f"x.{suffix}", sample_rate=RATE)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, tone(), atol=atol)

    def test_channels_are_averaged(self, tmp_path):
        stereo = np.stack([tone(), np.zeros(RATE, np.float32)], axis=1)
        soundfile.write(tmp_path / "x.wav", stereo, RATE, subtype="FLOAT")
        got = read_audio(tmp_path / "x.wav", sample_rate=RATE)
        np.testing.assert_allclose(got, tone() / 2, atol=1e-7)

    def test_a_tone_keeps_its_pitch_and_duration_through_resampling(self, tmp_path):
        soundfile.write(tmp_path / "x.wav", tone(48_000, rate=48_000), 48_000, subtype="FLOAT")
        got = read_audio(tmp_path / "x.wav", sample_rate=RATE)
        assert got.shape == (RATE,)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got[200:-200], tone()[200:-200], atol=1e-3)

    def test_decode_leaves_rate_and_channels_alone(self, tmp_path):
        soundfile.write(tmp_path / "x.wav", np.zeros((100, 2)) + 0.5, 8000)
        samples, rate = decode(tmp_path / "x.wav")
        assert (samples.shape, rate) == ((100, 2), 8000)


class TestPieces:
    @pytest.fixture(params=["wav", "ogg"])
    def whole(self, tmp_path, request, monkeypatch):
        """A stereo file of several blocks, and how often it is opened."""
        monkeypatch.setattr(audio, "_BLOCK", 600)  # 300 of each channel
        x = 0.3 * np.random.default_rng(0).standard_normal((2000, 2))
        path = tmp_path / f"x.{request.param}"
        soundfile.write(path, x, RATE)
        opened = []
        stream = audio.stream
        monkeypatch.setattr(audio, "stream", lambda p: opened.append(p) or stream(p))
        return path, opened

    def test_a_piece_is_what_the_whole_has_there_in_any_order(self, whole):
        path, opened = whole
        x = read_audio(path, sample_rate=RATE)
        pieces = Pieces(path)
        for span in [Span(0, 1), Span(1, 700), Span(900, 300), Span(1200, 800), Span(600, 10)]:
            first, n = span
            np.testing.assert_array_equal(pieces.read(span, sample_rate=RATE), x[first : first + n])
        assert len(opened) == 1 + 2  # the whole; all pieces but the last in one pass
        np.testing.assert_array_equal(read_audio(path, sample_rate=RATE, span=Span(5, 10)), x[5:15])

    def test_it_is_resampled_by_itself(self, whole):
        piece = read_audio(whole[0], sample_rate=RATE, span=Span(500, 1000))
        write_wav(whole[0].with_name("piece.wav"), piece, sample_rate=RATE)
        alone = read_audio(whole[0].with_name("piece.wav"), sample_rate=16_000)
        got = read_audio(whole[0], sample_rate=16_000, span=Span(500, 1000))
        np.testing.assert_array_equal(got, alone)

    def test_one_that_the_file_does_not_hold_is_refused(self, whole):
        with pytest.raises(InputError, match=r"x\.\w+: ends after 2000 samples, before the piece"):
            read_audio(whole[0], sample_rate=RATE, span=Span(1500, 501))


class TestMisuse:
    @pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
    @pytest.mark.parametrize("fraction", [0.9, 0.5, 0.001])
    def test_a_truncated_file_is_refused(self, tmp_path, suffix, fraction):
        path = tmp_path / f"x.{suffix}"
        soundfile.write(path, tone() + 0.01 * np.random.default_rng(0).random(RATE), RATE)
        cut(path, fraction)
        with pytest.raises(InputError, match=rf"x\.{suffix}: .*fetch"):
            read_audio(path, sample_rate=RATE)

    def test_a_wav_that_lacks_its_last_sample_is_refused(self, tmp_path):
        path = tmp_path / "x.wav"
        soundfile.write(path, tone(), RATE, subtype="PCM_16")
        path.write_bytes(path.read_bytes()[:-2])
        with pytest.raises(InputError, match="is truncated, 2 of the bytes"):
            decode(path)

    def test_an_ogg_that_lacks_its_last_page_is_refused(self, tmp_path):
        path = tmp_path / "x.ogg"
        soundfile.write(path, np.random.default_rng(0).uniform(-1, 1, 3 * RATE), RATE)
        content = path.read_bytes()
        path.write_bytes(content[: content.rindex(b"OggS")])
        with pytest.raises(InputError, match="last page does not end the stream"):
            decode(path)

    def test_a_chunk_of_odd_length_before_the_samples_is_skipped(self, tmp_path):
        path = tmp_path / "x.wav"
        soundfile.write(path, tone(), RATE, subtype="PCM_16")
        content = path.read_bytes()
        at = content.index(b"data")
        path.write_bytes(content[:at] + b"LIST\3\0\0\0abc\0" + content[at:-2])
        with pytest.raises(InputError, match="is truncated, 2 of the bytes"):
            decode(path)

    def test_a_chunk_after_the_samples_and_an_unknown_length_are_no_truncation(self, tmp_path):
        path = tmp_path / "x.wav"
        soundfile.write(path, tone(), RATE, subtype="PCM_16")
        content = path.read_bytes()
        path.write_bytes(content + b"LIST\4\0\0\0abcd")
        assert len(decode(path)[0]) == RATE
        at = content.index(b"data") + 4
        path.write_bytes(content[:at] + b"\xff" * 4 + content[at + 4 :])
        assert len(decode(path)[0]) == RATE

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_samples_that_are_no_numbers_are_refused(self, tmp_path, bad):
        x = tone()
        x[5] = bad
        soundfile.write(tmp_path / "x.wav", x, RATE, subtype="FLOAT")
        with pytest.raises(InputError, match="NaN or infinite"):
            decode(tmp_path / "x.wav")

    def test_empty_missing_and_foreign_files_are_named(self, tmp_path):
        (tmp_path / "empty.wav").touch()
        (tmp_path / "text.wav").write_text("no sound at all")
        (tmp_path / "bare.raw").write_bytes(b"1234")
        soundfile.write(tmp_path / "none.wav", np.zeros(0), RATE)
        reasons = {
            "empty.wav": "empty file",
            "text.wav": "cannot be decoded",
            "bare.raw": "cannot be decoded",
            "none.wav": "no samples",
            "absent.wav": "no such file",
        }
        for name, reason in reasons.items():
            with pytest.raises(InputError, match=f"{name}: .*{reason}"):
                decode(tmp_path / name)


class TestWriteWav:
    def test_equal_sounds_make_equal_files(self, tmp_path):
        write_wav(tmp_path / "a.wav", tone(), sample_rate=RATE)
        write_wav(tmp_path / "b.wav", tone(), sample_rate=RATE)
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
        assert b"PEAK" not in (tmp_path / "a.wav").read_bytes()[:200]  # that chunk holds the time

    def test_files_are_those_of_scipy(self, tmp_path):
        from scipy.io import wavfile

        for x in (tone(), np.float32([1.5, -2, 1e-9]), np.zeros(0, np.float32)):
            write_wav(tmp_path / "ours.wav", x, sample_rate=RATE)
            wavfile.write(tmp_path / "theirs.wav", RATE, x)
            assert (tmp_path / "ours.wav").read_bytes() == (tmp_path / "theirs.wav").read_bytes()


class TestFitLength:
    def test_only_the_end_changes(self):
        x = tone(10)
        np.testing.assert_array_equal(fit_length(x, 4), x[:4])
        np.testing.assert_array_equal(fit_length(x, 13), [*x, 0, 0, 0])
        np.testing.assert_array_equal(fit_length(x, 10), x)
        assert fit_length(x, 13).dtype == np.float32

    def test_a_length_of_nothing_is_refused(self):
        with pytest.raises(InputError, match="clip_seconds"):
            fit_length(tone(10), 0)


class TestScaleWaveform:
    def test_absolute_divides_by_the_largest_magnitude_of_either_sign(self):
        x = np.array([0.1, -0.5, 0.25], np.float32)
        np.testing.assert_allclose(scale_waveform(x, "absolute"), [0.2, -1, 0.5])
        assert scale_waveform(x, "absolute").dtype == np.float32

    def test_signed_divides_by_the_maximum_and_may_exceed_one(self):
        np.testing.assert_allclose(scale_waveform(np.array([0.25, -0.5]), "signed"), [1, -2])

    def test_signed_flips_a_clip_that_is_negative_throughout(self):
        np.testing.assert_allclose(scale_waveform(np.array([-0.25, -0.5]), "signed"), [1, 2])

    def test_none_leaves_a_waveform_as_it_is(self):
        x = np.array([0.1, -0.5, 2.0], np.float32)
        assert scale_waveform(x, "none") is x

    def test_silence_stays_silence(self):
        assert not scale_waveform(np.zeros(5, np.float32), "absolute").any()

    def test_signed_refuses_a_maximum_of_zero_and_unknown_modes_are_named(self):
        with pytest.raises(InputError, match="maximum 0"):
            scale_waveform(np.array([0.0, -1.0]), "signed")
        with pytest.raises(InputError, match="absolute or signed, got 'rms'"):
            scale_waveform(tone(), "rms")
