"""What is said when a run ends: what to open, or what failed and what to do about it.

It goes through Snakemake's logger, and with that to whoever speaks in this run and into its log.
"""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from snakemake.logging import logger

from snakemake_logger_plugin_l2i.failures import Failure, has_failed, told_by
from snakemake_logger_plugin_l2i.run import clock

# Pages by the rules that make them, in the order in which they are worth opening.
PAGES = {
    "compose_index": "Results",
    "compose_listening": "To listen to",
    "compose_listening_test": "Listening test of {title}",
}
NOTHING = "Nothing to be done"  # how Snakemake begins to say so


def tell_of_success(workflow: Any, config: Mapping[str, Any]) -> None:
    """How long a run took, and links to its pages, which a terminal opens."""
    took = clock((datetime.now() - workflow.start_time).total_seconds())
    logger.info(f"Done: {workflow.scheduler.finished_jobs} jobs in {took}.")
    _tell_of_pages(workflow, config)


def tell_when_nothing_is_to_be_done(workflow: Any, config: Mapping[str, Any]) -> None:
    """Have the same pages named where all is there: Snakemake calls no hook then."""
    for handler in [each for each in logger.handlers if isinstance(each, _OnNothing)]:
        logger.removeHandler(handler)  # of another workflow in the same process
    logger.addHandler(_OnNothing(lambda: _tell_of_pages(workflow, config)))


def tell_of_failure(workflow: Any) -> None:
    """Each job that failed: what it does, why it failed, its logs; and what to type next.

    Of a run that was stopped, which has failed of nothing, how to go on.
    """
    failures = [*_failures(workflow.scheduler.failed)]
    n_done, command = workflow.scheduler.finished_jobs, f"snakemake {shlex.join(sys.argv[1:])}"
    if not failures:  # as after Ctrl-C
        logger.error(f"Stopped, {n_done} jobs done. To go on from there:\n    {command}")
        return
    logger.error(f"\n{len(failures)} failed, {n_done} done:\n")
    for failure in failures:
        logger.error(f"{failure}\n")
    logger.error(
        "What is done stays done, and training goes on from where it was. With the cause removed:\n"
        f"    {command}"
    )


class _OnNothing(logging.Handler):
    """Answers Snakemake's word that nothing is to be done."""

    def __init__(self, answer: Callable[[], None]) -> None:
        super().__init__()
        self._answer = answer

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.msg, str) and record.msg.startswith(NOTHING):
            self._answer()


def _tell_of_pages(workflow: Any, config: Mapping[str, Any]) -> None:
    for line in pages_of(workflow.dag.jobs, config):
        logger.info(line)


def pages_of(jobs: Iterable[Any], config: Mapping[str, Any]) -> list[str]:
    """What to open of what these jobs make, a line each, the first one first."""
    made = [job for job in jobs if job.rule.name in PAGES]
    lines, order = [], [*PAGES]
    for job in sorted(made, key=lambda job: (order.index(job.rule.name), str(job.output[0]))):
        dataset = dict(job.wildcards_dict).get("dataset")
        title = config["datasets"][dataset]["title"] if dataset else ""
        lines.append(f"{PAGES[job.rule.name].format(title=title)}: {_address(job.output[0])}")
    return lines


def _address(path: str) -> str:
    page = Path(path)
    return (page if page.suffix else page / "index.html").resolve().as_uri()


def _failures(failed: Iterable[Any]) -> Iterator[Failure]:
    """What failed, job by job; of jobs that ran as one, those that got so far."""
    for job in failed:
        message, more = getattr(job, "told_of_failure", ("", []))
        members = [*job.jobs] if job.is_group() else [job]
        broken = [each for each in members if any(map(has_failed, each.log))]
        yield from (_failure(each, message, more) for each in broken or members[:1])


def _failure(job: Any, message: str, more: list[str]) -> Failure:
    logs = [*map(str, job.log), *more]
    return told_by(job.message or job.rule.name, logs, message)
