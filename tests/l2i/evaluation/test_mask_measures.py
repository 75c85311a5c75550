"""l2i.evaluation.mask_measures: known answers, and each definition written out in loops."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from l2i.evaluation.mask_measures import (
    area,
    complexity,
    relative_drop,
    relative_gain,
    sparseness,
)

PROBABILITY = st.floats(0, 1, width=32)
CELLS = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=12)


def drop_and_gain(p, p_in):
    values = (torch.tensor(float(each), dtype=torch.float64) for each in (p, p_in))
    before, inside = values
    return relative_drop(before, inside).item(), relative_gain(before, inside).item()


class TestDropAndGain:
    @pytest.mark.parametrize(
        ("p", "p_in", "drop", "gain"),
        [
            (0.8, 0.2, 0.75, 0.0),
            (0.8, 0.9, 0.0, 0.5),
            (0.5, 0.5, 0.0, 0.0),
            (1.0, 1.0, 0.0, 0.0),  # nothing can be won
            (0.0, 0.0, 0.0, 0.0),  # nothing can be lost
            (1.0, 0.0, 1.0, 0.0),
            (0.0, 1.0, 0.0, 1.0),
        ],
    )
    def test_known_answers(self, p, p_in, drop, gain):
        assert drop_and_gain(p, p_in) == pytest.approx((drop, gain))

    @given(PROBABILITY, PROBABILITY)
    def test_as_defined(self, p, p_in):
        drop = (p - p_in) / p if p_in < p else 0.0
        gain = (p_in - p) / (1 - p) if p_in > p else 0.0
        assert drop_and_gain(p, p_in) == pytest.approx((drop, gain))

    @given(PROBABILITY, PROBABILITY)
    def test_both_are_shares_and_one_of_them_is_0(self, p, p_in):
        drop, gain = drop_and_gain(p, p_in)
        assert 0 <= drop <= 1 and 0 <= gain <= 1 and drop * gain == 0


class TestSparseness:
    @pytest.mark.parametrize("n", [1, 2, 10])
    def test_one_cell_has_all_but_1_over_n_and_equal_cells_nothing(self, n):
        one = torch.zeros(n)
        one[n // 2] = 0.3
        assert sparseness(one) == pytest.approx(1 - 1 / n)
        assert sparseness(torch.full((n,), 0.3)) == pytest.approx(0, abs=1e-12)

    def test_an_empty_mask_counts_as_the_faintest_uniform_one(self):
        assert sparseness(torch.zeros(2, 3)) == 0

    @given(CELLS)
    def test_it_is_half_the_relative_mean_difference_of_all_pairs(self, cells):
        if not sum(cells) > 0:
            return
        n = len(cells)
        differences = sum(abs(a - b) for a in cells for b in cells)
        twin = differences / (2 * n * sum(cells))
        assert sparseness(torch.tensor(cells)) == pytest.approx(twin, abs=1e-9)

    @given(CELLS, st.floats(0.1, 10))
    def test_it_depends_on_neither_scale_nor_order(self, cells, factor):
        x = torch.tensor(cells, dtype=torch.float64)
        assert sparseness(factor * x.flip(0)) == pytest.approx(sparseness(x), abs=1e-9)


class TestComplexity:
    @pytest.mark.parametrize("n", [1, 2, 10])
    def test_one_cell_has_none_and_equal_cells_log_n(self, n):
        one = torch.zeros(n)
        one[n // 2] = 0.3
        assert complexity(one) == pytest.approx(0, abs=1e-12)
        assert complexity(torch.full((n, 2), 0.3)) == pytest.approx(math.log(2 * n))

    def test_an_empty_mask_counts_as_the_faintest_uniform_one(self):
        assert complexity(torch.zeros(2, 3)) == pytest.approx(math.log(6))

    @given(CELLS)
    def test_as_defined(self, cells):
        total = sum(cells)
        if not total > 0:
            return
        twin = 0.0
        for cell in cells:
            if cell > 0:
                twin -= cell / total * math.log(cell / total)
        assert complexity(torch.tensor(cells)) == pytest.approx(twin, abs=1e-9)


class TestArea:
    def test_known_answers(self):
        flat, rising = torch.tensor([0.4, 0.4, 0.4]), torch.tensor([0.0, 0.5, 1.0])
        shares = torch.tensor([0.0, 0.5, 1.0])
        assert area(shares, flat) == pytest.approx(0.4)
        assert area(shares, rising) == pytest.approx(0.5)

    def test_steps_that_hold_nothing_count_for_nothing(self):
        shares, p = torch.tensor([0.0, 0.0, 1.0]), torch.tensor([1.0, 0.0, 0.0])
        assert area(shares, p) == 0

    @given(st.lists(st.tuples(PROBABILITY, PROBABILITY), min_size=2, max_size=9))
    def test_it_is_the_sum_of_trapezoids(self, points):
        points = sorted(points)
        twin = 0.0
        for (x, p), (next_x, next_p) in zip(points, points[1:], strict=False):
            twin += (next_x - x) * (p + next_p) / 2
        shares, p = torch.tensor(points, dtype=torch.float64).T
        assert area(shares, p) == pytest.approx(twin, abs=1e-9)
