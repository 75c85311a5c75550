"""l2i.evaluation.random_removals: components drawn to be removed instead of the relevant ones."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.evaluation.random_removals import (
    TOLERANCE,
    draw_any,
    draw_energy,
    draw_unselected,
    energy_of,
    matches,
)

L = np.array([True, False, True, False, False, False])


class TestCountMatched:
    def test_the_papers_baseline_avoids_relevant_components(self):
        for seed in range(20):
            mask = draw_unselected(L, 3, np.random.default_rng(seed))
            assert mask.sum() == 3 and not (mask & L).any()

    def test_it_takes_all_that_is_left_where_more_is_asked_for(self):
        mask = draw_unselected(L, 9, np.random.default_rng(0))
        assert (mask == ~L).all()

    def test_the_codes_baseline_may_hit_relevant_components(self):
        masks = [draw_any(L, 3, np.random.default_rng(seed)) for seed in range(20)]
        assert all(mask.sum() == 3 for mask in masks)
        assert any((mask & L).any() for mask in masks)


def products_of(rng, n_components=10, spread=1.0):
    """Products of shares as they are: not negative, of unlike loudness, overlapping."""
    loudness = np.exp(spread * rng.normal(size=(n_components, 1)))
    shares = loudness * rng.random((n_components, 12)) * (rng.random((n_components, 12)) < 0.5)
    return shares @ shares.T


def subsets_of(mask):
    """All subsets of a mask, as masks."""
    for chosen in itertools.product([False, True], repeat=int(mask.sum())):
        subset = np.zeros_like(mask)
        subset[mask] = chosen
        yield subset


class TestMatchedInEnergy:
    def draw(self, L, G, seed=0):
        return draw_energy(L, G, np.random.default_rng(seed))

    def test_the_energy_of_a_set_is_that_of_the_sum(self):
        shares = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
        G = shares @ shares.T
        assert energy_of(np.array([True, True, False]), G) == 1 + 9 + 1
        assert energy_of(np.zeros(3, dtype=bool), G) == 0

    def test_components_that_overlap_are_not_counted_as_if_they_did_not(self):
        # Two that are alike hold four times the energy of one together, not twice.
        G = np.zeros((5, 5))
        G[0, 0] = 4.0
        G[1:, 1:] = 1.0
        mask = self.draw(np.array([True, False, False, False, False]), G)
        assert mask.sum() == 2 and energy_of(mask, G) == 4

    @settings(deadline=None, max_examples=50)
    @given(st.integers(0, 10_000), st.integers(1, 4))
    def test_it_is_outside_of_the_relevant_and_no_single_exchange_is_much_nearer(self, seed, n):
        rng = np.random.default_rng(seed)
        G = products_of(rng)
        L = rng.permutation(10) < n
        goal, mask = energy_of(L, G), self.draw(L, G, seed)
        assert not (mask & L).any()
        error = abs(energy_of(mask, G) - goal)
        taken, left = np.flatnonzero(mask), np.flatnonzero(~mask & ~L)
        for out, come in itertools.product([None, *taken], [None, *left]):
            other = mask.copy()
            other[[k for k in (out, come) if k is not None]] ^= True
            assert abs(energy_of(other, G) - goal) >= error - 0.011 * goal

    def test_a_set_is_found_wherever_there_is_one(self):
        possible = found = 0
        for seed in range(60):
            rng = np.random.default_rng(seed)
            G, L = products_of(rng), rng.permutation(10) < 3
            goal = energy_of(L, G)
            possible += any(matches(energy_of(subset, G), goal) for subset in subsets_of(~L))
            found += matches(energy_of(self.draw(L, G, seed), G), goal)
        assert 20 < possible < 60  # where it is impossible, nothing is claimed
        assert found == possible

    def test_sets_differ_from_draw_to_draw(self):
        rng = np.random.default_rng(0)
        G, L = products_of(rng, 60), np.arange(60) < 5
        masks = {self.draw(L, G, seed).tobytes() for seed in range(10)}
        assert len(masks) == 10
        assert (self.draw(L, G, 3) == self.draw(L, G, 3)).all()

    def test_where_the_others_hold_too_little_all_of_them_are_taken_and_do_not_match(self):
        G = np.diag([10.0, 1.0, 10.0, 1.0, 1.0, 1.0])
        mask = self.draw(L, G)
        assert (mask == ~L).all()
        assert not matches(energy_of(mask, G), energy_of(L, G))

    def test_where_every_piece_is_too_large_none_is_taken(self):
        assert not self.draw(L, np.diag([1.0, 9.0, 1.0, 9.0, 9.0, 9.0])).any()

    def test_a_selection_without_energy_is_matched_by_nothing(self):
        mask = self.draw(L, np.diag(np.where(L, 0.0, 1.0)))
        assert not mask.any() and matches(0.0, 0.0)

    def test_an_empty_selection_is_matched_by_an_empty_draw(self):
        assert not self.draw(np.zeros(4, dtype=bool), np.eye(4)).any()

    def test_energies_that_are_no_numbers_end_and_match_nothing(self):
        G = np.full((6, 6), np.nan)
        assert not matches(energy_of(self.draw(L, G), G), energy_of(L, G))

    def test_a_match_is_within_the_tolerance_on_both_sides(self):
        assert TOLERANCE == 0.2  # as the tables' legend says
        assert matches(np.array([0.79, 0.81, 1.19, 1.21]), 1.0).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("seed", [0, 1])
def test_draws_repeat_with_their_seed(seed):
    L = np.zeros(50, dtype=bool)
    draws = [draw_any(L, 5, np.random.default_rng(seed)) for _ in range(2)]
    assert (draws[0] == draws[1]).all()
