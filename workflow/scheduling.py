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


def look_no_oftener_than_needed() -> None:
    """Have Snakemake's scheduler keep one timer a second, in the place of one for each look.

    Of all workflows of this process: nothing else than the number of timers changes. A Snakemake
    that has no such timers keeps its own ways.
    """
    try:
        from snakemake.scheduling.job_scheduler import JobScheduler
    except ImportError:
        return
    if hasattr(JobScheduler, "_schedule_reevalutation"):
        JobScheduler._schedule_reevalutation = _look_again


def _look_again(self: Any, delay: float) -> None:
    """Look again after so many seconds and less than one more, with all who ask for that second.

    Never sooner: what the limit of jobs forbids until then would have to wait for another look.
    """
    now = time.monotonic()
    due = math.ceil(now + delay)
    pending = self.__dict__.setdefault("looks_again_at", set())
    if due in pending:
        return

    def look() -> None:
        pending.discard(due)
        self._open_jobs.release()

    pending.add(due)
    timer = threading.Timer(due - now, look)
    timer.daemon = True  # a run that has ended waits for none
    timer.start()
