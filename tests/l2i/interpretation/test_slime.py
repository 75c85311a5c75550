"""l2i.interpretation.slime: explanations of classifiers whose answers are known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cosine

from l2i.checks import InputError
from l2i.features.spectral import FrontEnd
from l2i.interpretation.slime import (
    Slime,
    border_samples,
    divide,
    draw_vectors,
    explain,
    fit,
    gate,
    generator,
    kernel_weights,
    positive_segments,
    query,
    segment_borders,
)

RATE = 44_100
FRONT_END = FrontEnd(sample_rate=RATE, n_fft=1024, hop_length=512, n_mels=128, mel_power=1)
SETTINGS = Slime(segment_seconds=0.5, max_segments=5, n_samples=1000, kernel_width=0.25, ridge=1.0)
LOUD, SOFT = -20.0, -60.0


class Toy(torch.nn.Module):
    """Says of each class a weighted sum of which of its segments are louder than the fill."""

    def __init__(self, borders, weights, bias=0.1):
        super().__init__()
        self.borders, self.bias = borders, bias
        self.weights = torch.tensor(weights)  # (C, n_segments)
        self.n_heard = 0

    def forward(self, M):
        self.n_heard += len(M)
        parts = [M[:, a:b].mean((1, 2)) for a, b in pairwise(self.borders)]
        return (torch.stack(parts, 1) > -30).float() @ self.weights.T + self.bias

    def probabilities(self, logits):
        return logits


class Conjunction(Toy):
    """Hears its class where all the segments of weight 1 are there, nothing otherwise."""

    def forward(self, M):
        return (super().forward(M) > self.weights.sum(1)).float()


@pytest.fixture
def borders():
    return segment_borders(431, 10)


@pytest.fixture
def M(borders):
    """A log-mel that is loud in every segment but the last four, so that all differ from its mean.

    The mean is -36 dB, below where the toys begin to hear.
    """
    M = torch.full((431, 4), LOUD)
    M[borders[6] :] = SOFT
    return M


def weights_of(n, **values):
    weights = [0.0] * n
    for name, value in values.items():
        weights[int(name[1:])] = value
    return weights


class TestExplaining:
    def explain(self, classifier, M, targets, rng, **changes):
        changed = Slime(**{**vars(SETTINGS), **changes})
        return explain(classifier, M, targets, changed, rng, clip_seconds=5.0)

    def test_the_one_segment_that_a_class_needs_is_found(self, M, borders, rng):
        toy = Toy(borders, [weights_of(10, s2=0.8), weights_of(10, s5=0.5)])
        found = self.explain(toy, M, [0, 1], rng)
        for target, segment, size in [(0, 2, 0.8), (1, 5, 0.5)]:
            weights, kept = found[target].weights, found[target].kept
            assert kept[0] == segment and weights.argmax() == segment
            assert weights[segment] == pytest.approx(size, rel=0.03)  # the ridge shrinks it a bit
            assert np.abs(np.delete(weights, segment)).max() < 0.005
            assert found[target].r2 > 0.99

    def test_segments_come_by_weight_and_what_speaks_against_the_class_is_left_out(
        self, M, borders, rng
    ):
        toy = Toy(borders, [weights_of(10, s0=0.2, s1=-0.4, s3=0.3, s4=0.1)])
        found = self.explain(toy, M, [0], rng, max_segments=3)[0]
        assert found.kept == [3, 0, 4]
        assert found.weights[1] == pytest.approx(-0.4, rel=0.05)

    def test_what_is_needed_together_is_found_together(self, M, borders, rng):
        found = self.explain(Conjunction(borders, [weights_of(10, s1=1.0, s4=1.0)]), M, [0], rng)[0]
        assert set(found.kept[:2]) == {1, 4}
        assert found.weights[1] == pytest.approx(found.weights[4], abs=0.06)
        assert found.weights[[1, 4]].min() > 5 * np.abs(np.delete(found.weights, [1, 4])).max()

    def test_a_class_that_hears_nothing_in_particular_has_no_explanation(self, M, borders, rng):
        found = self.explain(Toy(borders, [weights_of(10)]), M, [0], rng)[0]
        assert found.kept == [] or found.weights.max() < 1e-9

    def test_classes_are_explained_alike_alone_and_together(self, M, borders):
        toy = Toy(borders, [weights_of(10, s2=0.8), weights_of(10, s5=0.5), weights_of(10, s1=1.0)])
        together = self.explain(toy, M, [2, 0], np.random.default_rng(1))
        alone = self.explain(toy, M, [0], np.random.default_rng(1))
        assert list(together) == [2, 0]
        assert np.array_equal(together[0].weights, alone[0].weights)

    def test_a_seed_gives_one_explanation_and_another_clip_other_draws(self, M, borders):
        network = Conjunction(borders, [weights_of(10, s1=1.0, s4=1.0)])
        settings = {"n_samples": 40}
        first, again, other_clip, other_run = (
            self.explain(network, M, [0], generator(*key), **settings)[0].weights
            for key in [(0, 0, "a"), (0, 0, "a"), (0, 0, "b"), (0, 1, "a")]
        )
        assert np.array_equal(first, again)
        assert not np.allclose(first, other_clip) and not np.allclose(first, other_run)
        assert not np.allclose(other_clip, other_run)

    @pytest.mark.parametrize("segment_seconds", [5.0, 4.0, 0.01])
    def test_one_segment_or_more_than_frames_are_refused(self, M, rng, segment_seconds):
        with pytest.raises(InputError, match="segment_seconds cuts a clip of 431 frames into"):
            self.explain(None, M, [0], rng, segment_seconds=segment_seconds)


class TestSegments:
    def test_those_of_the_paper(self):
        assert np.diff(segment_borders(862, 20)).tolist() == [43] * 19 + [45]
        assert np.diff(segment_borders(431, 10)).tolist() == [43] * 9 + [44]

    @given(st.integers(2, 900), st.data())
    def test_they_cover_every_frame_once_and_only_the_last_is_longer(self, n_frames, data):
        n = data.draw(st.integers(2, n_frames))
        borders = segment_borders(n_frames, n)
        frames = [f for a, b in pairwise(borders) for f in range(a, b)]
        assert len(borders) == n + 1 and frames == list(range(n_frames))
        *lengths, last = np.diff(borders)
        assert set(lengths) == {n_frames // n} and last - n_frames // n == n_frames % n

    def test_they_meet_halfway_between_two_frames(self):
        met = border_samples(segment_borders(431, 10), FRONT_END, 220_500)
        assert met[0] == 0 and met[-1] == 220_500
        assert met[1] == (42 * 512 + 43 * 512) / 2


class TestCopies:
    def test_the_first_keeps_everything_and_the_others_toss_a_coin(self, rng):
        vectors = draw_vectors(4001, 20, rng)
        assert vectors.dtype == bool and vectors.shape == (4001, 20)
        assert vectors[0].all()
        kept = vectors[1:].mean(0)
        assert np.abs(kept - 0.5).max() < 4 * 0.5 / np.sqrt(4000)
        together = np.corrcoef(vectors[1:].T)
        assert np.abs(together - np.eye(20)).max() < 0.08

    def test_each_is_the_clip_with_its_mean_where_segments_are_dropped(self, borders, rng):
        M = torch.randn(431, 4, generator=torch.Generator().manual_seed(0))

        class Recorder(torch.nn.Module):
            heard = ()

            def forward(self, batch):
                self.heard = [*self.heard, *batch.clone()]
                return batch.mean((1, 2))[:, None]

            def probabilities(self, logits):
                return logits

        vectors = draw_vectors(70, 10, rng)
        vectors[1] = False
        vectors[2] = vectors[5]
        answers = query(recorder := Recorder(), M, borders, vectors)
        for vector, answer in zip(vectors, answers, strict=True):
            copy = M.clone()
            for i, kept in enumerate(vector):
                if not kept:
                    copy[borders[i] : borders[i + 1]] = M.mean()
            assert answer[0] == pytest.approx(copy.mean().item(), abs=1e-6)
            assert any(torch.equal(copy, heard) for heard in recorder.heard)
        assert answers.dtype == np.float64 and answers[0, 0] == pytest.approx(M.mean().item())

    def test_copies_that_repeat_are_heard_once(self, rng):
        borders = segment_borders(173, 4)
        toy = Toy(borders, [weights_of(4, s1=1.0)])
        answers = query(toy, torch.full((173, 4), LOUD), borders, draw_vectors(1000, 4, rng))
        assert toy.n_heard == 2**4 and answers.shape == (1000, 1)

    def test_weights_are_those_of_the_cosine_kernel(self):
        vectors = np.arange(20) < np.array([[20], [19], [15], [10], [5], [0]])
        weights = kernel_weights(vectors, 0.25)
        assert weights.round(2).tolist() == [1.0, 0.99, 0.87, 0.50, 0.14, 0.0]
        assert weights[-1] == pytest.approx(np.exp(-8))  # nothing kept: at distance 1

    @given(arrays(bool, (5, 7)), st.floats(0.1, 2))
    def test_weights_agree_with_the_distance_of_each_pair(self, vectors, width):
        vectors[:, 0] = True
        distances = [cosine(v.astype(float), np.ones(7)) for v in vectors]
        expected = np.exp(-np.square(distances) / (2 * width**2))
        np.testing.assert_allclose(kernel_weights(vectors, width), expected, rtol=1e-9)


class TestRegression:
    def test_it_is_the_closed_form_of_weighted_ridge(self, rng):
        vectors = draw_vectors(60, 8, rng)
        answers, sample_weights = rng.random(60), rng.random(60)
        X = np.hstack([vectors, np.ones((60, 1))])
        penalty = np.diag([0.7] * 8 + [0.0])  # the intercept is free
        solved = np.linalg.solve(
            X.T @ (sample_weights[:, None] * X) + penalty, X.T @ (sample_weights * answers)
        )
        weights, r2 = fit(vectors, answers, sample_weights, 0.7)
        np.testing.assert_allclose(weights, solved[:-1], atol=1e-10)
        mean = np.average(answers, weights=sample_weights)
        left = np.average(np.square(answers - X @ solved), weights=sample_weights)
        assert r2 == pytest.approx(
            1 - left / np.average((answers - mean) ** 2, weights=sample_weights)
        )

    def test_without_a_penalty_a_linear_answer_is_found_exactly(self, rng):
        vectors, weights = draw_vectors(100, 6, rng), rng.normal(size=6)
        found, r2 = fit(vectors, vectors @ weights + 3, kernel_weights(vectors, 0.25), 0.0)
        np.testing.assert_allclose(found, weights, atol=1e-9)
        assert r2 == pytest.approx(1)

    @pytest.mark.parametrize(("n_samples", "ridge"), [(2, 1.0), (30, 0.1), (200, 0.0), (3, 0.0)])
    def test_it_is_what_scikit_learn_finds(self, rng, n_samples, ridge):
        from sklearn.linear_model import Ridge

        vectors, answers = draw_vectors(n_samples, 10, rng), rng.random(n_samples)
        sample_weights = kernel_weights(vectors, 0.25)
        model = Ridge(alpha=ridge, solver="svd").fit(vectors, answers, sample_weights)
        weights, r2 = fit(vectors, answers, sample_weights, ridge)
        np.testing.assert_allclose(weights, model.coef_, atol=1e-9)
        assert r2 == pytest.approx(model.score(vectors, answers, sample_weights), abs=1e-9)

    def test_answers_that_do_not_vary_are_all_explained_by_no_segment(self, rng):
        vectors = draw_vectors(50, 5, rng)
        weights, r2 = fit(vectors, np.full(50, 0.3), kernel_weights(vectors, 0.25), 1.0)
        np.testing.assert_allclose(weights, 0, atol=1e-12)
        assert r2 == 1

    def test_copies_without_weight_count_for_nothing(self, rng):
        vectors, answers = draw_vectors(50, 5, rng), rng.random(50)
        sample_weights = np.where(np.arange(50) < 30, 1.0, 0.0)
        answers_2 = np.where(sample_weights > 0, answers, 100.0)
        some, _ = fit(vectors, answers_2, sample_weights, 1.0)
        only, _ = fit(vectors[:30], answers[:30], np.ones(30), 1.0)
        np.testing.assert_allclose(some, only, atol=1e-10)

    @given(arrays(float, 9, elements=st.floats(-1, 1)), st.integers(1, 9))
    def test_no_more_than_asked_for_are_kept_all_positive_and_none_better_left(self, weights, n):
        kept = positive_segments(weights, n)
        assert len(kept) == len(set(kept)) == min(n, (weights > 0).sum())
        assert all(weights[i] > 0 for i in kept)
        assert [weights[i] for i in kept] == sorted(weights, reverse=True)[: len(kept)]


class TestGate:
    N = 220_500

    @pytest.fixture
    def met(self, borders):
        return border_samples(borders, FRONT_END, self.N)

    def test_those_of_all_segments_add_up_to_one(self, met):
        gates = [gate([i], met, self.N, RATE) for i in range(10)]
        assert all(g.min() >= 0 and g.max() <= 1 for g in gates)
        np.testing.assert_allclose(sum(gates), 1, atol=1e-12)

    def test_a_segment_is_open_within_and_closed_outside_its_edges_of_10_ms(self, met):
        g = gate([3], met, self.N, RATE)
        start, end, half = met[3], met[4], 0.005 * RATE
        t = np.arange(self.N)
        assert (g[(t > start + half) & (t < end - half)] == 1).all()
        assert (g[(t < start - half) | (t > end + half)] == 0).all()
        assert g[int(start)] == pytest.approx(0.5) and g[int(end)] == pytest.approx(0.5)
        rising = (g[: int(start + 2 * half)] > 0) & (g[: int(start + 2 * half)] < 1)
        assert rising.sum() == pytest.approx(441, abs=2)

    def test_nothing_jumps(self, met):
        steepest = np.pi / 2 / (0.01 * RATE)
        for segments in ([0], [4], [9], [2, 3, 7], []):
            assert np.abs(np.diff(gate(segments, met, self.N, RATE))).max() <= steepest

    def test_there_is_no_gap_between_neighbours_and_no_fade_at_the_ends(self, met):
        g = gate([1, 0, 2], met, self.N, RATE)
        np.testing.assert_allclose(g[: int(met[3]) - 221], 1, atol=1e-12)
        assert gate([9], met, self.N, RATE)[-1] == gate([0], met, self.N, RATE)[0] == 1

    def test_what_was_not_decided_on_belongs_to_no_segment(self, met):
        every = gate(range(10), met, self.N + 50_000, RATE)
        assert (every[self.N + 221 :] == 0).all() and (every[: self.N - 221] == 1).all()

    def test_a_clip_shorter_than_what_was_decided_on_ends_without_a_fade(self, met):
        n = int(met[6]) + 10_000
        assert gate([6], met, n, RATE)[-1] == 1
        assert not gate([8], met, n, RATE).any()
        n = int(met[7])
        assert gate([6], met, n, RATE)[-1] == 1

    @given(
        arrays(np.float32, 50, elements=st.floats(-3, 3, width=32)),
        arrays(float, 50, elements=st.floats(0, 1)),
    )
    @settings(max_examples=300)
    def test_both_parts_add_up_to_the_sound_exactly(self, x, g):
        kept, left = divide(x, g)
        assert kept.dtype == left.dtype == np.float32
        assert np.array_equal(kept + left, x)
        np.testing.assert_allclose(kept, x * g, atol=4e-7)

    def test_an_open_gate_gives_the_sound_and_a_closed_one_nothing(self):
        x = np.float32([0.3, -1e-3, 0.0, 2.0])
        for g, expected in [(np.ones(4), (x, 0 * x)), (np.zeros(4), (0 * x, x))]:
            assert np.array_equal(divide(x, g), expected)
