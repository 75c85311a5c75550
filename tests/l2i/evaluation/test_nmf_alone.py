"""l2i.evaluation.nmf_alone: components that explain a class by the labels alone."""

import numpy as np
import pytest
import torch
from scipy.optimize import nnls
from torch.testing import assert_close

from l2i.evaluation.nmf_alone import activations, class_shares, relevances


def test_activations_are_the_best_of_the_objective(generator):
    W = torch.rand(30, 5, generator=generator)
    W, X, mu = W / W.norm(dim=0), torch.rand(30, 12, generator=generator), 0.8
    H = activations(X, W, sparsity=mu)
    assert H.shape == (5, 12) and (H >= 0).all() and (H == 0).any() and (H > 0).any()
    # The penalty moved into the data makes it a problem without one, for another solver.
    D = W.double().numpy()
    moved = X.double().numpy() - mu * (D @ np.linalg.inv(D.T @ D)).sum(1, keepdims=True)
    twin = np.stack([nnls(D, x)[0] for x in moved.T], axis=1)
    assert H.numpy() == pytest.approx(twin, abs=1e-3)


def test_a_class_has_the_share_of_its_mean_clip():
    pooled = [torch.tensor(z) for z in ([4.0, 0.0, 0.0], [2.0, 0.0, 0.0], [1.0, 5.0, 0.0])]
    shares = class_shares(pooled, torch.tensor([0, 0, 1]), 3)
    expected = torch.tensor([[0.75, 0.0, 0.0], [0.25, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert_close(shares, expected.double())


def test_a_component_is_relevant_by_its_activation_times_the_share_of_the_class():
    H = torch.tensor([[0.0, 2.0], [3.0, 1.0], [4.0, 4.0]])  # means 1, 2, 4
    r = relevances(H, torch.tensor([1.0, 0.25, 0.0], dtype=torch.float64))
    assert_close(r, torch.tensor([1.0, 0.5, 0.0]))
    assert not relevances(0 * H, torch.ones(3)).any()
