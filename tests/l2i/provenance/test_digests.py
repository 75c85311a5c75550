"""l2i.provenance.digests: lines that vouch for large files."""

from __future__ import annotations

import subprocess

import pytest

from l2i.checks import InputError
from l2i.hashing import file_sha256
from l2i.provenance.digests import (
    digest_path,
    file_of,
    is_digest,
    require_digest,
    write_digest,
)

OTHER = "0" * 64


@pytest.fixture
def model(tmp_path):
    """A file with its digest."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"weights")
    write_digest(path, file_sha256(path))
    return path


def test_a_digest_stands_for_the_file_beside_it(model):
    digest = str(digest_path(model))
    assert digest == f"{model}.digest" and is_digest(digest) and file_of(digest) == str(model)
    assert not is_digest(str(model)) and file_of(str(model)) == str(model)


def test_same_bytes_same_line_and_sha256sum_reads_it(model):
    line = digest_path(model).read_text()
    write_digest(model, file_sha256(model))
    assert digest_path(model).read_text() == line
    command = ["sha256sum", "--check", digest_path(model).name]
    subprocess.run(command, cwd=model.parent, check=True, capture_output=True)
    assert sorted(p.name for p in model.parent.iterdir()) == [model.name, f"{model.name}.digest"]


def test_a_file_that_is_what_its_digest_says_is_let_through(model):
    require_digest(model, file_sha256(model))


@pytest.mark.parametrize(
    "damage",
    [
        lambda digest, text: digest.unlink(),
        lambda digest, text: digest.write_text(""),
        lambda digest, text: digest.write_bytes(b"\xff\xfe"),
        lambda digest, text: digest.write_text(text[1:]),
        lambda digest, text: digest.write_text(text.replace("model", "other")),
        lambda digest, text: digest.write_text(f"{OTHER}{text[64:]}"),
        lambda digest, text: digest.write_text(text + text),
    ],
    ids=["lost", "empty", "no text", "cut", "of another file", "another hash", "twice"],
)
def test_a_digest_that_is_not_of_its_file_is_refused_with_the_remedy(model, damage):
    digest = digest_path(model)
    damage(digest, digest.read_text())
    with pytest.raises(InputError, match=f"{model} is not the file.* Remove {digest} and give"):
        require_digest(model, file_sha256(model))
