"""l2i.provenance.signatures: ssh-keygen, which must never ask."""

from __future__ import annotations

import subprocess

import pytest

from l2i.checks import InputError
from l2i.provenance.signatures import sign, signers_of


@pytest.fixture
def key(tmp_path):
    return made(tmp_path / "key")


def made(path, passphrase=""):
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)]
    subprocess.run(make, check=True)
    return path


def test_a_key_with_a_passphrase_is_not_asked_for_it(tmp_path):
    with pytest.raises(InputError, match="passphrase must be in an agent first: ssh-add"):
        sign(b"text", made(tmp_path / "locked", "secret"))


def test_a_file_that_is_no_key_is_named(tmp_path):
    (tmp_path / "text").write_text("no key")
    for name in ("text", "none"):
        with pytest.raises(InputError, match=f"{name} .*name a private key"):
            sign(b"text", tmp_path / name)


def test_a_missing_ssh_keygen_is_named(key, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="ssh-keygen is not installed"):
        sign(b"text", key)


def test_those_who_signed_this_are_named_and_nobody_else(key, tmp_path):
    (tmp_path / "sig").write_bytes(sign(b"text", key))
    (tmp_path / "allowed").write_text(f"anna {key.with_suffix('.pub').read_text()}")
    assert signers_of(b"text", tmp_path / "sig", tmp_path / "allowed") == ("anna",)
    assert signers_of(b"other", tmp_path / "sig", tmp_path / "allowed") == ()
    (tmp_path / "sig").write_text("no signature")
    assert signers_of(b"text", tmp_path / "sig", tmp_path / "allowed") == ()


def test_a_missing_file_of_signers_is_named(key, tmp_path):
    with pytest.raises(InputError, match="none is no file"):
        signers_of(b"text", tmp_path / "sig", tmp_path / "none")
