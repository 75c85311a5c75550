"""l2i.networks.interpreter: published sizes, pooling over time, and what components add."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from helpers.small_networks import (
    random_dictionary,
    small_classifier,
    small_interpreter,
)
from l2i.networks.interpreter import (
    TAPS,
    AttentionPooling,
    ClassAttentionPooling,
    Interpreter,
    MaxPooling,
)
from l2i.networks.stored_classifier import frozen


@pytest.fixture
def W(generator):
    return random_dictionary(generator)


@pytest.fixture
def classifier():
    return frozen(small_classifier(), "cpu")


def plain_attention(pooling, seen_by_value, seen_by_gate):
    """Gated attention by its layers as they are, of what either sees, (B, T, K)."""
    features = torch.tanh(pooling.value(seen_by_value)) * pooling.gate(seen_by_gate).relu()
    return pooling.score(features).softmax(1)


class TestPublishedNetwork:
    def test_theta_has_the_published_number_of_parameters(self):
        network = Interpreter(torch.rand(513, 100), 50, pooling="attention", dropout=0.4)
        theta = [*network.pooling.parameters(), *network.linear.parameters()]
        assert sum(p.numel() for p in theta) == 56_969

    @pytest.mark.parametrize("n_frames", [128, 173, 314, 431, 862])
    def test_activations_have_the_frames_of_the_spectrogram(self, W, classifier, n_frames):
        _, hidden = classifier.hidden_maps(torch.zeros(2, n_frames, 128), TAPS)
        H, z, logits = small_interpreter(W).eval()(hidden, n_frames)
        assert (H.shape, z.shape, logits.shape) == ((2, 6, n_frames), (2, 6), (2, 3))
        assert (H >= 0).all()


class TestPooling:
    def test_attention_is_a_weighted_mean_over_time(self, generator):
        torch.manual_seed(0)
        pooling = AttentionPooling(4, dropout=0.0)
        H = torch.rand(2, 4, 9, generator=generator)
        z = pooling(H)
        assert (z <= H.amax(2)).all() and (z >= H.amin(2)).all()
        assert_close(pooling(torch.full((1, 4, 9), 0.7)), torch.full((1, 4), 0.7))

    def test_attention_does_not_depend_on_the_order_of_frames(self, generator):
        torch.manual_seed(0)
        pooling = AttentionPooling(4, dropout=0.0)
        H = torch.rand(1, 4, 9, generator=generator)
        assert_close(pooling(H), pooling(H[:, :, torch.randperm(9, generator=generator)]))

    def test_attention_drops_only_what_it_looks_at_not_what_it_pools(self):
        pooling = AttentionPooling(4, dropout=0.9).train()
        assert_close(pooling(torch.full((1, 4, 9), 0.7)), torch.full((1, 4), 0.7))

    @pytest.mark.parametrize(
        "kind", [AttentionPooling, partial(ClassAttentionPooling, n_classes=3)]
    )
    def test_value_and_gate_see_activations_with_dropout_of_their_own(self, kind):
        pooling, seen = kind(4, dropout=0.5).train(), []
        pooling.dropout.register_forward_hook(lambda _, inputs, output: seen.append(output))
        shares = pooling.attention(torch.ones(2, 4, 50))
        assert [sorted(frames.unique().tolist()) for frames in seen] == [[0.0, 2.0]] * 2
        assert not torch.equal(*seen)
        assert_close(shares, plain_attention(pooling, *seen))
        for others in (seen[::-1], seen[:1] * 2, seen[1:] * 2):
            assert not torch.allclose(shares, plain_attention(pooling, *others), rtol=1e-3)

    @given(
        st.integers(1, 3), st.integers(1, 5), st.integers(1, 40), st.integers(1, 3), st.booleans()
    )
    @settings(deadline=None, max_examples=30)
    def test_attention_by_convolutions_is_that_of_linear_layers(self, B, K, T, C, of_classes):
        """Outputs and gradients, the masks of dropout drawn alike."""
        torch.manual_seed(B + 10 * K + 100 * T)
        kind = partial(ClassAttentionPooling, n_classes=C) if of_classes else AttentionPooling
        pooling = kind(K, dropout=0.4).double().train()
        H = torch.rand(B, K, T, dtype=torch.float64, requires_grad=True)
        weights = torch.rand(B, T, C if of_classes else 1, dtype=torch.float64)
        leaves = [H, *pooling.parameters()]

        def by_linear_layers(H):
            frames = H.transpose(1, 2)
            return plain_attention(pooling, pooling.dropout(frames), pooling.dropout(frames))

        found = []
        for attention in (pooling.attention, by_linear_layers):
            torch.manual_seed(0)
            shares = attention(H)
            found.append([shares, *torch.autograd.grad((shares * weights).sum(), leaves)])
        for ours, plain in zip(*found, strict=True):
            assert_close(ours, plain, rtol=1e-9, atol=1e-12)

    def test_max_takes_the_largest_activation(self, generator):
        H = torch.rand(2, 4, 9, generator=generator)
        assert_close(MaxPooling(4, dropout=0.3).eval()(H), H.amax(2))

    @pytest.mark.parametrize("pooling", ["attention", "class_attention", "max"])
    def test_a_component_adds_exactly_its_weighted_activation_to_a_logit(
        self, W, classifier, pooling
    ):
        network = small_interpreter(W, pooling).eval()
        _, hidden = classifier.hidden_maps(torch.randn(2, 150, 128) * 10 - 40, TAPS)
        _, z, logits = network(hidden, 150)
        contributions = network.contributions(z)
        assert contributions.shape == (2, 3, 6)
        assert_close(contributions.sum(2), logits)
        for b, c, k in ((0, 1, 4), (1, 2, 0)):
            z_k = z[b, c, k] if pooling == "class_attention" else z[b, k]
            assert_close(contributions[b, c, k], z_k * network.linear.weight[c, k])


class TestClassAttention:
    """One attention vector per class, after the authors' appendix."""

    @pytest.fixture
    def pooling(self):
        torch.manual_seed(0)
        return ClassAttentionPooling(4, 3, dropout=0.0)

    def test_each_class_pools_as_shared_attention_with_its_score_would(self, pooling, generator):
        H = torch.rand(2, 4, 9, generator=generator)
        z = pooling(H)
        assert z.shape == (2, 3, 4)
        for c in range(3):
            alone = AttentionPooling(4, dropout=0.0)
            score = {
                "score.weight": pooling.score.weight[[c]],
                "score.bias": pooling.score.bias[[c]],
            }
            alone.load_state_dict(pooling.state_dict() | score)
            assert_close(z[:, c], alone(H))

    def test_shares_of_frames_sum_to_one_for_every_class(self, pooling, generator):
        attention = pooling.attention(torch.rand(2, 4, 9, generator=generator))
        assert attention.shape == (2, 9, 3)
        assert_close(attention.sum(1), torch.ones(2, 3))
        assert not torch.allclose(attention[..., 0], attention[..., 1], rtol=1e-3)

    def test_a_class_may_look_at_another_moment_than_the_rest(self, pooling):
        H = torch.zeros(1, 4, 9)
        H[0, 0, 2] = H[0, 1, 5] = 1.0
        frames = H.transpose(1, 2)
        features = torch.tanh(pooling.value(frames)) * pooling.gate(frames).relu()
        with torch.no_grad():
            for c, (here, there) in enumerate([(2, 5), (5, 2)]):
                pooling.score.weight[c] = 1e4 * (features[0, here] - features[0, there])
        z = pooling(H)
        assert_close(z[0, 0], H[0, :, 2])
        assert_close(z[0, 1], H[0, :, 5])

    def test_a_class_logit_depends_on_the_activations_it_attends_to_alone(self, W, classifier):
        network = small_interpreter(W, "class_attention").eval()
        _, hidden = classifier.hidden_maps(torch.randn(1, 150, 128) * 10 - 40, TAPS)
        _, z, logits = network(hidden, 150)
        by_hand = torch.stack([z[0, c] @ network.linear.weight[c] for c in range(3)])
        assert_close(logits[0], by_hand)

    def test_it_has_a_score_per_class_and_nothing_else_more(self):
        def count(pooling):
            network = Interpreter(torch.rand(9, 300), 20, pooling=pooling, dropout=0.0, width=0.01)
            return sum(p.numel() for p in network.parameters())

        assert count("class_attention") - count("attention") == 19 * (256 + 1)
