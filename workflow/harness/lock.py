"""One job at a time for one result, on a disk that several machines share.

Whoever kills Snakemake on a cluster and starts it again has the old jobs run on, and new ones
beside them that make the same. A lock is a file that tells its owner. It is made by a hard link,
which is atomic on NFS too, and its owner touches it while it lives.

flock is not known everywhere, and a lock that is nothing but a file (filelock's SoftFileLock)
outlives a machine that died with it. Whether an owner is gone is therefore found out: on the same
machine by its process, else by what SLURM says of its job, else by how long it has been silent.
"""

from __future__ import annotations

import glob
import json
import logging
import os
import platform
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

BEAT_SECONDS = 20.0  # between two signs of life
SILENCE_SECONDS = 300.0  # after which an owner of whom nothing else is known is gone
POLL_SECONDS = 10.0  # before the second look at who holds a lock; then ever longer, up to
LONGEST_POLL_SECONDS = 60.0  # SLURM's controller is asked each time, by all who wait
LOOKS = (0.0, 0.5, 2.0)  # seconds before each look at a lock that cannot be read
# Of jobs whose processes may still be there. One that waits to be started again has none.
ALIVE = {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "CONFIGURING", "SIGNALING", "STAGE_OUT"}

log = logging.getLogger(__name__)


class LostLock(RuntimeError):
    """The lock went to another process, which this one must leave its result to."""


class Lock:
    """A lock that this process holds."""

    def __init__(self, path: Path, token: str) -> None:
        self.path = path
        self._token = token

    def is_held(self) -> bool:
        """Whether it still is: others may have taken this process, if it was frozen, for dead.

        A disk that does not answer, or a lock that is being moved in this moment, is asked again.
        """
        for pause in LOOKS:
            time.sleep(pause)
            owner = _owner_of(self.path)
            if owner and owner.get("token"):
                return owner["token"] == self._token
        return False

    def require_held(self) -> None:
        """Raise LostLock unless it is held."""
        if not self.is_held():
            raise LostLock(
                f"another job has taken {self.path} over, because this one was silent for long; "
                "it stops here, and leaves the result to the other"
            )


@contextmanager
def held(path: Path, what: str) -> Iterator[Lock]:
    """Hold the lock at `path`; wait while another process does.

    Parameters
    ----------
    path : Path
        A file; whoever may want the lock sees the same.
    what : str
        What is locked, for the message that tells whom one waits for.
    """
    me = _myself()
    _acquire(path, me, what)
    _sweep(path, me)
    lock, ended = Lock(path, me["token"]), threading.Event()
    beating = threading.Thread(target=_beat, args=(lock, ended), daemon=True)
    beating.start()
    try:
        yield lock
    finally:
        ended.set()
        if lock.is_held():
            path.unlink(missing_ok=True)


def _acquire(path: Path, me: dict[str, Any], what: str) -> None:
    told, pause = None, POLL_SECONDS
    while (now := _made(path, me)) is not None:
        owner = _owner_of(path)
        if owner is None:  # let go in this moment
            time.sleep(LOOKS[1])
            continue
        if owner.get("token") == me["token"]:
            return  # made, though NFS lost the answer
        if is_gone(owner, me, now - _last_beat(path, now)):
            log.warning("%s: taking over from %s, which is gone", what, _described(owner))
            _remove(path, owner)
            continue
        if owner != told:
            log.warning(
                "%s: waiting for %s, which makes the same since %s. To have this job make it "
                "instead, end that one: %s",
                what,
                _described(owner),
                owner.get("since", "some time ago"),
                _remedy(owner),
            )
            told, pause = owner, POLL_SECONDS
        time.sleep(pause)
        pause = min(1.5 * pause, LONGEST_POLL_SECONDS)


def _made(path: Path, me: dict[str, Any]) -> float | None:
    """Make the lock: None with success, else the time now, by the clock of the disk."""
    own = path.with_name(f"{path.name}-{me['token']}")
    try:
        own.write_text(json.dumps(me), encoding="utf-8")
        now = own.stat().st_mtime
        try:
            os.link(own, path)
        except FileExistsError:
            return now
        except OSError:  # some file systems know no links; fewer of them are shared
            _write_new(path, json.dumps(me))
        return None
    except FileExistsError:
        return now
    finally:
        own.unlink(missing_ok=True)


