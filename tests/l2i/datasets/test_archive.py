from __future__ import annotations

import io
import shutil
import stat
import tarfile
import zipfile

import pytest

from helpers.kills import die, moments
from l2i import disk
from l2i.checks import InputError
from l2i.datasets import archive as module
from l2i.datasets.archive import kind_of, unpack

GOOD = {"top/a.txt": b"a", "top/audio/b.wav": b"b" * 3000}


def make_zip(path, members, *, unix_mode=0o100644):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items() if isinstance(members, dict) else members:
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, unix_mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    return path


def make_tar(path, members, *, kind=tarfile.REGTYPE):
    with tarfile.open(path, "w:gz") as file:
        for name, content in members.items() if isinstance(members, dict) else members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            file.addfile(info, io.BytesIO(content))
    return path


MAKERS = {"zip": make_zip, "tar.gz": make_tar}


@pytest.fixture(params=MAKERS)
def kind(request):
    return request.param


@pytest.fixture
def make(kind, tmp_path):
    return lambda members, **options: MAKERS[kind](tmp_path / f"x.{kind}", members, **options)


def listing(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refused(archive, kind, match):
    folder = archive.parent / "out"
    with pytest.raises(InputError, match=match):
        unpack(archive, folder, kind=kind)
    assert [p.name for p in archive.parent.iterdir()] == [archive.name]  # nothing half-written


class TestUnpack:
    def test_a_common_top_folder_is_left_out(self, make, kind, tmp_path):
        unpack(make(GOOD), tmp_path / "out", kind=kind)
        assert listing(tmp_path / "out") == {"a.txt": b"a", "audio/b.wav": b"b" * 3000}
        assert sorted(p.name for p in tmp_path.iterdir()) == ["out", f"x.{kind}"]

    def test_several_top_entries_stay(self, make, kind, tmp_path):
        members = {"./a.txt": b"a", "audio/b.wav": b"b"}
        unpack(make(members), tmp_path / "out", kind=kind)
        assert set(listing(tmp_path / "out")) == {"a.txt", "audio/b.wav"}

    @pytest.mark.parametrize("name", ["audio-0", "audio-17"])
    def test_the_top_folder_of_a_shard_becomes_audio(self, make, kind, tmp_path, name):
        unpack(make({f"{name}/": b"", f"{name}/b.wav": b"b"}), tmp_path / "out", kind=kind)
        assert listing(tmp_path / "out") == {"audio/b.wav": b"b"}

    def test_a_file_that_is_no_archive_is_copied(self, tmp_path):
        (tmp_path / "table.csv").write_bytes(b"a,b\n")
        unpack(tmp_path / "table.csv", tmp_path / "out", kind="file")
        assert listing(tmp_path / "out") == {"table.csv": b"a,b\n"}
        assert (tmp_path / "table.csv").exists()

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("ESC-50.zip", "zip"),
            ("audio-0.tar.gz", "tar.gz"),
            ("openmic-2018-v1.0.0.tgz", "tar.gz"),
            ("annotations.csv", "file"),
            ("a.zip.txt", "file"),
            ("table.csv.gz", "file"),
        ],
    )
    def test_archives_are_known_by_their_suffix(self, name, expected):
        assert kind_of(name) == expected

    def test_clutter_of_macos_is_skipped(self, make, kind, tmp_path):
        clutter = {"__MACOSX/top/._a.txt": b"m", "top/audio/._b.wav": b"m", "./._top": b"m"}
        unpack(make({**GOOD, **clutter}), tmp_path / "out", kind=kind)
        assert set(listing(tmp_path / "out")) == {"a.txt", "audio/b.wav"}

    def test_what_a_killed_run_left_does_not_matter(self, make, kind, tmp_path):
        (tmp_path / ".out.unpacking" / "top").mkdir(parents=True)
        (tmp_path / ".out.unpacking" / "top" / "stale").touch()
        unpack(make(GOOD), tmp_path / "out", kind=kind)
        assert "stale" not in listing(tmp_path / "out")

    def test_killed_at_any_moment_it_is_whole_or_not_there(self, make, kind, tmp_path):
        archive, out = make(GOOD), tmp_path / "out"
        lived = [*moments(lambda: unpack(archive, out, kind=kind), tmp_path)]
        whole = listing(out)
        for moment in lived:
            shutil.rmtree(out, ignore_errors=True)
            die(lambda: unpack(archive, out, kind=kind), tmp_path, moment)
            if not out.exists():
                unpack(archive, out, kind=kind)
            assert listing(out) == whole, moment
        assert len(lived) > 8, "else nothing is tried"


