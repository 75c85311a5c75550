"""How long jobs take together on so many cores and GPUs, where each waits for others."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Timed(NamedTuple):
    """A job: how long it takes, how many cores it holds meanwhile, and what it waits for."""

    seconds: float
    n_cores: int
    waits_for: Sequence[int]  # places in the sequence of jobs, all before its own
    n_gpus: int = 0  # that it holds as well: 0 or 1


def makespan(jobs: Sequence[Timed], n_cores: int, n_gpus: int = 1) -> float:
    """Seconds from the start of the first job to the end of the last.

    Whenever a job ends, those that may begin do, as far as cores and GPUs are left; first the one
    behind which the most work is left to be done one after the other. A job that wants more cores
    than there are holds all of them.

    Parameters
    ----------
    jobs : sequence of Timed
        Each after those that it waits for.
    n_cores, n_gpus : int
        1 or more.
    """
    followers: Mapping[int, list[int]] = {place: [] for place in range(len(jobs))}
    for place, job in enumerate(jobs):
        for other in job.waits_for:
            followers[other].append(place)
    left = [0.0] * len(jobs)  # seconds from the start of each to the end of what follows it
    for place in reversed(range(len(jobs))):
        behind = (left[other] for other in followers[place])
        left[place] = jobs[place].seconds + max(behind, default=0.0)
    n_awaited = [len(job.waits_for) for job in jobs]
    ready = [(-left[place], place) for place, n in enumerate(n_awaited) if n == 0]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    now, free, free_gpus = 0.0, n_cores, n_gpus
    while ready or running:
        kept = []
        while ready:
            urgency, place = heapq.heappop(ready)
            wanted = min(jobs[place].n_cores, n_cores)
            if wanted <= free and jobs[place].n_gpus <= free_gpus:
                free -= wanted
                free_gpus -= jobs[place].n_gpus
                heapq.heappush(running, (now + jobs[place].seconds, place))
            else:
                kept.append((urgency, place))
        ready = kept
        now, ended = heapq.heappop(running)
        free += min(jobs[ended].n_cores, n_cores)
        free_gpus += jobs[ended].n_gpus
        for other in followers[ended]:
            n_awaited[other] -= 1
            if n_awaited[other] == 0:
                ready.append((-left[other], other))
        heapq.heapify(ready)
    return now
