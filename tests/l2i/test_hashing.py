"""l2i.hashing: hashes of files and folders."""

from __future__ import annotations

import hashlib

from l2i.hashing import file_sha256, tree_sha256


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


class TestFiles:
    def test_a_file_has_its_well_known_digest(self, tmp_path):
        (tmp_path / "abc").write_bytes(b"abc")
        assert file_sha256(tmp_path / "abc") == hashlib.sha256(b"abc").hexdigest()

    def test_a_folder_is_its_relative_paths_and_contents(self, tmp_path):
        one = write(tmp_path / "one", {"b": "2", "a/c": "1"})
        two = write(tmp_path / "two", {"a/c": "1", "b": "2", ".snakemake_timestamp": ""})
        assert tree_sha256(one) == tree_sha256(two)
        for change in ({"b": "3"}, {"d": ""}):
            assert tree_sha256(write(tmp_path / "two", change)) != tree_sha256(one)

    def test_renaming_a_file_changes_its_folder(self, tmp_path):
        folder = write(tmp_path / "one", {"a": "1"})
        before = tree_sha256(folder)
        (folder / "a").rename(folder / "b")
        assert tree_sha256(folder) != before
