"""l2i.interpretation.relevance: cases small enough to check on paper, and what must always hold."""

import pytest
import torch
from torch.testing import assert_close

from l2i.interpretation.relevance import component_products, relevance, select, soft_masked

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

    @pytest.mark.parametrize("n_frames", [1, 2, 99])
    def test_products_are_those_of_the_parts_however_many_frames_at_a_time(
        self, generator, n_frames
    ):
        W, H = torch.rand(7, 4, generator=generator), torch.rand(4, 5, generator=generator)
        X = torch.rand(7, 5, generator=generator)
        parts = soft_masked(X, W, H, torch.eye(4).bool()).flatten(1)
        products = component_products(X, W, H, n_frames=n_frames)
        assert_close(products, (parts @ parts.T).double())

    def test_what_parts_have_in_common_counts_towards_their_energy_together(self, generator):
        W, H = torch.rand(7, 4, generator=generator), torch.rand(4, 5, generator=generator)
        X = torch.rand(7, 5, generator=generator)
        products = component_products(X, W, H)
        assert_close(products.sum(), X.double().square().sum())
        assert products.trace() < 0.5 * products.sum()  # as the sum of single energies had it
        some = torch.tensor([True, False, True, False])
        together = soft_masked(X, W, H, some).square().sum().double()
        assert_close(products[some][:, some].sum(), together)

    def test_silence_has_no_energy(self):
        assert_close(component_products(0 * X, W, 0 * H), torch.zeros(2, 2, dtype=torch.float64))
