"""How files are called by which jobs keep house: hidden, beside results, of no use to who reads.

Nothing vouches for them and none is a result; results/README.md says what each is for. Whoever
writes one takes its name from here, and whoever looks through a run passes it over by the same.
"""

from __future__ import annotations

from l2i.disk import PART
from l2i.hashing import FOLDER_TIMESTAMP

CHECKPOINTS = ".checkpoints-"  # a folder, of a training that goes on
LOCK = ".lock-"  # which job is at work on a result
REMAKE = ".remake-"  # asks a job to make anew what it would find made
LOG = ".log-"  # of a job that has not succeeded yet
LOG_BEFORE = ".before-"  # of an earlier job, until what it made is made anew
GROWN = ".history.csv"  # beside a log, in the place of its ending: what was followed
SCRATCH = f"{PART}scratch"  # a folder, gone with its job

_BEGINNINGS = (CHECKPOINTS, LOCK, REMAKE, LOG, LOG_BEFORE, PART)


def is_housekeeping(name: str) -> bool:
    """Whether a file or folder of that name, without those above it, is of this kind."""
    return name.startswith(_BEGINNINGS) or name == FOLDER_TIMESTAMP
