"""Relevance: hand-made cases small enough to check on paper, and what must always hold."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from l2i.evaluation.random_removals import draw_any, draw_energy, draw_unselected
from l2i.interpretation.relevance import component_energies, relevance, select, soft_masked

# Two components on separate bins: component 0 owns bin 0, component 1 owns bin 1.
W = torch.eye(2)
H = torch.tensor([[1.0, 2.0, 0.0], [3.0, 0.0, 1.0]])
X = W @ H


class TestRelevance:
    def test_it_is_signed_and_peaks_at_one(self):
        z, w = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2.0, -2.0, 0.5])
        assert_close(relevance(z * w), torch.tensor([0.5, -1.0, 0.5]))

    def test_the_signed_scale_of_the_authors_code_divides_by_the_largest_value(self):
        z, w = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2.0, -2.0, 0.5])
        assert_close(relevance(z * w, scale="signed"), torch.tensor([1.0, -2.0, 1.0]))

    def test_where_all_contributions_are_negative_only_the_signed_scale_turns_them_around(self):
        z, w = torch.ones(2), torch.tensor([-1.0, -4.0])
        assert_close(relevance(z * w), torch.tensor([-0.25, -1.0]))
        assert_close(relevance(z * w, scale="signed"), torch.tensor([1.0, 4.0]))

    def test_the_signed_scale_stays_finite_where_the_largest_contribution_is_zero(self):
        r = relevance(torch.tensor([0.0, -1.0]), scale="signed")
        assert_close(r, torch.tensor([0.0, -1.0]))

    def test_a_silent_clip_has_no_relevant_component(self):
        r = relevance(torch.zeros(3))
        assert not select(r, 0.1).any() and r.isfinite().all()

    def test_a_batch_is_normalised_clip_by_clip(self):
        z = torch.tensor([[1.0, 2.0], [10.0, 5.0]])
        assert_close(relevance(z), torch.tensor([[0.5, 1.0], [1.0, 0.5]]))

    def test_selection_is_strictly_above_the_threshold(self):
        assert select(torch.tensor([0.1, 0.11, -1.0]), 0.1).tolist() == [False, True, False]


class TestParts:
    def test_a_component_takes_only_what_it_owns(self):
        assert_close(
            soft_masked(X, W, H, torch.tensor([True, False])), torch.stack([X[0], torch.zeros(3)])
        )

    def test_nothing_selected_takes_nothing_and_everything_takes_all(self):
        assert_close(soft_masked(X, W, H, torch.zeros(2, dtype=torch.bool)), 0 * X)
        assert_close(soft_masked(X, W, H, torch.ones(2, dtype=torch.bool)), X)

    def test_where_the_model_is_silent_nobody_owns_the_input(self):
        taken = soft_masked(torch.ones(2, 3), W, 0 * H, torch.ones(2, dtype=torch.bool))
        assert_close(taken, torch.zeros(2, 3))

    def test_several_selections_at_once_are_each_their_own(self, rng):
        W, H = torch.rand(7, 4, generator=rng), torch.rand(4, 5, generator=rng)
        X = torch.rand(7, 5, generator=rng)
        L = torch.rand(3, 4, generator=rng) > 0.5
        assert_close(soft_masked(X, W, H, L), torch.stack([soft_masked(X, W, H, one) for one in L]))

    def test_single_parts_add_up_to_the_input_and_stay_within_it(self, rng):
        W, H = torch.rand(7, 4, generator=rng), torch.rand(4, 5, generator=rng)
        X = torch.rand(7, 5, generator=rng)
        parts = soft_masked(X, W, H, torch.eye(4).bool())
        assert_close(parts.sum(0), X)
        assert (parts >= 0).all() and (parts <= X + 1e-6).all()

    def test_energies_are_those_of_the_parts(self, rng):
        W, H = torch.rand(7, 4, generator=rng), torch.rand(4, 5, generator=rng)
        X = torch.rand(7, 5, generator=rng)
        by_hand = soft_masked(X, W, H, torch.eye(4).bool()).square().sum((1, 2))
        assert_close(component_energies(X, W, H), by_hand)


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
