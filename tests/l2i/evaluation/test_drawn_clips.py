"""l2i.evaluation.drawn_clips: test clips alone, as many as are asked for."""

import pandas as pd

from helpers.known_networks import CLASSES, FRONT_END
from l2i.datasets.fold import Fold
from l2i.evaluation.drawn_clips import drawn_test_rows

FOLD = Fold("esc50", "1", pd.DataFrame({"fold": [1, 2] * 20}), CLASSES, FRONT_END, "absolute")


def drawn(n, purpose="masks", seed=0):
    return drawn_test_rows(FOLD, n, purpose, seed).tolist()


def test_all_test_clips_where_there_are_no_more():
    assert drawn(20) == drawn(99) == list(range(0, 40, 2))


def test_else_so_many_in_their_order():
    rows = drawn(7)
    assert len(rows) == 7 and rows == sorted(set(rows)) and {*rows} <= {*range(0, 40, 2)}
    assert rows == drawn(7)


def test_other_seeds_and_purposes_draw_others():
    assert len({tuple(each) for each in (drawn(7), drawn(7, seed=1), drawn(7, "atlas"))}) == 3
