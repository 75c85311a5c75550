"""l2i.evaluation.attributed_cells: a classifier that hears one band alone."""

import pytest
import torch

from helpers.known_networks import FRONT_END, HIGH, LOW, known_pair, tones
from l2i.evaluation.attributed_cells import by_attribution
from l2i.evaluation.masked_explanations import energy_share
from l2i.evaluation.masked_scores import Scorer
from l2i.evaluation.removal_operators import LOG_MAGNITUDE
from l2i.interpretation import attributions
from l2i.interpretation.attributions import INTEGRATED_GRADIENTS, Attributions

N_SAMPLES = 512 * 130 + 100  # ends between two hops


@pytest.fixture
def network():
    return known_pair().classifier


@pytest.fixture
def clip(network):
    scorer = Scorer(network, network, FRONT_END, [LOG_MAGNITUDE], 0)
    x = tones(N_SAMPLES, 0.5, 0.5)
    return scorer.hear("a-clip", FRONT_END.log_mel(FRONT_END.stft(x)), x)


def explained(network, clip, classes=(0, 1), n_steps=4):
    settings = Attributions(n_steps=8, layer="B5")
    explain = by_attribution(INTEGRATED_GRADIENTS, network, FRONT_END, settings, n_steps=n_steps)
    return explain(clip, classes)


def test_a_class_claims_the_tone_that_it_is_and_its_opposite_nothing(network, clip):
    low, not_low = (each.mask for each in explained(network, clip).values())
    assert low.shape == clip.S.shape and low.dtype == torch.float64 and low.max() == 1
    of_low, of_high = (low[b - 20 : b + 21].sum() for b in (LOW, HIGH))
    assert of_low > 0.99 * low.sum() and of_high < 1e-6 * low.sum()
    assert not not_low.any()


def test_masks_grow_from_nothing_to_all_by_equal_shares_of_energy(network, clip):
    growing = explained(network, clip, [0])[0].growing
    assert not growing[0].any() and growing[-1].all() and (growing.diff(dim=0) >= 0).all()
    shares = energy_share(clip.X, growing)
    assert shares.tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=0.01)


def test_what_is_explained_is_what_was_decided_on(network, clip, monkeypatch):
    """Not the frame more that whole hops add."""
    heard = []

    def watched(classifier, X, *given, real=attributions.integrated_gradients, **settings):
        heard.append(X)
        return real(classifier, X, *given, **settings)

    monkeypatch.setattr(attributions, "integrated_gradients", watched)
    explained(network, clip, [0])
    (X,) = heard
    assert X.shape[1] == len(clip.M) == clip.S.shape[1] - 1 and X.dtype == torch.float32
    assert torch.allclose(FRONT_END.log_mel(torch.expm1(X)), clip.M, atol=1e-2)
