"""l2i.networks.bottleneck: draws of chunks, what they tell, and the networks that draw them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from l2i.networks.bottleneck import (
    Approximator,
    Explainer,
    Grid,
    averaging,
    draw_masks,
    information,
    masked,
    top_chunks,
)

P = torch.tensor([0.7, 0.2, 0.08, 0.02])


def first_chunks(n_draws=20_000, **options):
    """How often each of four chunks is drawn first, p being P."""
    torch.manual_seed(0)
    masks = draw_masks(P.log()[None], 1, n_draws=n_draws, temperature=0.5, **options)
    assert masks.shape == (n_draws, 1, 4)
    return torch.bincount(masks.argmax(-1).flatten(), minlength=4) / n_draws


class TestDraws:
    def test_chunks_are_drawn_as_often_as_p_says(self):
        assert_close(first_chunks(), P, atol=0.01, rtol=0)

    def test_published_sampling_inverts_preferences(self):
        expected = torch.tensor([0.04, 0.19, 0.30, 0.47])
        assert_close(first_chunks(published=True), expected, atol=0.01, rtol=0)

    def test_published_sampling_is_that_of_log_probabilities_passed_as_probabilities(self):
        logits, shape = torch.randn(3, 6), (5, 2)
        torch.manual_seed(1)
        log_p = logits.log_softmax(-1)
        with torch.no_grad():
            torch.manual_seed(2)
            weights = (log_p / log_p.sum(-1, keepdim=True)).log()
            noise = -torch.empty(*shape, 3, 6).exponential_().log()
            by_hand = ((weights + noise) / 0.7).softmax(-1).amax(1)
        torch.manual_seed(2)
        assert_close(draw_masks(logits, 2, n_draws=5, temperature=0.7, published=True), by_hand)

    def test_a_chunk_of_all_probability_is_never_drawn_by_published_sampling(self):
        logits = torch.tensor([[200.0, 0.0, 0.0]])
        masks = draw_masks(logits, 1, n_draws=500, temperature=0.5, published=True)
        assert masks.isfinite().all() and (masks.argmax(-1) != 0).all()

    @pytest.mark.parametrize("published", [False, True])
    def test_only_corrected_draws_carry_a_gradient_to_the_explainer(self, published):
        logits = torch.randn(2, 5, requires_grad=True)
        masks = draw_masks(logits, 2, n_draws=3, temperature=0.5, published=published)
        assert masks.requires_grad != published
        if not published:
            (gradient,) = torch.autograd.grad(masks[..., 0].sum(), logits)
            assert (gradient[:, 0] > 0).all() and (gradient[:, 1:] < 0).any()

    def test_gradient_is_that_of_finite_differences(self):
        logits = torch.randn(1, 4, dtype=torch.float64, requires_grad=True)
        weights = torch.tensor([1.0, -2.0, 0.5, 3.0])

        def total(logits):
            torch.manual_seed(3)
            return (draw_masks(logits, 2, n_draws=3, temperature=0.5) * weights).sum()

        (gradient,) = torch.autograd.grad(total(logits), logits)
        with torch.no_grad():
            for i, step in enumerate(1e-6 * torch.eye(4, dtype=torch.float64)):
                difference = total(logits + step) - total(logits - step)
                assert difference.item() / 2e-6 == pytest.approx(gradient[0, i].item(), abs=1e-6)

    def test_a_mask_of_several_draws_holds_the_largest_share_of_each_chunk(self):
        torch.manual_seed(0)
        masks = draw_masks(torch.zeros(1, 10), 3, n_draws=2000, temperature=0.01)
        assert masks.amax() <= 1
        # Three nearly one-hot draws of ten chunks hit 10 (1 - 0.9^3) different ones on average.
        assert masks.sum(-1).mean().item() == pytest.approx(10 * (1 - 0.9**3), abs=0.05)

    def test_each_clip_and_draw_has_noise_of_its_own(self):
        masks = draw_masks(torch.zeros(2, 10), 1, n_draws=2, temperature=0.5)
        assert len(torch.unique(masks.reshape(4, 10), dim=0)) == 4


class TestInformation:
    def test_it_is_zero_for_uniform_and_log_d_for_certain_chunks(self):
        logits = torch.tensor([[1.0, 1.0, 1.0, 1.0], [500.0, 0.0, 0.0, 0.0]])
        assert_close(information(logits), torch.tensor([0.0, math.log(4)]))

    def test_it_is_the_divergence_from_uniform_and_not_the_reverse(self):
        p = torch.tensor([[0.5, 0.25, 0.125, 0.125]])
        assert_close(information(p.log()), torch.tensor([0.25 * math.log(2)]))


class TestChunks:
    @settings(max_examples=15, deadline=None)
    @given(st.tuples(*[st.integers(1, 4)] * 4), st.integers(1, 3))
    def test_a_mask_covers_exactly_the_frames_and_bands_of_each_chunk(self, sizes, n_draws):
        n_time, n_frequency, frames, mels = sizes
        x = torch.rand(2, 1, n_time * frames, n_frequency * mels) + 1
        masks = torch.rand(n_draws, 2, n_time * n_frequency)
        kept = masked(x, masks, Grid(frames, mels))
        assert kept.shape == (n_draws * 2, *x.shape[1:])
        for draw in range(n_draws):
            for clip in range(2):
                up = masks[draw, clip].reshape(n_time, n_frequency).numpy()
                up = np.kron(up, np.ones((frames, mels), np.float32))
                assert_close(kept[draw * 2 + clip, 0], x[clip, 0] * torch.from_numpy(up))

    @settings(max_examples=15, deadline=None)
    @given(st.integers(1, 40), st.data())
    def test_the_mask_of_scores_keeps_exactly_k_chunks_the_most_probable(self, d, data):
        n_kept = data.draw(st.integers(1, d))
        logits = torch.randn(3, d).round(decimals=1)  # ties
        mask = top_chunks(logits, n_kept)
        assert mask.unique().tolist() in ([0, 1], [1])
        assert (mask.sum(-1) == n_kept).all()
        worst_kept = logits.masked_fill(mask == 0, math.inf).amin(-1)
        best_left = logits.masked_fill(mask == 1, -math.inf).amax(-1)
        assert (worst_kept >= best_left).all()

    @settings(max_examples=15, deadline=None)
    @given(st.integers(1, 12), st.integers(1, 50))
    def test_the_explainers_cells_are_averaged_over_the_frames_that_they_cover(
        self, n_chunks, chunk
    ):
        n_cells = math.ceil(n_chunks * chunk / 16)
        cells = torch.rand(n_cells)
        frames = cells.repeat_interleave(16)[: n_chunks * chunk]
        by_hand = frames.reshape(n_chunks, chunk).mean(-1)
        assert_close(averaging(n_chunks, chunk, n_cells) @ cells, by_hand)

    def test_the_explainer_looks_where_a_sound_is(self, generator):
        """Time before frequency, no mirror: a sound changes the logits of its own neighbourhood."""
        torch.manual_seed(0)
        explainer = Explainer(Grid(43, 32)).eval()
        sound = torch.randn(43, 32, generator=generator)
        for time, frequency in ((2, 0), (7, 3)):
            x = torch.zeros(1, 1, 430, 128)
            silence = explainer(x)
            x[..., time * 43 : (time + 1) * 43, frequency * 32 : (frequency + 1) * 32] = sound
            change = (explainer(x) - silence).abs().reshape(10, 4)
            share = change / change.sum()
            assert (share.sum(1) @ torch.arange(10.0)).item() == pytest.approx(time, abs=0.5)
            assert (share.sum(0) @ torch.arange(4.0)).item() == pytest.approx(frequency, abs=0.5)

    def test_the_approximator_pools_before_the_relu_and_in_slices_to_no_effect(self):
        torch.manual_seed(0)
        network, x = Approximator(3).eval(), torch.randn(5, 1, 24, 16)
        convolution, pooling, _ = network.first
        h = network.following(pooling(convolution(x).relu()))
        by_hand = network.output(h.mean((2, 3)) + h.amax((2, 3)))
        assert_close(network(x), by_hand)
