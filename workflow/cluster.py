"""What a run on SLURM needs beside Snakemake's plugin, of which version 2.8.0 was tried.

Left to itself, the plugin

- waits for ever for a job of which its one question, to `squeue` or to `sacct`, brings no state
  that it knows: where accounting is off, after `scancel` (``CANCELLED by 0``), and when a job that
  ended has left the queue; where SLURM does not answer, it does not say so;
- sends jobs with a GPU to the partition of those without;
- submits nothing where there is no ``sacct`` to guess an account from, which it cannot anyway;
- tries again what cannot get better: a submission that is refused, and a job whose input is bad.

:func:`mend` replaces four methods of its executor. In a run without SLURM they are never called.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

FAILED = {"CANCELLED", "DEADLINE", "FAILED", "OUT_OF_MEMORY", "TIMEOUT", "GONE"}
# SLURM puts such a job back into the queue, unless the cluster is set up otherwise.
PERHAPS_REQUEUED = {"BOOT_FAIL", "NODE_FAIL", "PREEMPTED", "REVOKED"}
ENDED = {"COMPLETED", *FAILED, *PERHAPS_REQUEUED}
PATIENCE = 5  # checks after which what is said of a job for the time being is taken as final
# Why a job may wait for ever, and the variables or resources that end it.
NEVER = {
    "PartitionTimeLimit": "its partition gives less time: --set-resources RULE:runtime",
    "PartitionNodeLimit": "its partition is too small for it: L2I_CPU_PARTITION, L2I_GPU_PARTITION",
    "BadConstraints": "no node has what it asks for: L2I_SLURM_CONSTRAINT, L2I_GPU_GRES",
    "QOSMaxWallDurationPerJobLimit": "its QOS gives less time: L2I_SLURM_QOS",
    "QOSMaxMemoryPerJob": "its QOS gives less memory: --set-resources RULE:mem_mb",
    "InvalidAccount": "its account may not be charged: L2I_SLURM_ACCOUNT",
    "InvalidQOS": "it may not use its QOS: L2I_SLURM_QOS",
    "JobHeldAdmin": "an administrator holds it",
    "JobHeldUser": "it is held: scontrol release",
}
PASSING = (
    *("timed out", "unable to contact", "temporarily", "try again", "transport"),
    *("assocmaxsubmit", "qosmaxsubmit"),
)
PAUSE_SECONDS = 60  # before what was refused for the time being is submitted again
STARTED = time.time()  # logs from before are of earlier runs
WARNINGS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)  # before a time limit, as scripts hear


def mend() -> None:
    """Give the plugin's executor the methods below, if the plugin is there."""
    try:
        from snakemake_executor_plugin_slurm import Executor
    except ImportError:  # as in an environment for jobs alone
        return
    os.environ.setdefault("SBATCH_OPEN_MODE", "append")  # a requeue must not empty SLURM's own log
    if "SLURM_JOB_ID" in os.environ:
        _outlive_warnings()
    if not hasattr(Executor, "as_published"):
        Executor.as_published = {
            name: getattr(Executor, name) for name in ("get_partition_arg", "report_job_error")
        }
    Executor.check_active_jobs = check_active_jobs
    Executor.get_account_arg = get_account_arg
    Executor.get_partition_arg = get_partition_arg
    Executor.report_job_error = report_job_error


def _outlive_warnings() -> None:
    """Have Snakemake, in a job, go on until its script has ended as the signal asks it to.

    SLURM's --signal goes to all processes of a job. With Snakemake gone, it kills the script while
    that writes its checkpoint. SIGTERM Snakemake outlives by itself.
    """
    if threading.current_thread() is threading.main_thread():
        for warning in WARNINGS:
            signal.signal(warning, lambda signum, frame: None)  # unlike SIG_IGN, not inherited


# ---------------------------------------------------------------- state of jobs


async def check_active_jobs(self: Any, active_jobs: list) -> AsyncGenerator:
    """Report the jobs that have ended; yield the others, to be asked for again."""
    self.next_seconds_between_status_checks = (
        self.workflow.executor_settings.init_seconds_before_status_checks
    )
    if not active_jobs:
        return
    states = await _states(self, {job.external_jobid for job in active_jobs})
    for job in active_jobs:
        state = states[job.external_jobid]
        if state == "COMPLETED" or (state == "GONE" and not _outputs_of_before(job.job)):
            # Of a job that is gone nothing but its outputs can tell, and Snakemake looks for those.
            self.report_job_success(job)
        elif state in ENDED:
            if state in PERHAPS_REQUEUED:  # it must not come back beside the one that follows it
                await _asked("scancel", job.external_jobid)
            message = f"SLURM job {job.external_jobid} ended as {state}. "
            self.report_job_error(job, msg=message, aux_logs=[str(job.aux["slurm_logfile"])])
        else:
            yield job


