"""Digests: what Snakemake is told of large files.

A rule declares `model.safetensors.digest` where it makes or reads `model.safetensors`; the harness
hands the large file to the script. Snakemake compares the contents of what it knows, by reading
them in the process that plans and again after every job. Of a digest that is a line, in the form of
`sha256sum`, and it says as much: same bytes, same line. Nor does Snakemake touch the large file
when a job ends, as it touches every output, so that its times keep telling when it was written.

The digest is written last. It vouches for its file: one without a file counts for nothing
(workflow/planning.py), and a job refuses a file that is not what its digest says.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from l2i.checks import InputError
from l2i.disk import replace_text

SUFFIX = ".digest"
LARGE = (".npy", ".safetensors")  # what rules know by digests alone


def is_digest(path: str) -> bool:
    """Whether a rule that declares `path` means the file beside it."""
    return path.endswith(SUFFIX)


def file_of(path: str) -> str:
    """The file that a rule means by `path`."""
    return path.removesuffix(SUFFIX)


def digest_path(path: str | Path) -> Path:
    """Where the digest of a file lies."""
    return Path(f"{os.fspath(path)}{SUFFIX}")


def digest_text(path: str | Path, sha256: str) -> str:
    """What the digest of the file at `path` holds."""
    return f"{sha256}  {Path(path).name}\n"


def write_digest(path: str | Path, sha256: str) -> None:
    """Say beside the file at `path` what it holds."""
    replace_text(digest_path(path), digest_text(path, sha256))


def require_file(path: str | Path) -> None:
    """Raise InputError where the file at `path`, which a digest vouches for, is lost."""
    if not Path(path).exists():
        raise InputError(f"{path} is lost: give your command again, which makes it anew")


def require_digest(path: str | Path, sha256: str) -> None:
    """Raise InputError unless the digest of the file at `path` says `sha256`."""
    digest = digest_path(path)
    if not _is_of(digest, sha256):
        raise InputError(
            f"{path} is not the file that {digest} tells of: one of them was changed after the job "
            f"that wrote them. Remove {digest} and give your command again, which makes both anew"
        )


def _is_of(digest: Path, sha256: str) -> bool:
    """Whether a digest says this of the file beside it."""
    try:
        text = digest.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return re.fullmatch(f"{sha256}  {re.escape(file_of(digest.name))}\n", text) is not None
