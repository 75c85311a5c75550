"""l2i.interpretation.attributions: known answers, and the same by hand."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

import l2i
from helpers.small_networks import small_classifier
from l2i.evaluation.masked_explanations import claimed
from l2i.features.spectral import FrontEnd, log_magnitude, mel_filters
from l2i.interpretation import attributions
from l2i.interpretation.attributions import (
    METHODS,
    Attributions,
    attributions_of,
    bins_of_bands,
    fitted,
    grad_cam,
    integrated_gradients,
    interpolation,
    on_spectrogram,
)
from l2i.networks.explainable import MapShape

RATE, N_FRAMES = 16_000, 160
FRONT_END = FrontEnd(sample_rate=RATE, n_fft=512, hop_length=256, n_mels=128, mel_power=1)
FILTERS = mel_filters(FRONT_END.n_bins, 128, RATE, "slaney").float()
N_SAMPLES = (N_FRAMES - 1) * FRONT_END.hop_length


def spectrogram(x: torch.Tensor) -> torch.Tensor:
    return log_magnitude(FRONT_END.stft(x))


@pytest.fixture(scope="module")
def noise() -> torch.Tensor:
    """Log-magnitude of noise, no band of which is 80 dB below the loudest."""
    return spectrogram(torch.randn(N_SAMPLES, generator=torch.Generator().manual_seed(0)) / 10)


@pytest.fixture(scope="module")
def burst() -> tuple[torch.Tensor, slice, slice]:
    """Log-magnitude of a tone in silence, and the bins and frames where it is."""
    x, t = torch.zeros(N_SAMPLES), torch.arange(N_SAMPLES) / RATE
    x[16_000:24_000] = 0.5 * torch.sin(2 * torch.pi * 2000 * t[16_000:24_000])
    return spectrogram(x), slice(62, 67), slice(16_000 // 256 - 1, 24_000 // 256 + 2)


@pytest.fixture(scope="module")
def classifier():
    return small_classifier().eval().requires_grad_(False)


class Listening(nn.Module):
    """Logits are weighted means of the mel bands' magnitude: linear in what is heard."""

    def __init__(self, weights: torch.Tensor) -> None:
        super().__init__()
        self.weights = weights  # (C, n_mels)

    def forward(self, M):
        return (10 ** (M / 10)).mean(1) @ self.weights.T


