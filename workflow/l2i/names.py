"""Names: those that the tables of several stages share, and those that come with a corpus.

Classes and clips have the names that their corpus gives them, and are shown by them everywhere; in
tables and figures, which are read as text, classes by their `class_title`. A
file or folder that is named after one has a name of `file_name`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

CLASSIFIER = "base_f"  # the classifier under interpretation, among systems, as in the paper
OFFICIAL = "official"  # the fold of corpora with one split of their own
ALL_CLASSES = "all classes"  # what tables call them together, which no class can be called
RANDOM = "random_"  # in front of a baseline's name: its removals
LABEL = "label_"  # in front of a class name: its column in tables of a multi-label corpus

# What is no system of the configuration, and stands in tables and figures beside them.
TITLES = {
    CLASSIFIER: "classifier f",
    f"{RANDOM}unselected": "random, among the unselected",
    f"{RANDOM}all": "random, among all",
    f"{RANDOM}energy": "random, matched in energy",
    "nothing": "nothing (round trip alone)",
}

LONGEST_NAME = 100  # characters of the name of a class or clip: what a legend or a page can show
_LONGEST_FILE_NAME = 80  # bytes, of the 255 that disks allow: suffixes and marks come to it
_UNSAFE = re.compile(r"[^\w-]")  # in the name of a file; \w are letters and digits of any script


def class_title(name: str) -> str:
    """What a class is called in print: `mallet percussion` of `mallet_percussion`."""
    return name.replace("_", " ").strip() or name


def file_name(name: str) -> str:
    """Name of the file or folder of a class or a clip.

    It is the name itself where that is safe: letters, digits, `_` and `-`, not too long. Else it is
    what of it is safe, and a digest of the whole behind a `~`, so that different names stay
    different. It is never a path, never hidden, and takes a suffix.
    """
    composed = unicodedata.normalize("NFC", name)
    safe = _UNSAFE.sub("_", composed)
    if safe == name and 0 < len(safe.encode()) <= _LONGEST_FILE_NAME:
        return name
    kept = safe.encode("utf-8", "replace")[: _LONGEST_FILE_NAME - 13].decode("utf-8", "ignore")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kept}~{digest[:12]}"


def why_unshowable(name: str) -> str | None:
    """What keeps a name of a class or clip from being shown; None where nothing does."""
    if not name.strip():
        return "is empty"
    if not name.isprintable():
        return "holds a character that cannot be printed"
    if name == ALL_CLASSES:
        return "is what tables call all classes together"
    if name != name.strip():
        return "begins or ends with a blank"
    if len(name) > LONGEST_NAME:
        return f"has {len(name)} characters, of which at most {LONGEST_NAME} can be shown"
    return None
