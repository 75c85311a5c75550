"""Addresses as they may be shown and recorded: without user, password and what a query carries.

People put tokens into addresses of mirrors, and publishers redirect to signed ones. Whatever
prints, logs or records an address, or a message that may hold one, sends it through here.
"""

from __future__ import annotations

import re

# The end of an address, in a sentence.
_WORD = r"[^\s'\"<>()]"
_CREDENTIALS = re.compile(rf"(?<=//){_WORD}*@|(?<![\w/@])[\w.+%~-]+:(?!//){_WORD}+@(?=[\w\[])")
_QUERY = re.compile(rf"(?<=[^\s'\"<>()?#])[?#]{_WORD}*=(?:{_WORD}|\(|\))*")
HIDDEN = "***"


def without_secrets(text: str) -> str:
    """A text with the secrets of all addresses in it replaced by `***`.

    ``https://me:pass@host/file?token=abc`` becomes ``https://***@host/file?***``. A query goes as
    a whole, since no list of names of secrets is ever complete.
    """
    text = _CREDENTIALS.sub(f"{HIDDEN}@", text)
    return _QUERY.sub(lambda found: found[0][0] + HIDDEN, text)


def without_place(address: str) -> str:
    """An address as others may know it: of a file on this machine, only what it is called.

    ``file:/home/me/corpora/ESC-50.zip`` becomes ``file:ESC-50.zip``; relative ones stay.
    """
    kind, _, path = address.partition(":")
    local = kind == "file" and path.startswith(("/", "~"))
    return f"file:{path.rpartition('/')[2]}" if local else address
