"""l2i.evaluation.random_removals: components drawn to be removed instead of the relevant ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.evaluation.random_removals import draw_any, draw_energy, draw_unselected


class TestRandomBaselines:
    L = np.array([True, False, True, False, False, False])

    def test_the_papers_baseline_avoids_relevant_components(self):
        for seed in range(20):
            mask = draw_unselected(self.L, 3, np.random.default_rng(seed))
            assert mask.sum() == 3 and not (mask & self.L).any()

    def test_it_takes_all_that_is_left_where_more_is_asked_for(self):
        mask = draw_unselected(self.L, 9, np.random.default_rng(0))
        assert (mask == ~self.L).all()

    def test_the_codes_baseline_may_hit_relevant_components(self):
        masks = [draw_any(self.L, 3, np.random.default_rng(seed)) for seed in range(20)]
        assert all(mask.sum() == 3 for mask in masks)
        assert any((mask & self.L).any() for mask in masks)

    @settings(deadline=None)
    @given(st.lists(st.floats(0.01, 10), min_size=6, max_size=6), st.integers(0, 99))
    def test_matched_energy_is_reached_with_no_component_to_spare(self, energies, seed):
        energies = np.array(energies)
        mask = draw_energy(self.L, energies, np.random.default_rng(seed))
        assert not (mask & self.L).any()
        goal = energies[self.L].sum()
        if energies[~self.L].sum() >= goal:
            order = np.random.default_rng(seed).permutation(np.flatnonzero(~self.L))
            last = [k for k in order if mask[k]][-1]
            assert energies[mask].sum() >= goal > energies[mask].sum() - energies[last] - 1e-9
        else:
            assert (mask == ~self.L).all()

    def test_a_selection_without_energy_is_matched_by_nothing(self):
        energies = np.where(self.L, 0.0, 1.0)
        assert not draw_energy(self.L, energies, np.random.default_rng(0)).any()

    def test_an_empty_selection_is_matched_by_an_empty_draw(self):
        nothing = np.zeros(4, dtype=bool)
        assert not draw_energy(nothing, np.ones(4), np.random.default_rng(0)).any()


@pytest.mark.parametrize("seed", [0, 1])
def test_draws_repeat_with_their_seed(seed):
    L = np.zeros(50, dtype=bool)
    draws = [draw_any(L, 5, np.random.default_rng(seed)) for _ in range(2)]
    assert (draws[0] == draws[1]).all()