def _outputs_of_before(job: Any) -> bool:
    """Whether outputs lie there that are older than this run: the job cannot have made them."""
    paths = [Path(str(path)) for path in job.output]
    return any(path.exists() and _is_of_before(path) for path in paths)


def _is_of_before(path: str | Path) -> bool:
    """Whether a file was written before this run began."""
    return Path(path).stat().st_mtime < STARTED


async def _states(self: Any, ids: set[str]) -> dict[str, str]:
    """What is known of jobs: a final state, GONE, or another where they are to be waited for."""
    listed = await _asked(
        *("squeue", "--noheader", "--states=all", "--format=%i|%T|%r", f"--name={self.run_uuid}")
    )
    if isinstance(listed, str):
        if not getattr(self, "_silent", False):
            self.logger.warning(f"SLURM does not answer, waiting until it does: {listed}")
        self._silent = True
        return dict.fromkeys(ids, "UNKNOWN")
    self._silent = False
    states = {job: (state, reason) for job, state, reason in listed}
    _tell_of_waiting(self, {job: r for job, (state, r) in states.items() if state == "PENDING"})
    found = {job: state for job, (state, _) in states.items()}
    if gone := ids - found.keys():
        found |= await _states_of_gone(self, gone)
    return {job: _final(self, job, found[job]) for job in ids}


async def _states_of_gone(self: Any, gone: set[str]) -> dict[str, str]:
    """What accounting knows of jobs that have left the queue; GONE where there is none."""
    told = await _asked(
        *("sacct", "--allocations", "--noheader", "--parsable2", "--format=JobIDRaw,State"),
        f"--jobs={','.join(sorted(gone))}",
    )
    if isinstance(told, str):
        return dict.fromkeys(gone, "GONE")
    # As in `CANCELLED by 0`, with the user who did it.
    states = {job: state.split()[0].rstrip("+") for job, state in told}
    # Accounting may lag behind; what it has not heard of, or not heard the end of, gets its time.
    return {job: s if (s := states.get(job)) in ENDED else "GONE?" for job in gone}


def _final(self: Any, job: str, state: str) -> str:
    """A state that may change is waited out, a number of times."""
    patience = self.__dict__.setdefault("_patience", {})
    if state != "GONE?" and state not in PERHAPS_REQUEUED:
        for known in [key for key in patience if key[0] == job]:
            del patience[known]
        return state
    patience[job, state] = patience.get((job, state), 0) + 1
    if patience[job, state] <= PATIENCE:
        return "UNKNOWN"
    return state.rstrip("?")


def _tell_of_waiting(self: Any, reasons: dict[str, str]) -> None:
    """Say once of each job that cannot begin why, since it would wait in silence."""
    told = self.__dict__.setdefault("_told", set())
    for job, reason in reasons.items():
        if reason in NEVER and job not in told:
            told.add(job)
            self.logger.warning(f"SLURM job {job} will not begin ({reason}): {NEVER[reason]}")


