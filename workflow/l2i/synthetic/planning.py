"""What sounds where: hands dealt so that rare classes cannot happen by chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle, islice

from numpy.random import Generator

from l2i.checks import InputError

N_SOUNDS = (2, 1, 3, 2, 1, 0)  # at a time, clip by clip, over and over


def n_sounds(n_clips: int, pattern: Sequence[int] = N_SOUNDS) -> list[int]:
    """Return how many sounds each of `n_clips` clips mixes."""
    return list(islice(cycle(pattern), n_clips))


def deal(items: Sequence[str], sizes: Iterable[int], rng: Generator) -> list[list[str]]:
    """Deal hands of different items, deck after deck, so that all items come up equally often."""
    hands: list[list[str]] = []
    deck: list[str] = []
    for size in sizes:
        if size > len(items):
            raise InputError(f"a hand of {size} different items needs more than {len(items)} items")
        hand: list[str] = []
        while len(hand) < size:
            fresh = [item for item in deck if item not in hand]
            if not fresh:
                order = rng.random(len(items)).argsort()
                deck += [items[k] for k in order]
                continue
            hand.append(fresh[0])
            deck.remove(fresh[0])
        hands.append(hand)
    return hands


def scattered(n_clips: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return (split, number within it) of all clips, the splits mixed evenly."""
    clips = [(split, i) for split, n in n_clips.items() for i in range(n)]
    return sorted(clips, key=lambda clip: ((clip[1] + 0.5) / n_clips[clip[0]], clip[0]))
