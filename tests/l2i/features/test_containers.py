from __future__ import annotations

import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.checks import InputError
from l2i.features import audio
from l2i.features.audio import decode

RATE = 22_050
CONTAINERS = [
    *(("WAV", sub) for sub in ("PCM_16", "PCM_24", "FLOAT", "ULAW", "IMA_ADPCM", "MS_ADPCM")),
    *[("WAVEX", "PCM_16"), ("RF64", "PCM_16"), ("W64", "PCM_16"), ("AIFF", "PCM_16")],
    *[("AU", "PCM_16"), ("CAF", "PCM_16"), ("CAF", "ALAC_16"), ("SVX", "PCM_16")],
    *[("NIST", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")],
]


@pytest.fixture
def sound(rng):
    return (0.3 * np.sin(np.arange(20_000) / 9) + 0.01 * rng.standard_normal(20_000)).astype("f4")


def write(path, x, container, subtype=None, rate=RATE, endian="FILE"):
    soundfile.write(path, x, rate, format=container, subtype=subtype, endian=endian)
    return path.read_bytes()


def put(content, at, form, value):
    return content[:at] + struct.pack(form, value) + content[at + struct.calcsize(form) :]


@pytest.mark.parametrize(("container", "subtype"), CONTAINERS)
class TestEveryContainer:
    def test_it_is_read_whole_whatever_it_is_called(self, tmp_path, sound, container, subtype):
        write(tmp_path / "x.wav", sound, container, subtype)
        samples, rate = decode(tmp_path / "x.wav")
        whole, _ = soundfile.read(tmp_path / "x.wav", dtype="float32", always_2d=True)
        np.testing.assert_allclose(samples, whole, atol=1e-7)  # mp3: as buffers are aligned
        assert rate == RATE and len(samples) >= len(sound)

    @pytest.mark.parametrize("share", [0.5, 0.95])
    def test_cut_it_is_refused_in_one_line(self, tmp_path, sound, container, subtype, share):
        content = write(tmp_path / "x.wav", sound, container, subtype)
        (tmp_path / "x.wav").write_bytes(content[: int(share * len(content))])
        with pytest.raises(InputError, match=r"x\.wav: is (truncated|cut or damaged), ") as error:
            decode(tmp_path / "x.wav")
        assert "\n" not in str(error.value) and "remove" not in str(error.value)


def test_rifx_is_read_and_refused_like_riff(tmp_path, sound):
    content = write(tmp_path / "x.wav", sound, "WAV", "PCM_16", endian="BIG")
    assert content.startswith(b"RIFX")
    assert len(decode(tmp_path / "x.wav")[0]) == len(sound)
    (tmp_path / "x.wav").write_bytes(content[:-2])
    with pytest.raises(InputError, match="is truncated, 2 of the bytes"):
        decode(tmp_path / "x.wav")


UNKNOWN = [0, 2**32 - 1, 2**31, 2**31 - 1, 0x7FFFF000, 2**32 - 1 - 36, 0x7FFFF000 + 2**11]


class TestLengthsThatNobodyKnew:
    """Pipes cannot be gone back in, and recorders are stopped: the sound is whole all the same."""

    def heard(self, path, content, sound):
        path.write_bytes(content)
        samples, _ = decode(path)
        np.testing.assert_allclose(samples[:, 0], sound, atol=1e-4)

    @pytest.mark.parametrize("length", UNKNOWN)
    @pytest.mark.parametrize("endian", ["LITTLE", "BIG"])
    def test_wav(self, tmp_path, sound, length, endian):
        content = write(tmp_path / "x.wav", sound, "WAV", "PCM_16", endian=endian)
        order = ">" if endian == "BIG" else "<"
        content = put(content, content.index(b"data") + 4, f"{order}I", length)
        self.heard(tmp_path / "x.wav", content, sound)

    @pytest.mark.parametrize("length", [0, 2**63 - 1, 2**64 - 1])
    @pytest.mark.parametrize(("container", "name"), [("RF64", b"ds64"), ("W64", b"data")])
    def test_wide_wav(self, tmp_path, sound, length, container, name):
        content = write(tmp_path / "x.wav", sound, container, "PCM_16")
        self.heard(tmp_path / "x.wav", put(content, content.index(name) + 16, "<Q", length), sound)

    @pytest.mark.parametrize("length", [0, 2**32 - 1, 2**31 - 1])
    def test_aiff(self, tmp_path, sound, length):
        content = write(tmp_path / "x.aiff", sound, "AIFF", "PCM_16")
        self.heard(
            tmp_path / "x.aiff", put(content, content.index(b"SSND") + 4, ">I", length), sound
        )

    @pytest.mark.parametrize("length", [0, 2**32 - 1, 2**31 - 1])
    def test_au(self, tmp_path, sound, length):
        content = write(tmp_path / "x.au", sound, "AU", "PCM_16")
        self.heard(tmp_path / "x.au", put(content, 8, ">I", length), sound)

    @pytest.mark.parametrize("length", [0, -1])
    def test_caf(self, tmp_path, sound, length):
        content = write(tmp_path / "x.caf", sound, "CAF", "PCM_16")
        self.heard(
            tmp_path / "x.caf", put(content, content.index(b"data") + 4, ">q", length), sound
        )

    @pytest.mark.parametrize("claimed", [0, 1, 2**36 - 1])
    def test_flac(self, tmp_path, sound, claimed):
        content = write(tmp_path / "x.flac", sound, "FLAC", "PCM_16")
        (packed,) = struct.unpack(">Q", content[18:26])  # rate, channels, bits, 36 bits of length
        content = put(content, 18, ">Q", packed >> 36 << 36 | claimed)
        if claimed == 2**36 - 1:  # 256 GiB of float32, of which nothing is reserved
            (tmp_path / "x.flac").write_bytes(content)
            with pytest.raises(InputError, match="is truncated, it promises 68719476735 samples"):
                decode(tmp_path / "x.flac")
        elif claimed == 0:
            self.heard(tmp_path / "x.flac", content, sound)

    def test_a_file_of_no_samples_has_none_whatever_follows(self, tmp_path):
        content = write(tmp_path / "x.wav", np.zeros(0), "WAV", "PCM_16")
        (tmp_path / "x.wav").write_bytes(content + b"LIST\4\0\0\0abcd")
        with pytest.raises(InputError, match="holds no samples"):
            decode(tmp_path / "x.wav")


class TestOgg:
    @pytest.fixture
    def ogg(self, tmp_path, rng):
        return write(tmp_path / "x.ogg", rng.uniform(-1, 1, 3 * RATE + 17), "OGG", "VORBIS")

    def read(self, tmp_path, content):
        (tmp_path / "x.ogg").write_bytes(content)
        return decode(tmp_path / "x.ogg")[0]

    def test_a_chained_file_is_heard_to_its_end(self, tmp_path, ogg, sound):
        whole = self.read(tmp_path, ogg)
        other = write(tmp_path / "y.ogg", sound, "OGG", "VORBIS")
        for tail in (ogg, other):  # with the same serial number, and with another
            again = self.read(tmp_path, tail)
            both = self.read(tmp_path, ogg + tail)
            np.testing.assert_array_equal(both, np.concatenate([whole, again]))

    def test_a_chain_whose_last_link_is_cut_is_refused(self, tmp_path, ogg):
        with pytest.raises(InputError, match="its last page is cut"):
            self.read(tmp_path, ogg + ogg[:-100])

    def test_a_chain_that_changes_its_rate_is_told_so(self, tmp_path, ogg, sound):
        other = write(tmp_path / "y.ogg", sound, "OGG", "VORBIS", rate=44_100)
        with pytest.raises(InputError, match=r"x\.ogg: goes on at another rate.*convert it"):
            self.read(tmp_path, ogg + other)

    def test_tags_behind_the_end_are_passed_over(self, tmp_path, ogg):
        np.testing.assert_array_equal(
            self.read(tmp_path, ogg + b"TAG" + bytes(125)), self.read(tmp_path, ogg)
        )

    def test_an_end_within_a_block_is_one_though_it_is_not_marked(self, tmp_path, ogg):
        at = ogg.rindex(b"OggS")
        page = bytearray(ogg[at:])
        page[5] &= ~4
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", ogg_checksum(bytes(page)))
        np.testing.assert_array_equal(
            self.read(tmp_path, ogg[:at] + bytes(page)), self.read(tmp_path, ogg)
        )

    def test_an_end_that_is_gone_is_told(self, tmp_path, ogg):
        with pytest.raises(InputError, match="its last page does not end the stream; either the"):
            self.read(tmp_path, ogg[: ogg.rindex(b"OggS")])

    def test_a_page_that_is_gone_from_the_middle_is_told(self, tmp_path, ogg):
        starts = [i for i in range(len(ogg)) if ogg[i : i + 4] == b"OggS"]
        with pytest.raises(InputError, match="the page before its page 4 is gone"):
            self.read(tmp_path, ogg[: starts[3]] + ogg[starts[4] :])


def ogg_checksum(page):
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


class TestWhatIsNotRead:
    @pytest.mark.parametrize(
        ("content", "match"),
        [
            (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
            (b"<!DOCTYPE html><html>", "is a web page"),
            (b"\0\0\0\x20ftypM4A ", "is MPEG-4 sound"),
            (b"PK\3\4xxxx", "is a zip archive"),
            (b"RIFF\x24\0\0\0AVI LIST", "cannot be decoded"),
            (bytes(100), "cannot be decoded"),
        ],
    )
    def test_its_true_kind_is_named(self, tmp_path, content, match):
        (tmp_path / "x.wav").write_bytes(content)
        with pytest.raises(InputError, match=rf"x\.wav: .*{match}"):
            decode(tmp_path / "x.wav")

    def test_links_and_folders_are_told_from_missing_files(self, tmp_path):
        (tmp_path / "x.wav").symlink_to(tmp_path / "gone.wav")
        with pytest.raises(InputError, match=r"x\.wav: is a link to .*gone\.wav, where nothing is"):
            decode(tmp_path / "x.wav")
        (tmp_path / "y.wav").mkdir()
        with pytest.raises(InputError, match=r"y\.wav: is no file"):
            decode(tmp_path / "y.wav")

    def test_a_rate_at_which_it_would_not_fit_into_memory_is_refused(self, tmp_path, sound):
        content = write(tmp_path / "x.wav", sound, "WAV", "PCM_16")
        (tmp_path / "x.wav").write_bytes(put(content, 24, "<I", 1))
        with pytest.raises(InputError, match=r"x\.wav: lasts more than 1.6 hours at the 1 Hz"):
            decode(tmp_path / "x.wav")

    def test_what_is_too_long_is_refused_before_it_is_in_memory(self, tmp_path, sound, monkeypatch):
        monkeypatch.setattr(audio, "LONGEST", 10_000)
        monkeypatch.setattr(audio, "_BLOCK", 1000)
        write(tmp_path / "x.wav", sound, "WAV", "PCM_16")
        with pytest.raises(InputError, match="lasts more than"):
            decode(tmp_path / "x.wav")


SEEDS = [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("AIFF", "PCM_16")]
SEEDS += [("CAF", "PCM_16"), ("AU", "PCM_16"), ("W64", "PCM_16"), ("RF64", "PCM_16")]
SEEDS += [("MP3", "MPEG_LAYER_III")]


@pytest.mark.parametrize(("container", "subtype"), SEEDS)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_of_damage_nothing_worse_comes_than_one_line(container, subtype, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("x") / "x.wav"
    content = bytearray(write(path, np.sin(np.arange(3000) / 9), container, subtype))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, min(len(content), 300) - 1))
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        samples, rate = decode(path)
        assert len(samples) and rate > 0
    except InputError as error:
        assert "x.wav: " in str(error) and "\n" not in str(error)
