"""l2i.datasets.pins: hashes of files, and when two pins mean one file."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from l2i.datasets.pins import file_md5, git_blob_id, same_file

CONTENT = b"some content" * 1000


def test_git_names_the_same_blob(tmp_path):
    (tmp_path / "x").write_bytes(CONTENT)
    command = ["git", "hash-object", "--no-filters", str(tmp_path / "x")]
    expected = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert git_blob_id(tmp_path / "x") == expected.strip()


def test_md5_is_that_of_the_content(tmp_path):
    (tmp_path / "x").write_bytes(CONTENT)
    assert file_md5(tmp_path / "x") == hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"md5": "a"}, {"md5": "a", "sha256": "b"}, True),  # a hash learned later is no change
        ({"md5": "a", "sha256": "c"}, {"md5": "a", "sha256": "b"}, False),
        ({"md5": "a"}, {"sha256": "b"}, False),  # nothing tells
        ({"md5": "a"}, {"md5": "b"}, False),
        ({"md5": "a", "name": "y"}, {"md5": "a"}, False),
    ],
)
def test_pins_mean_one_file_where_the_hashes_that_both_give_agree(one, other, same):
    named = {"name": "x", **one}, {"name": "x", **other}
    assert same_file(*named) is same_file(*named[::-1]) is same
