"""Who rates what: an equal share of the stimuli for each, in an order of their own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from l2i.streams import random_stream


def plan_participants(
    classes: Mapping[str, str],
    systems: Sequence[str],
    *,
    n_participants: int,
    per_participant: int,
    seed: int,
) -> pd.DataFrame:
    """Plan a listening test of two systems.

    Parameters
    ----------
    classes : mapping
        Stimulus -> its class.
    systems : sequence of str
        The two that are compared.
    n_participants : int
    per_participant : int
        Stimuli that each rates; all of them where there are fewer.
    seed : int

    Returns
    -------
    DataFrame
        One row per rated stimulus: participant (from 1), position (from 1), stimulus, first (the
        system whose sound is called A). Stimuli are rated equally often, or one time more, and each
        participant has about as much of a class as there is of it. Of those of each participant,
        and of those who rate a stimulus, each system is first for half, or for one more.
    """
    shares = _shares(classes, n_participants, per_participant, seed)
    pairs = [(person, s) for person, share in enumerate(shares, start=1) for s in share]
    swapped = _halved(pairs, random_stream(seed, "listening test", "systems"))
    rows = []
    for person, share in enumerate(shares, start=1):
        order = random_stream(seed, "listening test", "order", person).permutation(len(share))
        for position, i in enumerate(order, start=1):
            first = systems[swapped[person, share[i]]]
            rows.append((person, position, share[i], first))
    return pd.DataFrame(rows, columns=["participant", "position", "stimulus", "first"])


def _shares(
    classes: Mapping[str, str], n_participants: int, per_participant: int, seed: int
) -> list[list[str]]:
    """Stimuli of each participant: those rated least so far, of the classes they have least of."""
    rated = dict.fromkeys(classes, 0)
    shares = []
    for person in range(1, n_participants + 1):
        lots = random_stream(seed, "listening test", "share", person).permutation(len(classes))
        lot = dict(zip(classes, lots.tolist(), strict=True))
        share: list[str] = []
        for _ in range(min(per_participant, len(classes))):
            least = min(rated[s] for s in classes if s not in share)
            free = [s for s in classes if s not in share and rated[s] == least]
            had, waiting = Counter(classes[s] for s in share), Counter(classes[s] for s in free)
            share.append(min(free, key=lambda s: (had[classes[s]], -waiting[classes[s]], lot[s])))
            rated[share[-1]] += 1
        shares.append(share)
    return shares


def _halved(
    pairs: Sequence[tuple[int, str]], random: np.random.Generator
) -> dict[tuple[int, str], int]:
    """0 or 1 for each pair, each for half of the pairs of every participant and every stimulus.

    Of an odd number one is left over. Participants and stimuli are the two sides of a graph: where
    each has an even number of pairs, its closed walks are of even length, and 0 and 1 alternate
    along them (Euler). What has an odd number gets one pair more, with a partner that is nobody.
    """
    edges: list[tuple[int | None, str | None]] = [*pairs]
    of_person = Counter(person for person, _ in pairs)
    of_stimulus = Counter(stimulus for _, stimulus in pairs)
    edges += [(person, None) for person, n in of_person.items() if n % 2]
    edges += [(None, stimulus) for stimulus, n in of_stimulus.items() if n % 2]
    if sum(n % 2 for n in of_person.values()) % 2:
        edges.append((None, None))
    halves: dict[tuple[int | None, str | None], int] = {}
    for walk in _closed_walks(edges, random):
        start = int(random.integers(2))
        halves |= {edges[i]: (start + step) % 2 for step, i in enumerate(walk)}
    return {pair: halves[pair] for pair in pairs}


def _closed_walks(
    edges: Sequence[tuple[int | None, str | None]], random: np.random.Generator
) -> Iterable[list[int]]:
    """Walks that pass each edge once and end where they began, as numbers of edges."""
    around = defaultdict(list)  # of each end, which of two sides it is on
    for i in random.permutation(len(edges)).tolist():
        for side, end in enumerate(edges[i]):
            around[side, end].append(i)
    passed: set[int] = set()
    for start in list(around):
        here, walk = start, []
        while left := [i for i in around[here] if i not in passed]:
            passed.add(left[0])
            walk.append(left[0])
            here = (1 - here[0], edges[left[0]][1 - here[0]])
        if walk:
            yield walk
