"""l2i.provenance.hashes: what was changed is never taken for known."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.project import PROJECT
from l2i.hashing import file_sha256, tree_sha256
from l2i.provenance import hashes
from l2i.provenance.hashes import TICK_NS, KnownHashes, settled

HOUR_NS = 3600 * 10**9


@pytest.fixture
def known(tmp_path):
    return KnownHashes(tmp_path / "hashes")


@pytest.fixture
def file(tmp_path):
    """A file that was written an hour ago."""
    path = tmp_path / "spectra.npy"
    path.write_bytes(b"spectra")
    age(path)
    return path


@pytest.fixture
def reads(monkeypatch):
    """Files that are read for their hash."""
    read = []
    real = hashes.file_sha256
    monkeypatch.setattr(hashes, "file_sha256", lambda path: read.append(path) or real(path))
    return read


def age(path, by_ns=HOUR_NS):
    """Let a file look older; later writes give it today's times again."""
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns - by_ns))


def next_tick():
    """Wait until a change of anything is stamped with another time."""
    time.sleep(0.02)


def in_place(path, content, at):
    with open(path, "r+b") as file:
        file.seek(at % path.stat().st_size)
        file.write(content)


def in_place_with_its_times_put_back(path, content, at):
    before = path.stat()
    in_place(path, content, at)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def by_rename(path, content, at):
    other = path.with_name("other")
    other.write_bytes(content)
    os.replace(other, path)


def by_rename_with_the_same_times(path, content, at):
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(content)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(other, path)


def by_appending(path, content, at):
    with open(path, "ab") as file:
        file.write(content)


def by_truncation(path, content, at):
    os.truncate(path, at % path.stat().st_size)


def by_writing_anew(path, content, at):
    path.write_bytes(content)


def by_removal_and_creation(path, content, at):
    path.unlink()
    path.write_bytes(content)


def by_a_link_to_another(path, content, at):
    other = path.with_name("linked")
    other.write_bytes(content)
    age(other)
    path.unlink()
    path.symlink_to(other)


def by_a_memory_map(path, content, at):
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as view:
        view[at % len(view)] = content[0]
        view.flush()


CHANGES = [
    in_place,
    in_place_with_its_times_put_back,
    by_rename,
    by_rename_with_the_same_times,
    by_appending,
    by_truncation,
    by_writing_anew,
    by_removal_and_creation,
    by_a_link_to_another,
    by_a_memory_map,
]


