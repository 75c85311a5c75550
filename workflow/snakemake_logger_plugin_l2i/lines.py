"""A run in single lines, for pipes, files and terminals that can do no more."""

from __future__ import annotations

import logging
import re
import time
from typing import TextIO

from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_l2i.failures import Failure, failure_of, failures_of_group
from snakemake_logger_plugin_l2i.run import ALL, Job, Run, about, clock

# What Snakemake says of each run, and nobody asks for. All of it stands in its log.
CHATTER = re.compile(
    r"Assuming unrestricted shared filesystem|Building DAG of jobs|Using shell: |host: "
    r"|Rules claiming more threads|Provided (cores|resources|remote nodes)|Group jobs: inactive"
    r"|(Conda environments|Singularity containers): ignored|Select jobs to execute"
    r"|Execute \d+ jobs|Elapsed time: |Complete log\(s\): |None$|Shutting down, this might"
)
# What it says of a job that failed, beside what is told of that here, and at the end of such a run.
OF_FAILURES = re.compile(
    r"RuleException:\nCalledProcessError in file|Exiting because a job execution failed"
    r"|WorkflowError:\nAt least one job did not complete"
)
KILLED = re.compile(r"Command '.*\bscripts/\w+\.(\w+)\.py' died with <Signals\.(\w+)")
STOPPING = "Terminating processes on user request"  # how it begins to say so
SILENT = {
    *(LogEvent.WORKFLOW_STARTED, LogEvent.RESOURCES_INFO, LogEvent.JOB_STARTED, LogEvent.SHELLCMD),
    *(LogEvent.PROGRESS, LogEvent.GROUP_INFO, LogEvent.RULEGRAPH, LogEvent.DEBUG_DAG),
}


class Lines:
    """Says what happens, a line when a job begins, more where one fails.

    Parameters
    ----------
    stream : TextIO
        Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.run = Run(time.monotonic())
        self._is_stopping = False

    def hear(self, record: logging.LogRecord) -> None:
        """Take note of a record, and say what there is to say of it."""
        event = getattr(record, "event", None)
        self._is_stopping |= record.getMessage().startswith(STOPPING)
        answers = {
            LogEvent.RUN_INFO: self._planned,
            LogEvent.JOB_INFO: self._started,
            LogEvent.JOB_FINISHED: self._finished,
            LogEvent.JOB_ERROR: self._failed,
            LogEvent.GROUP_ERROR: self._group_failed,
        }
        if event in answers:
            answers[event](record)
        elif killed := KILLED.search(record.getMessage()):
            memory = ", most often because memory ran out" if killed[2] == "SIGKILL" else ""
            self.say(f"{killed[1]}: ended by {killed[2]}{memory}", level=logging.ERROR)
        elif event not in SILENT and not is_left_out(record):
            self.say(record.getMessage(), level=record.levelno)

    def close(self) -> None:
        """Write what is left."""
        self._stream.flush()

    def say(self, text: str, *, level: int = logging.INFO) -> None:
        """Print one or more lines."""
        print(text.rstrip("\n"), file=self._stream, flush=True)

    def tell_of(self, failure: Failure) -> None:
        """Print what has failed and why."""
        self.say(failure.at_once, level=logging.ERROR)

    def tell_of_start(self, job: Job) -> None:
        """Print that a job begins, and how far the run has come."""
        run, now = self.run, time.monotonic()
        far = f"{run.done}/{run.total} {clock(now - run.began)}"
        left = about(run.seconds_left(now))
        self.say(f"[{far}{', ' if left else ''}{left}] {job.words}")

    def changed(self) -> None:
        """Show where the run stands; lines say so when a job begins."""

    def _planned(self, record: logging.LogRecord) -> None:
        self.run.plan(record.stats)  # type: ignore[attr-defined]
        self.say(f"{self.run.total} job{'s' * (self.run.total != 1)} to run")

    def _started(self, record: logging.LogRecord) -> None:
        job = job_of(record)
        self.run.start(record.jobid, job)  # type: ignore[attr-defined]
        if job.rule != ALL:
            self.tell_of_start(job)
        self.changed()

    def _finished(self, record: logging.LogRecord) -> None:
        self.run.finish(record.job_id, time.monotonic())  # type: ignore[attr-defined]
        self.changed()

    def _failed(self, record: logging.LogRecord) -> None:
        if self._is_stopping:  # as it was asked to
            return
        job = self.run.fail(record.jobid)  # type: ignore[attr-defined]
        if not getattr(record, "indent", False):  # else its group is told of
            self.tell_of(failure_of(vars(record), job.words if job else None))
        self.changed()

    def _group_failed(self, record: logging.LogRecord) -> None:
        if self._is_stopping:
            return
        words = {number: job.words for number, job in self.run.under_way.items()}
        for failure in failures_of_group(vars(record), words):
            self.tell_of(failure)


def is_left_out(record: logging.LogRecord) -> bool:
    """Whether what Snakemake says need not be read: no warning, nor what nobody else tells of."""
    said = record.getMessage()
    of_run = record.levelno < logging.WARNING and CHATTER.match(said)
    return bool(of_run or OF_FAILURES.match(said))


def job_of(record: logging.LogRecord) -> Job:
    """The job that a record says begins."""
    told = vars(record)
    rule, wildcards = told["rule_name"], dict(told["wildcards"] or {})
    named = ", ".join(f"{name} {value}" for name, value in wildcards.items())
    return Job(
        rule=rule,
        words=told["rule_msg"] or (f"{rule}: {named}" if named else rule),
        wildcards=wildcards,
        log=told["log"][0] if told["log"] else None,
        began=time.monotonic(),
    )
