"""Where a Snakemake job meets a plain function: the only place that knows both.

A script holds one function, named like the file, and hands it over:

    if __name__ == "__main__":
        perform(snakemake, cache_features)

Where several scripts open the same things first, a function that opens them is named, and what it
returns is handed over in the place of what it took:

    perform(snakemake, measure_fidelity, recordings=open_recordings, network=open_system)

`perform` (job.py) finds the functions' arguments in the job, has the outputs written under hidden
names, and on success puts them in place and a record beside each. What is printed is copied into
the job's log (log.py). Of two jobs that make the same result, one waits for the other (lock.py).

A job that fails, or is ended by SIGTERM (a time-out, scancel) or another signal that asks it to
end, leaves nothing behind but its log and, where it trains, checkpoints that it goes on from when
it is started again.
"""

import signal
import sys

# In the process of a job, and not in Snakemake's own: until `perform` answers it, Ctrl-C ends a job
# that still imports, in silence. A traceback would look like an error.
IN_JOB = hasattr(sys.modules["__main__"], "snakemake")
if IN_JOB and signal.getsignal(signal.SIGINT) == signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from harness.job import perform  # noqa: E402

__all__ = ["perform"]
