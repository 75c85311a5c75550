"""l2i.evaluation.component_use: shares, relevances and correlations that are known beforehand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from l2i.evaluation.component_use import (
    ComponentUse,
    energy_shares,
    measure_use,
    typical_clip,
)
from l2i.interpretation.relevance import EPS

N_BINS, K, N_FRAMES, C = 9, 4, 7, 3


def use_of(energy=None, classes=(), relevances=None):
    n = len(classes)
    return ComponentUse(
        energy=np.zeros((2, K)) if energy is None else np.asarray(energy),
        peak=np.ones((2, K)),
        correlation=np.eye(K),
        clips=np.arange(n),
        classes=np.asarray(classes, int),
        relevances=np.zeros((n, K)) if relevances is None else np.asarray(relevances),
    )


class TestEnergy:
    def test_components_in_bins_of_their_own_hold_what_is_there(self):
        W, H = torch.eye(K), torch.rand(K, N_FRAMES) + 0.1
        P = torch.rand(K, N_FRAMES)
        assert energy_shares(P, W, H) == pytest.approx(P.sum(1) / P.sum())

    def test_it_is_the_energy_that_soft_masks_let_through(self):
        generator = torch.Generator().manual_seed(0)
        W, H, P = (
            torch.rand(shape, generator=generator)
            for shape in ((N_BINS, K), (K, N_FRAMES), (N_BINS, N_FRAMES))
        )
        masks = torch.stack([torch.outer(W[:, k], torch.ones(N_FRAMES)) * H[k] for k in range(K)])
        expected = (P * masks / masks.sum(0)).sum((1, 2)) / P.sum()
        found = energy_shares(P, W, H)
        assert found == pytest.approx(expected, rel=1e-5)
        assert float(found.sum()) == pytest.approx(1, rel=1e-5)

    def test_what_no_component_explains_belongs_to_none(self):
        W, P = torch.zeros(2, K), torch.ones(2, N_FRAMES)
        W[0] = 1
        assert float(energy_shares(P, W, torch.ones(K, N_FRAMES)).sum()) == pytest.approx(0.5)
        assert energy_shares(P, W, torch.zeros(K, N_FRAMES)).tolist() == [0] * K

    def test_a_silent_clip_gives_nothing(self):
        found = energy_shares(torch.zeros(N_BINS, 3), torch.rand(N_BINS, K), torch.rand(K, 3))
        assert found.tolist() == [0] * K


class TestTypicalClip:
    def test_it_is_the_median_of_the_foremost_tenth(self):
        energy = np.random.default_rng(0).permutation(50) / 50
        assert energy[typical_clip(energy)] == 47 / 50  # of 49, 48, 47, 46, 45

    def test_of_few_clips_it_is_the_foremost(self):
        assert typical_clip(np.array([0.1, 0.3, 0.2])) == 1

    def test_clips_in_which_it_is_silent_do_not_count(self):
        energy = np.zeros(50)
        energy[[7, 9]] = 0.1, 0.2
        assert typical_clip(energy) == 9
        assert typical_clip(np.zeros(50)) is None


class TestUse:
    relevances = ([1.0, 0.2, 0.0, -1.0], [0.5, 0.0, 0.05, -0.2], [0.0, 1.0, 0.3, 0.1])

    def test_means_and_rates_are_over_the_decisions_for_a_class(self):
        use = use_of(classes=[0, 0, 2], relevances=self.relevances)
        assert use.n_decisions(C).tolist() == [2, 0, 1]
        means, rates = use.mean_relevance(C), use.selection_rate(C, 0.1)
        assert means[0] == pytest.approx([0.75, 0.1, 0.025, -0.6])
        assert rates[0].tolist() == [1, 0.5, 0, 0]
        assert np.isnan(means[1]).all() and means[2].tolist() == [0, 1, 0.3, 0.1]
        assert use.n_selected(0.1).tolist() == [2, 2, 1, 0]

    def test_classes_that_use_a_component_come_with_the_most_relevant_first(self):
        use = use_of(classes=[0, 0, 2], relevances=self.relevances)
        assert use.uses(1, C, 0.05) == [(2, 1, 1), (0, pytest.approx(0.1), 0.5)]
        assert use.uses(1, C, 0.1) == [(2, 1, 1)]
        assert use.uses(3, C, 0.1) == []

    def test_no_decision_at_all_is_legal(self):
        use = use_of()
        assert use.uses(0, C, 0.1) == [] and use.n_selected(0.1).tolist() == [0] * K

    def test_the_strongest_clips_hold_something(self):
        use = use_of(energy=[[0.1, 0, 0.5, 0], [0.3, 0, 0, 0]])
        assert use.strongest(0, 5) == [(1, 0.3), (0, 0.1)]
        assert use.strongest(0, 1) == [(1, 0.3)]
        assert use.strongest(1, 5) == [] and use.strongest(2, 5) == [(0, 0.5)]


class Planted:
    """Networks that find planted activations, and decide for the classes that are planted."""

    def __init__(self, W, H, decided, relevances):
        self.interpreter = SimpleNamespace(W=W)
        self.classifier = SimpleNamespace(decisions=lambda logits: logits > 0)
        self.H, self.decided, self.given = H, decided, relevances

    def explain(self, M, n_frames):
        i = int(M[0, 0, 0])
        assert n_frames == N_FRAMES
        return self.decided[i][None].float(), SimpleNamespace(H=self.H[i][None], i=i)

    def relevances(self, interpretation):
        return self.given[interpretation.i][None]


@pytest.fixture
def planted():
    """Measure three clips, of which the second has no decision; component 3 is never active."""
    generator = torch.Generator().manual_seed(3)

    def run(order=range(K)):
        order = list(order)
        W = torch.eye(N_BINS)[:, :K]
        H = torch.rand(3, K, N_FRAMES, generator=generator.manual_seed(3))
        H[:, 3], H[:, 1] = 0, 2 * H[:, 0]
        X = torch.log1p(torch.rand(3, N_BINS, N_FRAMES, generator=generator))
        decided = torch.tensor([[1, 0, 1], [0, 0, 0], [0, 1, 0]])
        relevances = torch.rand(3, C, K, generator=generator)
        M = torch.arange(3.0)[:, None, None].expand(3, N_FRAMES, 2)
        recordings = SimpleNamespace(log_mel=M.numpy(), log_magnitude=X.numpy(), device="cpu")
        networks = Planted(W[:, order], H[:, order], decided, relevances[:, :, order])
        return measure_use(networks, recordings, [0, 1, 2]), X, H, relevances

    return run


class TestMeasuring:
    def test_clips_and_decisions_are_counted_once_each(self, planted):
        use, X, H, relevances = planted()
        P = torch.expm1(X).square()
        held = (P[:, :3].sum(2) / P.sum((1, 2))[:, None]).numpy()
        assert use.energy[:, :3] == pytest.approx(held, rel=1e-4)
        assert use.peak == pytest.approx(H.amax(2).numpy())
        assert use.clips.tolist() == [0, 0, 2] and use.classes.tolist() == [0, 2, 1]
        expected = torch.stack([relevances[0, 0], relevances[0, 2], relevances[2, 1]])
        assert use.relevances == pytest.approx(expected.numpy())

    def test_what_is_never_active_is_dead_and_correlates_with_nothing(self, planted):
        use, *_ = planted()
        assert use.dead.tolist() == [False, False, False, True]
        assert use.energy[:, 3].max() < EPS
        assert use.correlation[3].tolist() == [0, 0, 0, 1]

    def test_correlation_is_over_all_frames_of_all_clips(self, planted):
        use, _, H, _ = planted()
        frames = H.transpose(0, 1).reshape(K, -1).numpy()
        assert use.correlation[:3, :3] == pytest.approx(np.corrcoef(frames[:3]), abs=1e-6)
        assert use.correlation[0, 1] == pytest.approx(1)

    def test_permuted_columns_give_permuted_results(self, planted):
        order = [2, 0, 3, 1]
        use, permuted = planted()[0], planted(order)[0]
        assert permuted.energy == pytest.approx(use.energy[:, order])
        assert permuted.relevances == pytest.approx(use.relevances[:, order])
        assert permuted.dead.tolist() == use.dead[order].tolist()
        assert permuted.correlation == pytest.approx(use.correlation[np.ix_(order, order)])
