"""Who speaks in a run."""

from __future__ import annotations

import logging
import sys
from typing import Any, Protocol

from snakemake.logging import ColorizingTextHandler, DefaultFormatter
from snakemake.settings.enums import Quietness

from snakemake_logger_plugin_l2i.display import Display
from snakemake_logger_plugin_l2i.lines import Lines
from snakemake_logger_plugin_l2i.plan import Plan


class Speaker(Protocol):
    """What says something of a run."""

    def hear(self, record: logging.LogRecord) -> None:
        """Take note of a record, and say what there is to say of it."""

    def close(self) -> None:
        """Say the last of it; may be called more than once."""


class Snakemake:
    """Snakemake's own words, as without a plugin."""

    def __init__(self, settings: Any) -> None:
        stream = sys.stdout if settings.stdout else sys.stderr
        self._handler = ColorizingTextHandler(nocolor=settings.nocolor, stream=stream)
        formatter = DefaultFormatter(settings.quiet, settings.show_failed_logs)
        self._handler.setFormatter(formatter)

    def hear(self, record: logging.LogRecord) -> None:
        """Print a record as Snakemake would."""
        if record.msg == "None":  # what the queue makes of no message
            record.msg = None
        self._handler.handle(record)

    def close(self) -> None:
        """Write what is left."""
        self._handler.flush()


def speaker_for(settings: Any) -> Speaker:
    """Who speaks, by the command line and by where it is read.

    Parameters
    ----------
    settings : OutputSettingsLoggerInterface
        Snakemake's.
    """
    quiet = set(settings.quiet or ())
    if settings.printshellcmds or settings.verbose or settings.debug_dag:
        return Snakemake(settings)
    if settings.dryrun:
        return Plan(sys.stdout)
    if quiet & {Quietness.ALL, Quietness.PROGRESS, Quietness.RULES} or not Display.is_possible():
        return Lines(sys.stderr)
    return Display(colours=not settings.nocolor)
