"""What a listening test and its parts are called in the answers of participants."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from l2i.hashing import file_sha256

LABELS = "A", "B"  # the two sounds that are rated beside each clip
N_DIGITS = 12  # of the hash that names a test
_TEST_ID = re.compile(r"l2i-(?P<test>[0-9a-f]+)-(?P<participant>\d+)")


def hash_of_test(pack: str | Path) -> str:
    """What ratings call the test that they are of, from what its pack says of it.

    That is stimuli.csv, with the sounds' hashes, and participants.csv: of the same stimuli, another
    plan calls other sounds A, and answers that say A and B alone would be taken for its own.
    """
    hashes = (file_sha256(Path(pack, name)) for name in ("stimuli.csv", "participants.csv"))
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()[:N_DIGITS]


def test_id(test: str, participant: int) -> str:
    """What webMUSHRA's results call a participant's test."""
    return f"l2i-{test}-{participant}"


def of_test_id(text: str) -> tuple[str, str]:
    """The test and the participant that webMUSHRA's results name; both empty where it is none."""
    found = _TEST_ID.fullmatch(text)
    return (found["test"], found["participant"]) if found else ("", "")
