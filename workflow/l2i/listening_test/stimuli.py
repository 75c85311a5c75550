"""Which test clips are played: rightly predicted, audible, as many of each class as can be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import pandas as pd

from l2i.names import LABEL
from l2i.streams import stream_seed

DECIDED = "decided_"  # in front of a class: whether a multi-label classifier decides for it


def candidates_by_class(
    scores: pd.DataFrame, classes: Sequence[str], *, excluded: Collection[str] = ()
) -> dict[str, list[str]]:
    """Clips of each class for which it is predicted and in the ground truth.

    Parameters
    ----------
    scores : DataFrame
        What the classifier says of the test clips: see l2i.evaluation.clip_scores.
    classes : sequence of str
        In the order of their numbers.
    excluded : collection of str
        Classes that nobody is asked about.

    Returns
    -------
    dict
        Class -> names of clips; in a multi-label corpus a clip may be there for several classes.
    """

    def right(number: int, name: str) -> pd.Series:
        if "predicted" in scores:
            return (scores["label"] == number) & (scores["predicted"] == number)
        return (scores[f"{LABEL}{name}"] == 1) & (scores[f"{DECIDED}{name}"] == 1)

    return {
        name: scores.loc[right(number, name), "clip"].tolist()
        for number, name in enumerate(classes)
        if name not in excluded
    }


def draw_stimuli(
    candidates: Mapping[str, Sequence[str]],
    n_stimuli: int,
    is_audible: Callable[[str], bool],
    seed: int,
) -> list[tuple[str, str]]:
    """Draw clips, each for one class, so that classes have as even a number as can be.

    Classes take turns, and whoever can have no more clip drops out; a class may hand on a clip that
    another one needs if it finds a substitute. So no class could have one more without another that
    has no more than it losing one. Each class asks for clips in an order of its own, which hangs
    on their names alone: what else a corpus holds moves no clip in front of another.

    Parameters
    ----------
    candidates : mapping
        Class -> clips that it may have.
    n_stimuli : int
        How many in all; fewer where there are not enough.
    is_audible : callable
        Whether a clip, by its name, may be played. Asked only of clips that are to be taken.
    seed : int

    Returns
    -------
    list of (class, clip)
        In the order of `candidates`, clips by name.
    """

    def in_order(name: str) -> list[str]:
        return sorted(set(candidates[name]), key=lambda c: stream_seed(seed, "stimulus", name, c))

    orders = {name: in_order(name) for name in candidates}
    holder: dict[str, str] = {}  # clip -> class that has it

    def gets_one_more(name: str, seen: set[str]) -> bool:
        """Kuhn's augmenting path: free clips first, then those that their holder can do without."""
        asked = [clip for clip in orders[name] if clip not in seen]
        for clip in [c for c in asked if c not in holder] + [c for c in asked if c in holder]:
            seen.add(clip)
            if is_audible(clip) and (clip not in holder or gets_one_more(holder[clip], seen)):
                holder[clip] = name
                return True
        return False

    turn, left = 0, list(orders)
    while left and len(holder) < n_stimuli:
        in_turn = sorted(left, key=lambda name: stream_seed(seed, "turn", turn, name))
        for name in in_turn:
            if len(holder) < n_stimuli and not gets_one_more(name, set()):
                left.remove(name)
        turn += 1
    return [(name, clip) for name in orders for clip in sorted(holder) if holder[clip] == name]
