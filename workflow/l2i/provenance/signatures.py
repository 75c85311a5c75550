"""Signatures by SSH keys, which most people have already: `ssh-keygen -Y`.

Nothing here ever asks for anything: a key with a passphrase must be in an ssh-agent.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from l2i.checks import InputError, reason

NAMESPACE = "l2i"  # a signature for another purpose does not count for this one


def sign(content: bytes, key: str | Path) -> bytes:
    """A signature of `content`, in the form of ssh-keygen.

    Parameters
    ----------
    content : bytes
    key : str or Path
        A private key, or the public one of a key that ssh-agent holds.

    Raises
    ------
    InputError
        There is no ssh-keygen or no such key, or the key cannot be used without asking.
    """
    if not Path(key).is_file():
        raise InputError(f"{key} is no file: name a private key of SSH, such as ~/.ssh/id_ed25519")
    done = _ssh_keygen("sign", "-f", str(key), "-n", NAMESPACE, stdin=content)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or "ssh-keygen fails"
        raise InputError(
            f"{key} cannot sign ({said.splitlines()[-1]}): name a private key of SSH; one with a "
            f"passphrase must be in an agent first: ssh-add {key}"
        )
    return done.stdout


def signers_of(content: bytes, signature: Path, allowed_signers: Path) -> tuple[str, ...]:
    """Who of those that are allowed has signed this content; nobody where the signature is no good.

    Parameters
    ----------
    content : bytes
    signature : Path
    allowed_signers : Path
        Lines of names and keys, see ALLOWED SIGNERS in the manual of ssh-keygen.

    Raises
    ------
    InputError
        There is no ssh-keygen, or no such file of signers.
    """
    if not allowed_signers.is_file():
        raise InputError(
            f"{allowed_signers} is no file: name one with a line for each signer, as in "
            "anna@example.org ssh-ed25519 AAAA..."
        )
    of = ("-s", str(signature), "-f", str(allowed_signers))
    found = _ssh_keygen("find-principals", *of)
    names = found.stdout.decode(errors="replace").splitlines() if not found.returncode else []
    return tuple(
        name
        for name in names
        if not _ssh_keygen("verify", *of, "-I", name, "-n", NAMESPACE, stdin=content).returncode
    )


def _ssh_keygen(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ("ssh-keygen", "-Y", *arguments),
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            # Without a terminal of its own, and without a window, it cannot ask.
            start_new_session=True,
            env=os.environ | {"SSH_ASKPASS_REQUIRE": "never"},
        )
    except FileNotFoundError:
        raise InputError(
            "ssh-keygen is not installed, which makes and checks signatures: install OpenSSH"
        ) from None
    except (OSError, subprocess.SubprocessError) as error:
        raise InputError(f"ssh-keygen does not work ({reason(error)})") from error
