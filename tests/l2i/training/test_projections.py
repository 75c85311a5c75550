"""l2i.training.projections: the reconstruction error without its reconstruction."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from helpers.small_networks import random_dictionary, random_features
from l2i.training import cached_rows as cached_rows_module
from l2i.training import losses
from l2i.training.projections import Projections


@pytest.fixture
def W(generator):
    return random_dictionary(generator)


@pytest.fixture
def features(generator):
    return random_features(generator)


class TestProjections:
    @pytest.mark.parametrize("place", ["cpu", "scratch file"])
    def test_error_and_gradient_are_those_of_the_formed_estimate(
        self, W, generator, features, tmp_path, monkeypatch, place
    ):
        if place == "scratch file":
            monkeypatch.setattr(cached_rows_module, "free_memory", lambda device: 0)
        rows, batch = np.array([7, 1, 4]), torch.tensor([2, 0])
        projections = Projections(W, features[1], rows, scratch=tmp_path)
        H = torch.rand(2, 6, 150, generator=generator, requires_grad=True)
        short = projections.reconstruction(batch, H)
        plain = losses.reconstruction(torch.from_numpy(features[1][[4, 7]]), W @ H)
        assert_close(short, plain)
        assert_close(*(torch.autograd.grad(loss.sum(), H)[0] for loss in (short, plain)))

    def test_an_exact_factorisation_has_no_error(self, W, generator, tmp_path):
        H = torch.rand(3, 6, 20, generator=generator)
        projections = Projections(W, (W @ H).numpy(), np.arange(3), scratch=tmp_path)
        assert projections.reconstruction(torch.arange(3), H).abs().max() < 1e-6
