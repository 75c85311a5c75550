"""l2i.provenance.reading: hashes of many files."""

from __future__ import annotations

from l2i.hashing import file_sha256, tree_sha256
from l2i.provenance import reading
from l2i.provenance.reading import BLOCK, read_hashes


def test_files_and_folders_have_the_hashes_of_records(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/part").write_bytes(b"part")
    (tmp_path / "empty").touch()
    (tmp_path / "long").write_bytes(b"abc" * BLOCK)
    told = []
    sizes = {tmp_path / "folder": 4, tmp_path / "empty": 0, tmp_path / "long": 3 * BLOCK}
    assert dict(read_hashes(sizes, told.append)) == {
        tmp_path / "folder": tree_sha256(tmp_path / "folder"),
        tmp_path / "empty": file_sha256(tmp_path / "empty"),
        tmp_path / "long": file_sha256(tmp_path / "long"),
    }
    assert sum(told) == 4 + 3 * BLOCK and max(told) == BLOCK


def test_what_cannot_be_read_is_an_answer(tmp_path):
    ((path, error),) = read_hashes({tmp_path / "no": 1}, lambda n: None)
    assert path == tmp_path / "no" and isinstance(error, FileNotFoundError)


def test_who_gives_up_does_not_wait_for_a_long_file(tmp_path, monkeypatch):
    """An end of the file that never comes is not waited for."""
    (tmp_path / "short").write_bytes(b"")
    (tmp_path / "long").symlink_to("/dev/zero")
    monkeypatch.setattr(reading, "BLOCK", 1024)
    hashes = read_hashes({tmp_path / "long": 1, tmp_path / "short": 2}, lambda n: None)
    assert next(hashes)[0] == tmp_path / "short"
    hashes.close()
