"""workflow/bench: two jobs of one thread beside one job of two."""

from __future__ import annotations

from helpers.project import load_bench

threads = load_bench("threads")


def test_the_first_round_does_not_count_and_of_the_others_the_best_does():
    """The first loads and compiles, and a machine that others use is at times slower."""
    beside, alone = iter([1.0, 5.0, 4.0, 6.0]), iter([1.0, 9.0, 8.0, 7.0])
    row = threads._compared("a work", print, lambda _: next(beside), lambda _: next(alone), 3)
    assert (row.ours, row.theirs, row.ratio) == (4.0, 7.0, 1.75)
    assert next(beside, None) is None and next(alone, None) is None
