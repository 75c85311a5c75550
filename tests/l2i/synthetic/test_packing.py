"""l2i.synthetic.packing: containers whose bytes tell of no time and no place."""

from __future__ import annotations

import gzip
import io
import tarfile

import numpy as np
import pytest
import soundfile

from l2i.synthetic.packing import file_facts, ogg_bytes, wav_bytes, write_tar_gz


class TestPacking:
    def test_ogg_pages_bear_no_serial_number_and_a_right_check_sum(self):
        x = np.sin(np.arange(20_000) / 20)[:, None] * [0.5, 0.3]
        made = ogg_bytes(x, 44_100)
        assert made == ogg_bytes(x, 44_100)
        starts = [i for i in range(len(made)) if made[i : i + 4] == b"OggS"]
        assert len(starts) > 2
        for begin, end in zip(starts, [*starts[1:], len(made)], strict=True):
            page = made[begin:end]
            assert page[14:18] == bytes(4)
            blank = page[:22] + bytes(4) + page[26:]
            assert int.from_bytes(page[22:26], "little") == slow_ogg_crc(blank)

    def test_ogg_decodes_to_what_the_encoder_made(self):
        x = np.sin(np.arange(20_000) / 20)[:, None] * [0.5, 0.3]
        plain = io.BytesIO()
        soundfile.write(plain, (x * 32_767).round().astype("<i2"), 44_100, "VORBIS", format="OGG")
        plain.seek(0)
        got, rate = soundfile.read(io.BytesIO(ogg_bytes(x, 44_100)))
        assert rate == 44_100 and got.shape == (20_000, 2)
        np.testing.assert_array_equal(got, soundfile.read(plain)[0])
        assert np.abs(got - x).max() < 0.05

    def test_wav_holds_16_bit_integers(self):
        made = io.BytesIO(wav_bytes(np.array([0, 0.5, -1, 1]), 8000))
        x, rate = soundfile.read(made, dtype="int16")
        assert (x.tolist(), rate) == ([0, 16_384, -32_767, 32_767], 8000)

    @pytest.mark.parametrize("n_bytes", [0, 1, 65_535 - 10_240, 65_535, 65_536, 200_000])
    def test_a_gzipped_tar_holds_its_members_and_nothing_of_time_or_place(self, tmp_path, n_bytes):
        content = bytes(range(256)) * (n_bytes // 256) + bytes(n_bytes % 256)
        members = {"b/y": content, "a/x": b"1"}
        write_tar_gz(tmp_path / "new" / "x.tgz", members)
        packed = (tmp_path / "new" / "x.tgz").read_bytes()
        assert packed[4:8] == bytes(4)
        assert len(packed) > len(gzip.decompress(packed))  # stored: nothing for zlib to decide
        with tarfile.open(tmp_path / "new" / "x.tgz", "r:gz") as file:
            infos = file.getmembers()
            assert [info.name for info in infos] == ["a/x", "b/y"]
            assert {(i.mtime, i.uid, i.gid, i.uname, i.mode) for i in infos} == {
                (0, 0, 0, "", 0o644)
            }
            assert file.extractfile("b/y").read() == content

    def test_facts_of_a_file_are_those_of_its_bytes(self, tmp_path):
        (tmp_path / "x").write_bytes(b"abc")
        assert file_facts(tmp_path / "x") == {
            "name": "x",
            "size_bytes": 3,
            "md5": "900150983cd24fb0d6963f7d28e17f72",
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        }


def slow_ogg_crc(page):
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)
            crc &= 0xFFFFFFFF
    return crc
