"""l2i.reporting.removals: which clips count, on rows made by hand."""

import pandas as pd
import pytest

from helpers.tables import faithfulness_drops, with_nothing
from l2i.checks import InputError
from l2i.reporting.removals import net_drops, unmatched, values, without


def rows_of(*matched, **columns):
    """Draws of the baseline, each with what of its clips matches."""
    return pd.concat(
        faithfulness_drops([0.1] * len(each), "random_energy", draw=i, matched=each, **columns)
        for i, each in enumerate(matched)
    )


class TestUnmatched:
    def test_one_draw_that_misses_leaves_the_clip_out(self):
        left_out = unmatched(rows_of([1, 1, 0], [1, 0, 0]))
        assert left_out["clip"].tolist() == ["1-0", "1-1", "1-2"]
        assert left_out["value"].tolist() == [0, 100, 100]

    def test_so_does_one_run(self):
        rows = pd.concat([rows_of([1, 1]), rows_of([0, 1], run=1)])
        assert unmatched(rows)["value"].tolist() == [100, 0]

    def test_clips_of_other_folds_are_others(self):
        rows = pd.concat([rows_of([0, 1]), rows_of([1, 1], fold=2).assign(clip=["1-0", "1-1"])])
        assert unmatched(rows)["value"].tolist() == [100, 0, 0, 0]

    def test_without_them_all_runs_and_draws_hold_the_same_clips(self):
        rows = pd.concat([rows_of([1, 1, 1], [1, 0, 1]), rows_of([1, 1, 1], [1, 1, 0], run=1)])
        kept = without(rows, unmatched(rows))
        assert set(kept["clip"]) == {"1-0"} and len(kept) == 4
        assert without(rows, unmatched(rows[:0])).empty


class TestNetDrops:
    def test_they_are_taken_clip_by_clip(self):
        rows = with_nothing([faithfulness_drops([0.1, 0.5])], drop=[0.05, -0.1])
        relevant, nothing = (rows[rows["removal"] == name] for name in ("relevant", "nothing"))
        assert net_drops(relevant, nothing)["value"].tolist() == pytest.approx([0.05, 0.6])
        with pytest.raises(InputError, match="without partner"):
            net_drops(relevant, nothing[:1])

    def test_values_are_those_of_the_column(self):
        rows = values(faithfulness_drops([0.1], n_removed=7), "n_removed")
        assert rows["value"].tolist() == [7]
        assert {"fold", "run", "draw", "source", "clip"} <= set(rows)
