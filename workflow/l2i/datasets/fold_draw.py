"""Folds that are drawn: all clips of a source into one, each class into all alike.

A source that comes or goes moves few of the others: each has folds that it likes best, by a hash of
its name, and goes elsewhere only where those are full.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from l2i.streams import stream_seed


def draw_folds(sources: Mapping[str, Mapping[str, int]], n_folds: int, seed: int) -> dict[str, int]:
    """Draw a fold for each source.

    The largest sources choose first, then those whose hash is smallest. A source goes to the fold
    that it likes best among those that have room for its clips: for as many of each class as there
    are in a fold on average, rounded down. Where no fold has it, the one that would overflow least.
    But once a class has only as many sources left as there are folds without it, they go to those.
    So of a class whose sources are equally long, no fold has over one source more than another; and
    if no source has clips of several classes, each fold has every class that has a source for it.

    Parameters
    ----------
    sources : mapping
        By the name of a source, its number of clips of each class.
    n_folds : int
        At least 1.
    seed : int
        Of the draw.

    Returns
    -------
    dict
        By the name of a source, its fold, 1 to `n_folds`.
    """
    totals: Counter[str] = Counter()
    for clips in sources.values():
        totals.update(clips)
    room = [{name: n // n_folds for name, n in totals.items()} for _ in range(n_folds)]
    left = Counter(name for clips in sources.values() for name in clips)  # sources to be drawn
    without = {name: set(range(n_folds)) for name in totals}  # folds that lack the class

    def turn(source: str) -> tuple[int, int]:
        return -sum(sources[source].values()), stream_seed(seed, "turn", source)

    drawn = {}
    for source in sorted(sources, key=turn):
        clips = sources[source]
        scarce = [name for name in clips if left[name] <= len(without[name])]

        def dislike(
            fold: int,
            clips: Mapping[str, int] = clips,
            scarce: Sequence[str] = scarce,
            source: str = source,
        ) -> tuple[int, int, int]:
            wasted = sum(fold not in without[name] for name in scarce)
            over = sum(max(0, n - room[fold][name]) for name, n in clips.items())
            return wasted, over, stream_seed(seed, "fold", source, fold)

        chosen = min(range(n_folds), key=dislike)
        for name, n in clips.items():
            room[chosen][name] -= n
            left[name] -= 1
            without[name].discard(chosen)
        drawn[source] = chosen + 1
    return drawn