def _write_new(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as file:
        try:
            file.write(text)
            file.flush()
        except OSError:  # an empty one would be waited for
            path.unlink()
            raise


def _sweep(path: Path, me: dict[str, Any]) -> None:
    """Remove what processes left that were killed while they made this lock, or removed it."""
    now = _last_beat(path, time.time())
    for left in path.parent.glob(f"{glob.escape(path.name)}-*"):
        owner = _owner_of(left)
        if owner is not None and is_gone(owner, me, now - _last_beat(left, now)):
            left.unlink(missing_ok=True)


def _last_beat(path: Path, now: float) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return now


def is_gone(owner: dict[str, Any], me: dict[str, Any], silent: float) -> bool:
    """Whether the owner of a lock is no more, as far as `me` can know.

    Parameters
    ----------
    owner, me : dict
        Processes, as in the file.
    silent : float
        Seconds since the owner's last sign of life.
    """
    if owner.get("machine") == me["machine"]:
        return _start_of(owner.get("pid", -1)) != owner.get("process_start")
    if owner.get("slurm_job"):
        if (owner["slurm_job"], owner["slurm_cluster"]) == (me["slurm_job"], me["slurm_cluster"]):
            return True  # this very job, before SLURM started it again elsewhere
        state = _state_in_slurm(owner["slurm_job"])
        if state is not None and owner["slurm_cluster"] == me["slurm_cluster"]:
            return state not in ALIVE
    return silent > SILENCE_SECONDS


def _remove(path: Path, owner: dict[str, Any]) -> None:
    """Remove the lock of an owner that is gone, and none that was made since it was looked at."""
    aside = path.with_name(f"{path.name}-{uuid.uuid4().hex}")
    try:
        os.rename(path, aside)
    except FileNotFoundError:
        return
    if _owner_of(aside) != owner:
        # Whoever loses its lock here finds out before it puts results in place.
        with suppress(FileExistsError):
            os.link(aside, path)
    aside.unlink(missing_ok=True)


def _beat(lock: Lock, ended: threading.Event) -> None:
    while not ended.wait(BEAT_SECONDS):
        try:
            if lock.is_held():
                os.utime(lock.path)
        except OSError:
            continue  # a disk that is away comes back


def _myself() -> dict[str, Any]:
    pid = os.getpid()
    return {
        "token": uuid.uuid4().hex,
        "host": platform.node(),
        "machine": _machine(),
        "pid": pid,
        "process_start": _start_of(pid),
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
        "slurm_cluster": os.environ.get("SLURM_CLUSTER_NAME"),
        "since": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
    }


def _machine() -> str:
    """A name for all processes that can see each other: host, start of its system, container."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return " ".join([platform.node(), boot, os.readlink("/proc/self/ns/pid")])


def _start_of(pid: int) -> int | None:
    """When a process was started, in ticks since the system was; None where there is none."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = state.rpartition(")")[2].split()  # after the name, which may hold anything
    return None if fields[0] in "ZX" else int(fields[19])  # a dead one may still have an entry


def _owner_of(path: Path) -> dict[str, Any] | None:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        owner = None
    return owner if isinstance(owner, dict) else {}  # one that is known by its silence alone


def _state_in_slurm(job: str) -> str | None:
    """State of a job; '' for one that SLURM has forgotten, None where it cannot be asked."""
    command = ("squeue", "--noheader", "--format=%T", f"--jobs={job}")
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    if asked.returncode == 0:
        return asked.stdout.strip()
    return "" if "Invalid job id" in asked.stderr else None


def _described(owner: dict[str, Any]) -> str:
    job = f"SLURM job {owner['slurm_job']}, " if owner.get("slurm_job") else ""
    return f"{job}process {owner.get('pid', '?')} on {owner.get('host', 'an unknown host')}"


def _remedy(owner: dict[str, Any]) -> str:
    if owner.get("slurm_job"):
        return f"scancel {owner['slurm_job']}"
    return f"kill {owner.get('pid', '?')} on {owner.get('host', 'its host')}"
