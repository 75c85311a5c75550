"""What is found of a run when it is held against its records."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Verdict(enum.StrEnum):
    """What a finding means for those who rely on the run."""

    TAMPERED = "tampered"
    NO_RECORD = "no record"
    STALE = "stale"
    FINE = "fine"


class Kind(enum.Enum):
    """What may be found: in a word, what it means, and what to do about it. Worst first."""

    CHANGED = (
        "changed since its job made it",
        Verdict.TAMPERED,
        "put it back, or delete it and give your command again, which makes it anew",
    )
    MISSING = (
        "missing, though its record is there",
        Verdict.TAMPERED,
        "put it back, or give your command again, which makes it anew",
    )
    LINK = (
        "no file of its own",
        Verdict.TAMPERED,
        "put the file itself there: links lead to what no record of this run vouches for",
    )
    DIGEST = (
        "digest that does not say what the record says",
        Verdict.TAMPERED,
        "put it back, or delete it and give your command again, which writes it anew",
    )
    RECORD = (
        "record that cannot be right",
        Verdict.TAMPERED,
        "put the record back, or delete its result and give your command again, "
        "which makes both anew",
    )
    MISPLACED = (
        "record of another result",
        Verdict.TAMPERED,
        "put the right record back, or delete its result and give your command again, "
        "which makes both anew",
    )
    NOTE = (
        "note on the run that is not what its name says",
        Verdict.TAMPERED,
        "put it back, or delete it and give your command again, which notes it anew",
    )
    CLIP = (
        "file of a corpus with other bytes under the old size and time",
        Verdict.TAMPERED,
        "put it back; if it is meant to be so, touch it, and the next run makes all of it anew",
    )
    SEAL = (
        "not what was sealed",
        Verdict.TAMPERED,
        "put it back as it was sealed; if the run was meant to change, seal it anew",
    )
    UNREADABLE = (
        "cannot be read",
        Verdict.TAMPERED,
        "grant access to it, or see to the disk, and verify again",
    )
    ORPHAN = (
        "result without a record",
        Verdict.NO_RECORD,
        "put its record back, or give your command again, which makes both anew",
    )
    FOREIGN = (
        "file that no job of the run has left",
        Verdict.NO_RECORD,
        "take it out of the folder of the run; if it was a result, put its record back",
    )
    OLD = (
        "record in the form of another version of this project",
        Verdict.NO_RECORD,
        "verify by the version that made it, or give your command again, which makes it anew",
    )
    UNVOUCHED = (
        "input that no record vouches for",
        Verdict.NO_RECORD,
        "put it back with its record, or give your command again, which makes it anew",
    )
    UNEXPLAINED = (
        "code that no note tells of",
        Verdict.NO_RECORD,
        "put the note back; if there was none, give your command again",
    )
    STALE = (
        "made of another version of its input",
        Verdict.STALE,
        "give your command again, which makes it anew",
    )
    CORPUS = (
        "corpus that has changed since it was indexed",
        Verdict.STALE,
        "give your command again, which indexes it anew; or put it back",
    )
    AT_WORK = (
        "a job is at work here, or has died",
        Verdict.FINE,
        "verify again when the run has ended",
    )
    ACCEPTED = (
        "made of another version of its input, and accepted",
        Verdict.FINE,
        "nothing; to have it made anew, take the acceptance back by --revoke",
    )
    REMOVED = (
        "removed to make room; its record is kept",
        Verdict.FINE,
        "nothing: who needs it makes it anew",
    )
    AWAY = (
        "corpus that was not verified",
        Verdict.FINE,
        "to have it verified, name its folder in machine.data",
    )

    def __init__(self, title: str, verdict: Verdict, remedy: str) -> None:
        self.title = title
        self.verdict = verdict
        self.remedy = remedy


class Finding(NamedTuple):
    """One thing that is found, of the file at `path`."""

    kind: Kind
    path: str  # relative to the folder of the run; of a corpus, below its folder
    what: str  # both sides, in words