class Pooled(nn.Module):
    """A hidden map of one channel, the mean magnitude of patches; the logit is its mean."""

    def __init__(self, stride=8, sign=1.0):
        super().__init__()
        self.blocks = nn.ModuleDict({"B4": nn.AvgPool2d(stride)})
        self.map_shapes = {"B4": MapShape(1, 128 // stride, stride)}
        self.sign = sign

    def forward(self, M):
        return self.sign * self.blocks["B4"](10 ** (M[:, None] / 10)).mean((2, 3))


# ------------------------------------------------------------------ integrated gradients


def test_of_a_network_that_is_linear_in_the_magnitude_the_attributions_are_its_terms(noise):
    weights = torch.rand(2, 128, generator=torch.Generator().manual_seed(1)) - 0.3
    found = integrated_gradients(Listening(weights), noise, 1, FRONT_END, n_steps=32)
    terms = (FILTERS @ weights[1])[:, None] * torch.expm1(noise) / N_FRAMES
    assert_close(found, terms.double(), rtol=1e-3, atol=1e-4 * terms.abs().max().item())


def test_they_add_up_to_what_the_clip_has_above_silence():
    """Of a network that was trained: its logit moves by more than the way there wavers."""
    model = l2i.load()
    network, front_end = model.explained.classifier, model.hearing.front_end
    x = torch.randn(140 * front_end.hop_length, generator=torch.Generator().manual_seed(0)) / 5
    X = log_magnitude(front_end.stft(x))
    with torch.no_grad():
        M = torch.stack([front_end.log_mel(torch.expm1(each)) for each in (X, 0 * X)])
        clip, silence = network(M)
    c = model.classes.index("rain")
    found = integrated_gradients(network, X, c, front_end, n_steps=64)
    gained = (clip - silence)[c].item()
    assert gained > 5
    assert found.sum().item() == pytest.approx(gained, rel=0.1)


def test_each_is_the_clip_times_the_mean_gradient_along_the_way(classifier, noise):
    """The plain loop, point by point."""
    network = copy.deepcopy(classifier).double()
    X, by_hand = noise.double(), torch.zeros_like(noise, dtype=torch.float64)
    nodes, weights = np.polynomial.legendre.leggauss(12)
    for node, weight in zip(nodes, weights, strict=True):
        at = ((node + 1) / 2 * X).requires_grad_()
        said = network(FRONT_END.log_mel(torch.expm1(at))[None])[0, 2]
        by_hand += weight / 2 * X * torch.autograd.grad(said, at)[0]
    found = integrated_gradients(network, X, 2, FRONT_END, n_steps=12)
    assert_close(found, by_hand, rtol=1e-5, atol=1e-6 * by_hand.abs().max().item())


def test_they_are_the_limit_of_a_plain_sum_over_equal_steps(noise):
    network, X = Listening(torch.rand(1, 128, generator=torch.Generator().manual_seed(2))), noise
    by_hand, n = torch.zeros_like(X), 100
    for a in (np.arange(n) + 0.5) / n:
        at = (float(a) * X).requires_grad_()
        said = network(FRONT_END.log_mel(torch.expm1(at))[None])[0, 0]
        by_hand += X * torch.autograd.grad(said, at)[0] / n
    found = integrated_gradients(network, X, 0, FRONT_END, n_steps=16)
    assert (found - by_hand).norm() < 1e-3 * by_hand.norm()


@pytest.mark.parametrize("together", [3, 64])
def test_how_many_points_are_heard_together_changes_nothing(
    classifier, noise, monkeypatch, together
):
    network, X = copy.deepcopy(classifier).double(), noise.double()
    expected = integrated_gradients(network, X, 0, FRONT_END, n_steps=8)
    monkeypatch.setattr(attributions, "STEPS", together)
    found = integrated_gradients(network, X, 0, FRONT_END, n_steps=8)
    assert_close(found, expected, rtol=1e-5, atol=1e-6 * expected.abs().max().item())


def test_no_more_points_than_that_are_heard_together(classifier, noise):
    heard = []
    handle = classifier.register_forward_pre_hook(lambda _, inputs: heard.append(len(inputs[0])))
    integrated_gradients(classifier, noise, 0, FRONT_END, n_steps=20)
    handle.remove()
    assert max(heard) == attributions.STEPS and sum(heard) >= 20


def test_who_listens_to_one_band_has_its_mask_there(noise):
    weights = torch.zeros(1, 128)
    weights[0, 60] = 1.0
    mask = claimed(integrated_gradients(Listening(weights), noise, 0, FRONT_END, n_steps=16))
    band = FILTERS[:, 60] > 0
    assert mask[band].amax(1).min() > 0 and mask.max() == 1
    assert mask[~band].abs().max() < 1e-6


def test_a_logit_is_explained_that_the_probability_has_no_gradient_of(noise):
    network = Listening(torch.tensor([[1e4], [0.0]]).expand(2, 128).contiguous())
    found = integrated_gradients(network, noise, 0, FRONT_END, n_steps=8)
    assert found.sum() > 30  # its probability is 1 on almost all of the way


# ------------------------------------------------------------------ Grad-CAM


@pytest.mark.parametrize("layer", ["B3", "B6"])
def test_it_is_the_sum_of_channels_weighed_by_their_mean_gradient(classifier, noise, layer):
    M = FRONT_END.log_mel(torch.expm1(noise))[None].requires_grad_()
    logits, hidden = classifier.hidden_maps(M, (layer,))
    (gradient,) = torch.autograd.grad(logits[0, 1], hidden[layer])
    cells = sum(
        float(gradient[0, k].mean()) * hidden[layer][0, k].detach().double()
        for k in range(hidden[layer].shape[1])
    ).numpy()
    stride = classifier.map_shapes[layer].stride

    def stretched(values, n):
        centres = stride * (np.arange(len(values)) + 0.5) - 0.5
        return np.interp(np.arange(n), centres, values)

    over_frames = np.stack([stretched(column, N_FRAMES) for column in cells.T], axis=1)
    over_bands = np.stack([stretched(row, 128) for row in over_frames])
    filters = mel_filters(FRONT_END.n_bins, 128, RATE, "slaney").numpy()
    by_hand = [over_bands @ (taken / taken.sum()) for taken in filters[1:-1]]
    found = grad_cam(classifier, noise, 1, FRONT_END, layer=layer)
    assert found.shape == noise.shape and found.abs().max() > 0
    assert_close(
        found[1:-1].numpy(), np.stack(by_hand), rtol=1e-4, atol=1e-5 * found.abs().max().item()
    )
    assert torch.equal(found[0], found[1]) and torch.equal(found[-1], found[-2])


@settings(max_examples=40, deadline=None)
@given(
    n_cells=st.integers(1, 30),
    stride=st.sampled_from([1.0, 2.0, 7.5, 16.0]),
    n=st.integers(1, 200),
    seed=st.integers(0, 99),
)
def test_interpolation_is_that_between_centres(n_cells, stride, n, seed):
    values = np.random.default_rng(seed).normal(size=n_cells)
    centres = stride * (np.arange(n_cells) + 0.5) - 0.5
    expected = np.interp(np.arange(n), centres, values)
    matrix = interpolation(n_cells, stride, n).numpy()
    assert np.allclose(matrix @ values, expected, atol=1e-12)
    assert np.allclose(matrix.sum(1), 1)


def test_a_bin_is_a_mean_of_the_bands_that_hear_it():
    B = bins_of_bands(FRONT_END)
    assert_close(B.sum(1), torch.ones(FRONT_END.n_bins, dtype=torch.float64))
    assert ((B > 0)[1:-1] == (FILTERS > 0)[1:-1]).all()
    flat = on_spectrogram(torch.full((5, 16), 3.0).double(), 8, 41, FRONT_END)
    assert_close(flat, torch.full((FRONT_END.n_bins, 41), 3.0).double())


def test_a_deaf_map_has_nothing(noise):
    assert not claimed(grad_cam(Pooled(sign=-1.0), noise, 0, FRONT_END, layer="B4")).any()


# ------------------------------------------------------------------ both


@pytest.mark.parametrize("method", METHODS)
def test_a_tone_in_silence_is_found_where_it_is(burst, method):
    X, bins, frames = burst
    network = Listening(torch.ones(1, 128)) if method == METHODS[0] else Pooled()
    (A,) = attributions_of(
        method, network, X, [0], FRONT_END, Attributions(n_steps=16, layer="B4")
    ).values()
    mask = claimed(A)
    if method == METHODS[0]:
        assert mask[bins, frames].sum() > 0.9 * mask.sum()
    else:  # as coarse as its map: 8 frames by 8 bands
        loud = (mask > 0.5).nonzero()
        assert loud[:, 0].min() >= bins.start - 8 and loud[:, 0].max() <= bins.stop + 8
        assert loud[:, 1].min() >= frames.start - 8 and loud[:, 1].max() <= frames.stop + 8


@pytest.mark.parametrize("method", METHODS)
class TestBoth:
    how = Attributions(n_steps=4, layer="B5")

    def of(self, method, network, X, targets=(0,)):
        return attributions_of(method, network, X, targets, FRONT_END, self.how)

    def test_every_class_has_its_own(self, method, classifier, noise):
        found = self.of(method, classifier, noise, [2, 0])
        assert [*found] == [2, 0] and not torch.equal(found[0], found[2])
        assert torch.equal(found[0], self.of(method, classifier, noise)[0])
        assert {A.dtype for A in found.values()} == {torch.float64}

    def test_the_same_again_under_reproducible_arithmetic(self, method, classifier, noise):
        torch.set_deterministic_debug_mode("error")
        try:
            first, again = (self.of(method, classifier, noise)[0] for _ in range(2))
        finally:
            torch.set_deterministic_debug_mode("default")
        assert torch.equal(first, again)

    def test_classifier_and_clip_are_left_as_they_were(self, method, classifier, noise):
        before = noise.clone()
        with torch.no_grad():
            self.of(method, classifier, noise)
        assert torch.equal(noise, before) and not noise.requires_grad
        assert not any(p.requires_grad or p.grad is not None for p in classifier.parameters())
        assert not any(module._forward_hooks for module in classifier.modules())

    def test_of_silence_every_number_is_finite(self, method, classifier, noise):
        mask = claimed(self.of(method, classifier, 0 * noise)[0])
        assert mask.isfinite().all()
        assert method != METHODS[0] or not mask.any()


def test_an_attribution_is_cut_or_followed_by_nothing():
    A = torch.tensor([[1.0, 2.0, 3.0]])
    assert fitted(A, 2).tolist() == [[1, 2]]
    assert fitted(A, 3).tolist() == [[1, 2, 3]]
    assert fitted(A, 4).tolist() == [[1, 2, 3, 3]]  # the clip ends between two hops
    assert fitted(A, 6).tolist() == [[1, 2, 3, 3, 0, 0]]
