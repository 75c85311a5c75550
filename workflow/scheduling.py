"""How often Snakemake looks for jobs that can begin: when one has ended, and once a second.

Snakemake 9 sets a timer at each look, which makes it look again, because of its limit of 100 jobs a
second (`--max-jobs-per-timespan`). A job that ends adds a look, and with it a timer that is renewed
for ever: after a hundred jobs it looks a hundred times a second, asks the disk each time for the
size of each input of each job that waits, and spends much of a core on that.
"""

from __future__ import annotations

import math
import threading
import time
from typing import Any

from snakemake.scheduling.job_scheduler import JobScheduler


def look_no_oftener_than_needed() -> None:
    """Have Snakemake's scheduler keep one timer, in the place of one for each of its looks."""
    JobScheduler._schedule_reevalutation = _look_again_once


def _look_again_once(self: Any, delay: float) -> None:
    """Look again after so many seconds, unless that is to happen sooner anyway."""
    due = time.monotonic() + delay
    if getattr(self, "looks_again_at", math.inf) <= due:
        return

    def look() -> None:
        self.looks_again_at = math.inf
        self._open_jobs.release()

    self.looks_again_at = due
    timer = threading.Timer(delay, look)
    timer.daemon = True  # a run that has ended waits for none
    timer.start()