class TestMisuse:
    @pytest.mark.parametrize(
        ("name", "match"),
        [
            ("../x", "leads out"),
            ("top/../../x", "leads out"),
            ("/tmp/x", "no relative path"),
            ("C:/x", "no relative path"),
            ("top\\..\\x", "no relative path"),
        ],
    )
    def test_names_that_leave_the_folder_are_refused(self, make, kind, name, match):
        refused(make({**GOOD, name: b"x"}), kind, match)

    @pytest.mark.parametrize("name", ["", ".", "./."])
    def test_a_file_without_a_name_is_refused(self, make, kind, name):
        refused(make({**GOOD, name: b"x"}), kind, f"'{name}' names no file")

    @pytest.mark.parametrize("linktype", [tarfile.SYMTYPE, tarfile.LNKTYPE])
    def test_links_in_a_tar_are_refused(self, tmp_path, linktype):
        refused(make_tar(tmp_path / "x.tar.gz", {"a": b""}, kind=linktype), "tar.gz", "is a link")

    @pytest.mark.parametrize("devtype", [tarfile.CHRTYPE, tarfile.FIFOTYPE])
    def test_devices_in_a_tar_are_refused(self, tmp_path, devtype):
        refused(make_tar(tmp_path / "x.tar.gz", {"a": b""}, kind=devtype), "tar.gz", "is a device")

    def test_links_and_devices_in_a_zip_are_refused(self, tmp_path):
        for mode, match in ((stat.S_IFLNK, "is a link"), (stat.S_IFCHR, "is a device")):
            archive = make_zip(tmp_path / "x.zip", {"a": b"/etc/passwd"}, unix_mode=mode)
            refused(archive, "zip", match)

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_one_name_twice_is_refused(self, make, kind):
        refused(
            make([("a", b"1"), ("b/../a", b"2"), ("./a", b"3")]), kind, "'(./)?a' is there twice"
        )

    def test_a_name_that_is_file_and_folder_is_refused(self, make, kind):
        refused(make([("a", b"1"), ("a/b", b"2")]), kind, "cannot be unpacked")

    def test_a_bomb_is_refused(self, make, kind, monkeypatch):
        monkeypatch.setattr(module, "SMALL_BYTES", 1000)
        refused(make({"top/zeros": bytes(2_000_000)}), kind, "over 50 times its own size")

    def test_a_full_disk_is_noticed_before_writing(self, make, kind, monkeypatch):
        monkeypatch.setattr(disk, "free_bytes", lambda _: 100)
        refused(make(GOOD), kind, r"3 kB are needed, and 100 bytes are free.*machine\.data")

    @pytest.mark.parametrize("fraction", [0.0, 0.4, 0.95])
    def test_a_truncated_archive_is_refused(self, make, kind, fraction):
        archive = make({f"top/{i}": bytes([i]) * 500 for i in range(50)})
        content = archive.read_bytes()
        archive.write_bytes(content[: int(fraction * len(content))])
        refused(archive, kind, "is damaged|holds no file")

    def test_a_flipped_bit_in_a_zip_is_noticed(self, tmp_path):
        archive = make_zip(tmp_path / "x.zip", GOOD)
        content = bytearray(archive.read_bytes())
        content[40] ^= 1  # within the packed bytes of the first member
        archive.write_bytes(content)
        refused(archive, "zip", "is damaged")

    def test_an_empty_archive_a_missing_one_and_an_unknown_kind_are_refused(self, make, kind):
        archive = make({})
        refused(archive, kind, "holds no file")
        refused(archive, "rar", "tar.gz or file, got 'rar'")
        with pytest.raises(InputError, match=r"cannot be unpacked .*No such file.*machine\.data"):
            unpack(archive.with_name("absent"), archive.with_name("out"), kind=kind)

    def test_an_existing_folder_is_left_alone(self, make, kind, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine").touch()
        with pytest.raises(InputError, match="exists already; move it away"):
            unpack(make(GOOD), tmp_path / "out", kind=kind)
        assert set(listing(tmp_path / "out")) == {"mine"}
