"""l2i.interpretation.windows: sounds of any length, and what their windows say together."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.known_networks import FRONT_END, RATE, known_pair
from helpers.own_sounds import SECONDS, heard_tones, small_model
from l2i.interpretation.hearing import Hearing
from l2i.interpretation.windows import Heard, fade_weights, hear, pool, window_starts
from l2i.networks.interpreter import Interpretation

# Samples of the sound, of a window, of a hop: windows have at least two hops.
LAYOUTS = st.integers(1, 40).flatmap(
    lambda hop: st.tuples(st.integers(1, 2000), st.integers(2 * hop, 400), st.just(hop))
)
HEARING = Hearing(FRONT_END, "absolute", SECONDS)


class TestLayout:
    @settings(deadline=None, max_examples=50)
    @given(LAYOUTS)
    def test_windows_cover_all_and_overlap_by_about_half(self, layout):
        n_samples, n_window, hop = layout
        starts = window_starts(n_samples, n_window, hop)
        assert starts[0] == 0 and all(start % hop == 0 for start in starts)
        end = starts[-1] + n_window
        if len(starts) == 1:
            assert n_samples <= end * 1.05
        else:
            assert n_samples <= end < n_samples + hop
        assert all(0 < b - a <= n_window // 2 for a, b in itertools.pairwise(starts))

    @settings(deadline=None, max_examples=50)
    @given(LAYOUTS)
    def test_weights_add_up_to_1_in_every_frame(self, layout):
        n_samples, n_window, hop = layout
        starts = window_starts(n_samples, n_window, hop)
        firsts = [start // hop for start in starts]
        covered = [n_samples] if len(starts) == 1 else [n_window] * (len(starts) - 1)
        covered += [n_samples - starts[-1]] * (len(starts) > 1)
        lengths = [1 + -(-n // hop) for n in covered]
        total = torch.zeros(firsts[-1] + lengths[-1])
        for first, weights in zip(firsts, fade_weights(firsts, lengths), strict=True):
            assert (weights > 0).all()
            total[first : first + len(weights)] += weights
        torch.testing.assert_close(total, torch.ones_like(total))

    def test_a_single_window_is_left_as_it_is(self):
        (weights,) = fade_weights([0], [77])
        assert (weights == 1).all()


class TestTone:
    """A steady tone, in step with the hops, is the same in all windows."""

    def test_its_activations_come_again_from_window_to_window(self):
        model = small_model()
        rate, hop = model.front_end.sample_rate, model.front_end.hop_length
        t = np.arange(5 * model.hearing.n_samples)
        x = np.sin(2 * np.pi * t * 8 / hop).astype(np.float32)
        heard = hear(model.explained, x, model.hearing)
        stride = heard.starts[1] // hop
        H = heard.interpretation.H[0]
        inner = H[:, stride : -2 * stride]
        assert inner.shape[1] > 2 * stride and inner.max() > 0
        torch.testing.assert_close(inner[:, stride:], inner[:, :-stride], rtol=1e-3, atol=1e-4)
        assert rate == 8000

    def test_every_window_says_the_same(self):
        heard = hear(known_pair(), heard_tones(5), HEARING)
        said = heard.logits
        assert len(said) > 4 and (said - said[0]).abs().max() < 1e-3


class TestPooling:
    def test_a_window_is_heard_as_the_clip_that_it_would_be(self):
        model = small_model()
        x = np.random.default_rng(0).standard_normal(3 * model.hearing.n_samples + 100)
        x = (x * np.linspace(0.1, 1, len(x))).astype(np.float32)
        heard = hear(model.explained, x, model.hearing)
        for start, logits in zip(heard.starts, heard.logits, strict=True):
            alone = hear(model.explained, x[start:][: model.hearing.n_samples], model.hearing)
            torch.testing.assert_close(alone.logits[0], logits)

    def test_classes_that_exclude_each_other_have_their_mean_probability(self):
        x = np.concatenate([heard_tones(8), heard_tones(1.6, low=0.0)])
        pooled = pool(known_pair(), hear(known_pair(), x, HEARING))
        assert 0.5 < pooled.probabilities[0] < 0.95
        assert pooled.decided.tolist() == [True, False, False]

    def test_one_of_several_labels_is_there_if_it_is_anywhere(self):
        pair = known_pair(multi_label=True)
        x = np.concatenate([heard_tones(8, low=0.0), heard_tones(1.6)])
        pooled = pool(pair, hear(pair, x, HEARING))
        assert pooled.decided.tolist() == [True, True, False]
        assert pooled.probabilities[0] > 0.99 and pooled.probabilities[1] > 0.99

    def test_silence_says_nothing(self):
        silent = np.zeros(10 * RATE, dtype=np.float32)
        pair = known_pair()
        alone = pool(pair, hear(pair, heard_tones(SECONDS), HEARING))
        heard = hear(pair, np.concatenate([heard_tones(1.55), silent]), HEARING)
        assert heard.sounding.tolist()[:3] == [True, True, False] and not heard.sounding[3:].any()
        pooled = pool(pair, heard)
        assert pooled.decided.tolist() == alone.decided.tolist()
        assert pooled.probabilities[0] == pytest.approx(float(alone.probabilities[0]), abs=1e-3)

    def test_relevances_are_those_of_the_windows_where_the_class_is(self):
        z = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0]])
        logits = torch.tensor([[20.0, -20, -20], [-20, 20, -20]])
        interpretation = Interpretation(torch.ones(1, 4, 9), z, logits)
        heard = Heard([0, 9], torch.tensor([True, True]), logits, interpretation)
        pair = known_pair()
        pair.interpreter.linear.weight.data[:2] = 1.0
        relevances = pool(pair, heard).relevances
        torch.testing.assert_close(relevances[0], torch.tensor([1.0, 0, 0, 0]))
        torch.testing.assert_close(relevances[1], torch.tensor([0, 1.0, 0, 0]))