async def _asked(*command: str) -> list[list[str]] | str:
    """Lines of a command's answer, split at bars; or, as a text, why there is none."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
    except OSError as error:
        return str(error)
    try:
        out, err = await asyncio.wait_for(process.communicate(), timeout=60)
    except TimeoutError:
        process.kill()
        return f"{command[0]} took more than a minute"
    if process.returncode:
        return err.decode(errors="replace").strip() or f"{command[0]}: exit {process.returncode}"
    return [line.split("|") for line in out.decode().splitlines() if "|" in line]


# ---------------------------------------------------------------- where jobs go


def has_gpu(job: Any) -> bool:
    """Whether a job asks for a GPU."""
    return bool(job.resources.get("gpu")) or "gpu" in str(job.resources.get("gres") or "")


def get_account_arg(self: Any, job: Any) -> Iterator[str]:
    """The account that a job names; without one, SLURM knows whose default is to be charged."""
    account = job.resources.get("slurm_account")
    yield f" -A {shlex.quote(str(account))}" if account else ""


def get_partition_arg(self: Any, job: Any) -> str:
    """The partition that a job asks for by itself, else that of jobs with or without a GPU.

    Before the first submission, jobs of an earlier run that have not begun are cancelled.
    """
    if not getattr(self, "_submits", False):
        self._submits = True
        _cancel_waiting_jobs_of_before(self)
    variable = "L2I_GPU_PARTITION" if has_gpu(job) else "L2I_CPU_PARTITION"
    named = os.environ.get(variable) or os.environ.get("L2I_CPU_PARTITION")
    if named and not job.resources.get("slurm_partition"):
        return f" -p '{named}'"
    return self.as_published["get_partition_arg"](self, job)


def _cancel_waiting_jobs_of_before(self: Any) -> None:
    """Cancel what a run in this folder, that was killed, has left in the queue.

    Such a job would begin after ours and, of other settings, make something else in its place. One
    that has begun is waited for: see harness/lock.py.
    """
    command = ("squeue", "--me", "--noheader", "--states=PENDING", "--format=%i|%j|%k|%Z")
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return
    jobs = [line.split("|") for line in asked.stdout.splitlines() if line.count("|") == 3]
    here = os.path.realpath(os.curdir)
    left = [
        job
        for job, run, comment, folder in jobs
        if os.path.realpath(folder) == here and run != self.run_uuid and comment.startswith("rule_")
    ]
    if left:
        self.logger.warning(
            f"Cancelling {len(left)} job(s) that an earlier run in this folder has left waiting: "
            f"{', '.join(left)}"
        )
        subprocess.run(["scancel", *left], capture_output=True, timeout=60, check=False)


# ---------------------------------------------------------------- what is tried again


def report_job_error(self: Any, job_info: Any, msg: str | None = None, **more: Any) -> None:
    """Report a job that failed.

    What would fail in the same way again has had its last attempt. What SLURM refuses for the time
    being is submitted again after a while, however often, and costs no attempt.
    """
    job, msg = job_info.job, msg or ""
    report = partial(self.as_published["report_job_error"], self, job_info, **more)
    refused = "sbatch failed" in msg
    if refused and any(word in msg.lower() for word in PASSING):
        job._attempt -= 1  # one is added when the failure is reported
        later = threading.Timer(PAUSE_SECONDS, report, kwargs={"msg": msg})
        later.daemon = True
        later.start()
        return
    if refused:
        msg = f"{msg}{_about_refusal(job, msg)}\n"
    if refused or any(map(_tells_of_bad_input, job.log)):
        job._attempt = max(job.attempt, job.restart_times + 1)
        msg += "Not tried again, since it would fail in the same way. "
    if old := [path for path in job.log if Path(path).exists() and _is_of_before(path)]:
        msg += f"It has written no log: what is shown is of an earlier run ({', '.join(old)}). "
    job.told_of_failure = msg.strip(), [str(path) for path in more.get("aux_logs") or ()]
    report(msg=msg)


def _about_refusal(job: Any, message: str) -> str:
    """Which variable of the environment, or resource, decides what SLURM has refused."""
    said = message.lower()
    where = "L2I_GPU_PARTITION" if has_gpu(job) else "L2I_CPU_PARTITION"
    named = {
        "account": "L2I_SLURM_ACCOUNT",
        "qos": "L2I_SLURM_QOS",
        "feature": "L2I_SLURM_CONSTRAINT",
    }
    variables = [name for word, name in named.items() if word in said] or [where]
    if has_gpu(job) and variables == [where]:
        variables.append("L2I_GPU_GRES")
    now = ", ".join(f"{name}={os.environ.get(name, '(not set)')}" for name in variables)
    kind = "with a GPU" if has_gpu(job) else "without a GPU"
    return (
        f"SLURM refuses jobs {kind}. Set in your environment, for your cluster: {now}. "
        "`sinfo -o '%P %G %l'` lists partitions, their GPUs and time limits. "
    )


def _tells_of_bad_input(path: str) -> bool:
    """Whether the last words of a job's log are an InputError's, as the harness prints it."""
    log = Path(path)
    if not log.is_file() or _is_of_before(log):
        return False
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return _ends_with_input_error(lines)


def _ends_with_input_error(lines: Iterable[str]) -> bool:
    last = ""
    for line in lines:
        if line.startswith("--- "):  # a log goes on: what ended an earlier start is past
            last = ""
        elif line.startswith(("error: ", "Traceback ")):
            last = line
    return last.startswith("error: ") and not last.startswith("error: stopped with")
