"""l2i.evaluation.masked_explanations: what explanations claim, and in which order."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from l2i.evaluation.masked_explanations import (
    cuts,
    energy_share,
    of_cells,
    of_components,
    of_segments,
)
from l2i.interpretation.relevance import soft_masked

N_BINS, N_FRAMES, K = 5, 8, 4


@pytest.fixture
def X(generator):
    return torch.rand(N_BINS, N_FRAMES, generator=generator, dtype=torch.float64)


@pytest.fixture
def factors(generator):
    return torch.rand(N_BINS, K, generator=generator), torch.rand(K, N_FRAMES, generator=generator)


def nearest(energy, n_steps):
    """Steps by looking at every number of pieces."""
    found = []
    for k in range(n_steps + 1):
        goal = energy[-1] * k / n_steps
        distances = [abs(each - goal) for each in energy]
        found.append(distances.index(min(distances)))
    return [0, *found[1:-1], len(energy) - 1]


def require_growing(explanation, n_steps):
    growing = explanation.growing
    assert growing.shape == (n_steps + 1, N_BINS, N_FRAMES)
    assert growing.dtype == explanation.mask.dtype == torch.float64
    assert (growing[0] == 0).all() and (growing[-1] == 1).all()
    assert (growing.diff(dim=0) >= -1e-12).all()
    assert explanation.mask.min() >= 0 and explanation.mask.max() <= 1


class TestCuts:
    def test_equal_pieces_are_shared_out_equally(self):
        assert cuts(torch.arange(9.0), 4) == [0, 2, 4, 6, 8]

    def test_a_piece_that_holds_several_steps_is_taken_once(self):
        assert cuts(torch.tensor([0.0, 90.0, 95.0, 100.0]), 4) == [0, 0, 1, 1, 3]

    def test_without_any_energy_the_first_step_takes_all(self):
        assert cuts(torch.zeros(4), 3) == [0, 3, 3, 3]

    @given(st.lists(st.integers(1, 1000), min_size=1, max_size=9), st.integers(1, 6))
    def test_each_step_is_the_nearest_of_all(self, pieces, n_steps):
        energy = np.concatenate([[0], np.cumsum(pieces)]).astype(float)
        found = cuts(torch.from_numpy(energy), n_steps)
        goals = energy[-1] * np.arange(n_steps + 1) / n_steps
        twin = nearest(energy, n_steps)
        # Where two are as near, either will do.
        assert np.abs(energy[found] - goals) == pytest.approx(np.abs(energy[twin] - goals))
        assert found[0] == 0 and found[-1] == len(pieces) and found == sorted(found)


class TestComponents:
    def test_the_mask_is_the_soft_mask_of_those_above_the_threshold(self, X, factors):
        W, H = factors
        r = torch.tensor([0.5, -1.0, 0.05, 0.2])
        explanation = of_components(X, W, H, r, threshold=0.1, n_steps=3)
        selected = torch.tensor([True, False, False, True])
        taken = soft_masked(X, W.double(), H.double(), selected)
        torch.testing.assert_close(explanation.mask * X, taken)
        require_growing(explanation, 3)

    def test_they_grow_in_falling_relevance_by_equal_energy(self, X, factors):
        W, H = (each.double() for each in factors)
        r = torch.tensor([0.5, -1.0, 0.05, 0.2])
        explanation = of_components(X, W, H, r, threshold=0.1, n_steps=5)
        energies, masks = [], []
        for n in range(K + 1):
            mask = torch.zeros(N_BINS, N_FRAMES, dtype=torch.float64)
            for k in [0, 3, 2, 1][:n]:
                for f in range(N_BINS):
                    for t in range(N_FRAMES):
                        model = sum(W[f, j] * H[j, t] for j in range(K))
                        mask[f, t] += W[f, k] * H[k, t] / model
            masks.append(mask)
            energies.append(float((mask * X).square().sum()))
        for place, step in zip(nearest(energies, 5), explanation.growing, strict=True):
            torch.testing.assert_close(step, masks[place])

    def test_cells_that_no_component_owns_come_last(self, X, factors):
        W, H = factors
        W[2] = 0
        explanation = of_components(X, W, H, torch.ones(K), threshold=0.1, n_steps=3)
        assert (explanation.mask[2] == 0).all() and (explanation.growing[:-1, 2] == 0).all()
        require_growing(explanation, 3)

    def test_none_above_the_threshold_claim_nothing(self, X, factors):
        explanation = of_components(X, *factors, torch.zeros(K), threshold=0.1, n_steps=2)
        assert (explanation.mask == 0).all()
        require_growing(explanation, 2)

    def test_a_frame_more_than_the_activations_have_takes_those_of_the_last(self, X, factors):
        W, H = factors
        r = torch.tensor([0.5, -1.0, 0.05, 0.2])
        short = of_components(X, W, H[:, :-1], r, threshold=0.1, n_steps=2)
        longer = torch.cat([H[:, :-1], H[:, -2:-1]], 1)
        whole = of_components(X, W, longer, r, threshold=0.1, n_steps=2)
        torch.testing.assert_close(short.mask, whole.mask)


class TestSegments:
    BORDERS = np.array([0, 2, 4, 7])

    def explain(self, X, n_steps=3):
        return of_segments(X, self.BORDERS, np.array([0.1, -0.2, 0.3]), [2], n_steps=n_steps)

    def test_the_mask_is_1_in_the_frames_of_those_that_are_kept(self, X):
        mask = self.explain(X).mask
        assert (mask[:, :4] == 0).all()
        assert (mask[:, 4:] == 1).all()  # with the frame that no border reaches

    def test_they_grow_in_falling_weight_by_equal_energy(self, X):
        explanation = self.explain(X, 4)
        require_growing(explanation, 4)
        frames = [[], [4, 5, 6, 7], [4, 5, 6, 7, 0, 1], [*range(8)]]
        energies = [float(X[:, each].square().sum()) for each in frames]
        for place, step in zip(nearest(energies, 4), explanation.growing, strict=True):
            expected = torch.zeros_like(X)
            expected[:, frames[place]] = 1
            assert torch.equal(step, expected)


class TestCells:
    def test_the_mask_is_what_speaks_for_the_class_over_the_largest(self, X, generator):
        attribution = torch.randn(N_BINS, N_FRAMES, generator=generator)
        explanation = of_cells(X, attribution, n_steps=3)
        for f in range(N_BINS):
            for t in range(N_FRAMES):
                twin = max(0.0, float(attribution[f, t])) / float(attribution.max())
                assert float(explanation.mask[f, t]) == pytest.approx(twin, abs=1e-6)

    def test_cells_grow_in_falling_attribution_by_equal_energy(self, X, generator):
        attribution = torch.randn(N_BINS, N_FRAMES, generator=generator)
        explanation = of_cells(X, attribution, n_steps=4)
        require_growing(explanation, 4)
        order = sorted(range(X.numel()), key=lambda i: -float(attribution.flatten()[i]))
        energies = [0.0]
        for i in order:
            energies.append(energies[-1] + float(X.flatten()[i]) ** 2)
        for place, step in zip(nearest(energies, 4), explanation.growing, strict=True):
            assert sorted(step.flatten().nonzero()[:, 0].tolist()) == sorted(order[:place])

    def test_where_nothing_speaks_for_the_class_the_mask_is_empty(self, X):
        explanation = of_cells(X, -torch.ones_like(X), n_steps=2)
        assert (explanation.mask == 0).all()
        require_growing(explanation, 2)


class TestEnergy:
    def test_it_is_the_square_of_what_the_mask_takes(self, X, generator):
        masks = torch.rand(2, N_BINS, N_FRAMES, generator=generator, dtype=torch.float64)
        for mask, share in zip(masks, energy_share(X, masks), strict=True):
            taken = sum(
                (float(m) * float(x)) ** 2 for m, x in zip(mask.ravel(), X.ravel(), strict=True)
            )
            assert float(share) == pytest.approx(taken / float((X**2).sum()))

    def test_silence_has_none(self):
        X = torch.zeros(2, 2, dtype=torch.float64)
        assert energy_share(X, torch.ones(1, 2, 2)).item() == 0
