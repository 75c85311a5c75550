"""l2i.training.losses: known values, extreme logits, and labels that nobody has given."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from l2i.training import losses


class TestLosses:
    def test_fidelity_of_a_perfect_copy_is_the_entropy_of_the_reference(self):
        logits = torch.tensor([[2.0, 0.0, -1.0]])
        p = logits.softmax(-1)
        assert_close(losses.fidelity(p, logits), -(p * p.log()).sum(-1))

    def test_fidelity_is_a_sum_over_classes(self):
        p = torch.tensor([[0.25, 0.75]])
        by_hand = -(0.25 * np.log(0.5) + 0.75 * np.log(0.5))
        assert losses.fidelity(p, torch.zeros(1, 2)).item() == pytest.approx(by_hand)

    def test_fidelity_survives_extreme_logits(self):
        value = losses.fidelity(torch.tensor([[1.0, 0.0]]), torch.tensor([[-1e4, 1e4]]))
        assert value.isfinite().all() and value.item() == pytest.approx(2e4)

    def test_fidelity_to_several_labels_is_a_mean_over_classes_of_soft_targets(self):
        p, logits = torch.tensor([[0.25, 1.0]]), torch.tensor([[0.0, 40.0]])
        value = losses.fidelity(p, logits, multi_label=True).item()
        assert value == pytest.approx(np.log(2) / 2)

    def test_fidelity_to_several_labels_survives_extreme_logits(self):
        value = losses.fidelity(
            torch.tensor([[1.0, 0.0]]), torch.tensor([[-1e4, 1e4]]), multi_label=True
        )
        assert value.item() == pytest.approx(1e4)

    def test_labels_that_nobody_has_given_weigh_nothing(self):
        loss = losses.classification(True)
        logits = torch.tensor([[0.0, 3.0], [1.0, -50.0]], requires_grad=True)
        targets = torch.tensor([[1.0, torch.nan], [torch.nan, torch.nan]])
        value = loss(logits, targets)
        assert value.item() == pytest.approx(np.log(2))
        (gradient,) = torch.autograd.grad(value, logits)
        assert_close(gradient, torch.tensor([[-0.5, 0.0], [0.0, 0.0]]))
        assert loss(logits, torch.full((2, 2), torch.nan)).item() == 0

    def test_positives_can_weigh_more_class_by_class(self):
        loss = losses.classification(True, torch.tensor([3.0, 1.0]))
        one, none = torch.tensor([[1.0, 1.0]]), torch.zeros(1, 2)
        assert loss(none, one).item() == pytest.approx(2 * np.log(2))  # (3 + 1) / 2
        assert loss(none, none).item() == pytest.approx(np.log(2))

    def test_reconstruction_and_sparsity_are_means_over_elements(self):
        X = torch.zeros(1, 4, 5)
        assert losses.reconstruction(X, X + 2).tolist() == [4.0]
        assert losses.sparsity(X[:, :2] + 3).tolist() == [3.0]
