"""l2i.interpretation.relevance: cases small enough to check on paper, and what must always hold."""

import torch
from torch.testing import assert_close

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

    def test_several_selections_at_once_are_each_their_own(self, generator):
        W, H = torch.rand(7, 4, generator=generator), torch.rand(4, 5, generator=generator)
        X = torch.rand(7, 5, generator=generator)
        L = torch.rand(3, 4, generator=generator) > 0.5
        assert_close(soft_masked(X, W, H, L), torch.stack([soft_masked(X, W, H, one) for one in L]))

    def test_single_parts_add_up_to_the_input_and_stay_within_it(self, generator):
        W, H = torch.rand(7, 4, generator=generator), torch.rand(4, 5, generator=generator)
        X = torch.rand(7, 5, generator=generator)
        parts = soft_masked(X, W, H, torch.eye(4).bool())
        assert_close(parts.sum(0), X)
        assert (parts >= 0).all() and (parts <= X + 1e-6).all()

    def test_energies_are_those_of_the_parts(self, generator):
        W, H = torch.rand(7, 4, generator=generator), torch.rand(4, 5, generator=generator)
        X = torch.rand(7, 5, generator=generator)
        by_hand = soft_masked(X, W, H, torch.eye(4).bool()).square().sum((1, 2))
        assert_close(component_energies(X, W, H), by_hand)
