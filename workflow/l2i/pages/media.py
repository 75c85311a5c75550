"""Where the files of a page go: into a folder beside it, or into the page itself."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Protocol

from l2i.disk import write_bytes

TYPES = {"flac": "audio/flac", "png": "image/png"}
LONGEST = 40  # letters of a name that are kept


class Media(Protocol):
    """Takes files, and tells a page where they are."""

    def put(self, name: str, content: bytes) -> str:
        """Where the page finds a file: an address relative to it, or one that is the file."""


class Beside:
    """Files in a folder of their own beside a page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, content: bytes) -> str:
        """Write a file, whose name may hold slashes."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
        return f"{self.folder.name}/{name}"


class Inside:
    """Files as `data:` URIs, for a page that is one file."""

    def put(self, name: str, content: bytes) -> str:
        """The file as an address."""
        kind = TYPES[name.rpartition(".")[2]]
        return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def safe_id(name: str, *whose: str) -> str:
    """A name for addresses and files: letters of ASCII, digits, `_` and `-`, never a path.

    What of the name can be read, and a digest of it and of what tells it from others of that name.
    """
    readable = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:LONGEST].rstrip("-")
    told = "\n".join([name, *whose]).encode("utf-8", "surrogatepass")
    return f"{readable or 'x'}-{hashlib.sha256(told).hexdigest()[:8]}"
