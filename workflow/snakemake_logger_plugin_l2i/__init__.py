"""What a run of the workflow says: a display on a terminal, single lines elsewhere, a short plan.

A logger plugin of Snakemake, switched on by profiles/default. Snakemake's own log, in
`.snakemake/log`, is written beside it and holds all that Snakemake says by itself.

- On a terminal, jobs under way are shown with a bar, an estimate of the time that is left, and what
  fails above it (display.py). What jobs print passes through, so that it disturbs no display.
- Elsewhere each job is a line when it begins (lines.py).
- A dry run prints how many jobs of which rule would run, and why (plan.py).
- With ``--printshellcmds``, ``--verbose`` or ``--debug-dag`` Snakemake speaks for itself.

Nothing here knows the project: it would serve any workflow whose rules have messages.
"""

from __future__ import annotations

import logging
import sys

from snakemake_interface_logger_plugins.base import LogHandlerBase

__all__ = ["LogHandler"]


class LogHandler(LogHandlerBase):
    """Hands each record to the one who speaks in this run."""

    def __post_init__(self) -> None:
        """Choose who speaks."""
        from snakemake_logger_plugin_l2i.speakers import speaker_for  # jobs need none

        self._speaker = speaker_for(self.common_settings)

    def emit(self, record: logging.LogRecord) -> None:
        """Say what a record tells of; an error in this ends no run."""
        try:
            self._speaker.hear(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Give the terminal back. Snakemake calls this more than once."""
        try:
            self._speaker.close()
        except Exception as error:  # Snakemake would say nothing
            print(f"warning: {error!r} when the display was closed", file=sys.__stderr__)
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        """In the place of Snakemake's own words."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Snakemake does so by itself."""
        return False

    @property
    def has_filter(self) -> bool:
        """Without one Snakemake applies its own, and with it --quiet."""
        return False

    @property
    def has_formatter(self) -> bool:
        """Records are put into words here."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """It is not drawn."""
        return False