class TestInvariants:
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        first=st.binary(min_size=1, max_size=64),
        steps=st.lists(
            st.tuples(
                st.sampled_from([*CHANGES, None]),
                st.binary(min_size=1, max_size=64),
                st.integers(0, 100),
                st.booleans(),
            ),
            min_size=1,
            max_size=5,
        ),
    )
    def test_whatever_is_done_to_a_file_its_hash_is_right(self, tmp_path, first, steps):
        """Changes and looks in any order; what looks like a hash of before would be caught."""
        known, path = KnownHashes(tmp_path / "hashes"), tmp_path / "file"
        path.unlink(missing_ok=True)
        path.write_bytes(first)
        age(path)
        for change, content, at, aged in steps:
            known.get(path)
            next_tick()
            if change is not None and path.stat().st_size:
                change(path, content, at)
            if aged and not path.is_symlink():
                age(path)
            assert known.get(path).sha256 == file_sha256(path)
            looked_up = known.look_up(path)
            assert looked_up is None or looked_up.sha256 == file_sha256(path)

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_change_is_seen(self, known, file, change):
        known.get(file)
        next_tick()
        change(file, b"changed", 0)
        assert known.look_up(file) is None
        assert known.get(file).sha256 == file_sha256(file)

    def test_a_file_is_read_once(self, known, file, reads):
        first, second = known.get(file), known.get(file)
        assert reads == [file]
        assert (first.known, second.known) == (False, True)
        assert first.content() == second.content()
        assert first.content() == {
            "kind": "file",
            "sha256": file_sha256(file),
            "size_bytes": len(b"spectra"),
        }

    def test_it_is_known_under_its_new_name_too(self, known, file, reads):
        """As outputs are: hashed under a hidden name, then put in place."""
        hashed = known.compute(file)
        target = file.rename(file.with_name("target.npy"))
        target.chmod(0o640)
        known.remember(target, hashed)
        assert known.get(target).known and reads == [file]
        assert known.look_up(target).sha256 == file_sha256(target)

    def test_what_was_written_between_hash_and_name_is_not_remembered(self, known, file):
        hashed = known.compute(file)
        by_writing_anew(file, b"another", 0)
        known.remember(file, hashed)
        assert known.look_up(file) is None

    def test_what_changes_while_it_is_read_is_not_remembered(self, known, file, monkeypatch):
        real = hashes.file_sha256

        def slowly(path):
            found = real(path)
            next_tick()
            in_place_with_its_times_put_back(path, b"SPECTRA", 0)
            return found

        monkeypatch.setattr(hashes, "file_sha256", slowly)
        known.get(file)
        assert known.look_up(file) is None

    @pytest.mark.parametrize("ago_ns", [0, TICK_NS // 2, -HOUR_NS])
    def test_what_was_written_just_before_is_not_remembered(self, known, file, ago_ns):
        now = time.time_ns()
        os.utime(file, ns=(now, now - ago_ns))
        known.get(file)
        assert known.look_up(file) is None

    def test_two_writes_in_one_tick_of_a_coarse_clock(self, known, file, monkeypatch):
        """The first is hashed; the second has the same size, and all times as the first."""
        real = hashes._file_state

        def coarse(path, name=""):
            found = real(path, name)
            floor = {
                key: getattr(found, key) // TICK_NS * TICK_NS for key in ("mtime_ns", "ctime_ns")
            }
            return found._replace(**floor)

        monkeypatch.setattr(hashes, "_file_state", coarse)
        for content in (b"first..", b"second."):
            in_place(file, content, 0)
            assert known.get(file).sha256 == file_sha256(file)

    def test_an_empty_file_is_never_known(self, known, file):
        file.write_bytes(b"")
        age(file)
        known.get(file)
        assert known.look_up(file) is None

    @pytest.mark.parametrize(
        "damage",
        [
            lambda entry: "",
            lambda entry: "[]",
            lambda entry: "null",
            lambda entry: json.dumps(entry)[:-20],
            lambda entry: json.dumps(entry | {"path": "../another.npy"}),
            lambda entry: json.dumps(entry | {"sha256": entry["sha256"][:-1]}),
            lambda entry: json.dumps(entry | {"sha256": 7}),
            lambda entry: json.dumps(entry | {"state": [["", 1]]}),
            lambda entry: json.dumps(entry | {"state": None}),
            lambda entry: json.dumps(entry | {"clock_ns": None}),
            lambda entry: json.dumps(entry | {"clock_ns": 0}),
            lambda entry: json.dumps(entry | {"more": 1}),
            lambda entry: json.dumps({k: v for k, v in entry.items() if k != "state"}),
        ],
    )
    def test_a_damaged_entry_is_ignored_and_replaced(self, known, file, damage):
        known.get(file)
        (entry,) = known.folder.glob("*.json")
        entry.write_text(damage(json.loads(entry.read_text())))
        assert known.look_up(file) is None
        assert not known.get(file).known and known.get(file).known

    def test_bytes_that_are_no_text_are_ignored(self, known, file):
        known.get(file)
        (entry,) = known.folder.glob("*.json")
        entry.write_bytes(b"\xff\xfe")
        assert known.look_up(file) is None

    def test_the_folder_may_go_at_any_time(self, known, file, reads):
        known.get(file)
        shutil.rmtree(known.folder)
        assert not known.get(file).known and known.get(file).known

    def test_where_nothing_can_be_remembered_hashes_are_right(self, tmp_path, file):
        (tmp_path / "hashes").write_text("a file in its place")
        known = KnownHashes(tmp_path / "hashes")
        for _ in range(2):
            assert known.get(file)[:2] == ("file", file_sha256(file))
        assert known.look_up(file) is None

    def test_a_full_disk_leaves_no_part(self, known, file, monkeypatch):
        def full_disk(*paths):
            raise OSError("no space left on device")

        monkeypatch.setattr(hashes.os, "replace", full_disk)
        assert known.get(file).sha256 == file_sha256(file)
        assert not [path for path in known.folder.rglob("*") if path.is_file()]

    def test_a_missing_file_is_an_error_and_not_known(self, known, file):
        known.get(file)
        file.unlink()
        assert known.look_up(file) is None
        with pytest.raises(FileNotFoundError):
            known.get(file)

    def test_a_project_may_be_moved(self, tmp_path, reads):
        """On one disk: inodes and times stay."""
        (tmp_path / "here").mkdir()
        path = tmp_path / "here/file"
        path.write_bytes(b"content")
        age(path)
        KnownHashes(tmp_path / "here/hashes").get(path)
        (tmp_path / "here").rename(tmp_path / "there")
        assert KnownHashes(tmp_path / "there/hashes").get(tmp_path / "there/file").known
        assert len(reads) == 1


class TestFolders:
    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "run0"
        (folder / "deep").mkdir(parents=True)
        for name in ("a.wav", "deep/b.wav"):
            (folder / name).write_bytes(name.encode())
            age(folder / name)
        return folder

    def test_a_folder_is_read_once(self, known, folder, monkeypatch):
        hashed = known.get(folder)
        size = len("a.wav" + "deep/b.wav")
        assert hashed[:3] == ("folder", tree_sha256(folder), size)
        monkeypatch.setattr(hashes, "tree_sha256", None)
        assert known.get(folder)[:3] == hashed[:3]
        # Put in by Snakemake after each job; counts as little as in the hash.
        (folder / ".snakemake_timestamp").touch()
        assert known.get(folder).known

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_change_inside_is_seen(self, known, folder, change):
        known.get(folder)
        next_tick()
        change(folder / "deep/b.wav", b"other", 1)
        assert known.look_up(folder) is None
        assert known.get(folder).sha256 == tree_sha256(folder)

    @pytest.mark.parametrize(
        "change",
        [
            lambda folder: (folder / "c.wav").write_bytes(b"c"),
            lambda folder: (folder / "a.wav").unlink(),
            lambda folder: (folder / "a.wav").rename(folder / "z.wav"),
        ],
        ids=["comes", "goes", "changes its name"],
    )
    def test_files_that_come_go_and_change_names_are_seen(self, known, folder, change):
        assert known.get(folder) and known.look_up(folder)
        change(folder)
        assert known.look_up(folder) is None

    def test_a_file_in_the_place_of_a_folder(self, known, folder):
        known.get(folder)
        shutil.rmtree(folder)
        folder.write_bytes(b"a.wav")
        assert known.look_up(folder) is None


class TestSettling:
    def test_a_large_file_is_known_from_the_moment_when_it_was_written(
        self, known, file, monkeypatch
    ):
        monkeypatch.setattr(hashes, "WORTH_A_TICK", 4)
        file.write_bytes(b"written just now")
        hashed = known.compute(settled(file))
        target = file.rename(file.with_name("target.npy"))
        known.remember(target, hashed)
        assert known.get(target).known

    def test_small_files_and_old_ones_are_not_waited_for(self, file, monkeypatch):
        monkeypatch.setattr(hashes.time, "sleep", lambda seconds: pytest.fail(f"{seconds}"))
        small = file.with_name("small")
        small.write_bytes(b"written just now")
        assert settled(small) == small
        monkeypatch.setattr(hashes, "WORTH_A_TICK", 4)
        monkeypatch.setattr(
            hashes.time, "sleep", lambda seconds: seconds <= 0 or pytest.fail(f"{seconds}")
        )
        settled(file)

    def test_a_file_from_the_future_is_waited_for_a_tick_and_no_longer(self, file, monkeypatch):
        waited = []
        monkeypatch.setattr(hashes, "WORTH_A_TICK", 4)
        monkeypatch.setattr(hashes.time, "sleep", waited.append)
        age(file, by_ns=-2 * HOUR_NS)
        settled(file)
        assert waited == [pytest.approx(2.2)]


WORKER = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from l2i.hashing import file_sha256
from l2i.provenance.hashes import KnownHashes

known, files = KnownHashes("hashes"), sys.argv[3:]
end, n_known = time.time() + 2, 0
while time.time() < end:
    for path in files:
        if sys.argv[2] == "changes":  # whole files, as the harness puts them in place
            part = f".part-{path}"
            with open(part, "w") as file:
                file.write(str(time.time_ns()))
            found = os.stat(part)
            os.utime(part, ns=(found.st_atime_ns, found.st_mtime_ns - 3600 * 10**9))
            os.replace(part, path)
            time.sleep(0.01)
        else:
            before = os.stat(path).st_ino, open(path).read()
            hashed = known.get(path)
            right = file_sha256(path)
            if before == (os.stat(path).st_ino, open(path).read()):
                assert hashed.sha256 == right, "a hash of before was taken for known"
            n_known += hashed.known
print(n_known)
"""


def test_several_processes_at_once(tmp_path):
    """Some change files, others ask for their hashes, all with one folder."""
    files = [f"file{i}" for i in range(4)]
    for name in files:
        (tmp_path / name).write_text("first")
    (tmp_path / "worker.py").write_text(WORKER)
    command = [sys.executable, "worker.py", str(PROJECT / "workflow")]
    running = [
        subprocess.Popen(
            [*command, task, *some],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for task, some in [("changes", files[:2]), *[("asks", files)] * 3]
    ]
    ended = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert [code for _, code in ended] == [0] * 4, [said for (_, said), _ in ended]
    # The two files that nobody changes are known to all.
    assert all(int(out) > 0 for (out, _), _ in ended[1:])
    assert not list((tmp_path / "hashes/.part").iterdir())
