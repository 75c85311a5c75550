"""l2i.networks.interpreter, l2i.training.losses, l2i.training.hidden_maps and post-hoc training."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.networks.classifier import Classifier
from l2i.networks.interpreter import (
    TAPS,
    AttentionPooling,
    ClassAttentionPooling,
    Interpreter,
    MaxPooling,
)
from l2i.networks.psi import DEPTHS
from l2i.networks.stored_classifier import frozen
from l2i.systems import posthoc as posthoc_module
from l2i.systems.loading import load_system, save_system
from l2i.systems.posthoc import LossWeights, PostHoc, train_posthoc
from l2i.training import cached_rows as cached_rows_module
from l2i.training import losses
from l2i.training.hidden_maps import HiddenMaps
from l2i.training.loop import Plan
from l2i.training.projections import Projections

WIDTH = 0.125


@pytest.fixture
def W(generator):
    W = torch.rand(33, 6, generator=generator)
    return W / W.norm(dim=0)


@pytest.fixture
def classifier():
    torch.manual_seed(0)
    return frozen(Classifier(3, width=WIDTH, head_units=8), "cpu")


@pytest.fixture
def tagger():
    torch.manual_seed(0)
    return frozen(Classifier(3, width=WIDTH, head_units=8, multi_label=True), "cpu")


@pytest.fixture
def features(generator):
    """Log-mel (10, 150, 128) and log-magnitude (10, 33, 150) of ten clips."""
    log_mel = (torch.randn(10, 150, 128, generator=generator) * 10 - 40).numpy()
    return log_mel, torch.rand(10, 33, 150, generator=generator).numpy()


def interpreter(W, pooling="attention", dropout=0.0):
    torch.manual_seed(1)
    return Interpreter(W, 3, pooling=pooling, dropout=dropout, width=WIDTH)


def train_some(W, classifier, features, tmp_path, n_epochs=3, precision=torch.float32, **weights):
    torch.manual_seed(2)
    network = interpreter(W)
    history, parity = train_posthoc(
        network,
        classifier,
        *features,
        np.arange(2, 10),
        LossWeights(**{"reconstruction": 10.0, "sparsity": 0.8, "fidelity": [(1, 1.0)]} | weights),
        Plan(n_epochs, 4, 1e-3),
        precision=precision,
        device="cpu",
        scratch=tmp_path,
        checkpoint=None,
    )
    return network, history, parity


class TestPublishedNetwork:
    def test_theta_has_the_published_number_of_parameters(self):
        network = Interpreter(torch.rand(513, 100), 50, pooling="attention", dropout=0.4)
        theta = [*network.pooling.parameters(), *network.linear.parameters()]
        assert sum(p.numel() for p in theta) == 56_969

    @pytest.mark.parametrize("n_frames", [128, 173, 314, 431, 862])
    def test_activations_have_the_frames_of_the_spectrogram(self, W, classifier, n_frames):
        _, hidden = classifier.hidden_maps(torch.zeros(2, n_frames, 128), TAPS)
        H, z, logits = interpreter(W).eval()(hidden, n_frames)
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
        for layer in (pooling.value, pooling.gate):
            layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        pooling(torch.ones(2, 4, 50))
        assert [sorted(frames.unique().tolist()) for frames in seen] == [[0.0, 2.0]] * 2
        assert not torch.equal(*seen)

    def test_max_takes_the_largest_activation(self, generator):
        H = torch.rand(2, 4, 9, generator=generator)
        assert_close(MaxPooling(4, dropout=0.3).eval()(H), H.amax(2))

    @pytest.mark.parametrize("pooling", ["attention", "class_attention", "max"])
    def test_a_component_adds_exactly_its_weighted_activation_to_a_logit(
        self, W, classifier, pooling
    ):
        network = interpreter(W, pooling).eval()
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
        network = interpreter(W, "class_attention").eval()
        _, hidden = classifier.hidden_maps(torch.randn(1, 150, 128) * 10 - 40, TAPS)
        _, z, logits = network(hidden, 150)
        by_hand = torch.stack([z[0, c] @ network.linear.weight[c] for c in range(3)])
        assert_close(logits[0], by_hand)

    def test_it_has_a_score_per_class_and_nothing_else_more(self):
        def count(pooling):
            network = Interpreter(torch.rand(9, 300), 20, pooling=pooling, dropout=0.0, width=0.01)
            return sum(p.numel() for p in network.parameters())

        assert count("class_attention") - count("attention") == 19 * (256 + 1)


class TestArchitecture:
    @pytest.mark.parametrize("pooling", ["attention", "class_attention", "max"])
    @pytest.mark.parametrize("taps", [("B6", "B3"), ("input",), TAPS])
    def test_it_rebuilds_an_equal_network_on_disk(self, W, tmp_path, pooling, taps):
        network = PostHoc(W, 3, pooling=pooling, dropout=0.2, width=WIDTH, taps=taps).eval()
        assert network.architecture["taps"] == list(network.psi.taps)
        save_system(tmp_path / "model", network, module="posthoc", fold="1")
        loaded = load_system(tmp_path / "model", module="posthoc", device="cpu", fold="1")
        assert loaded.architecture == network.architecture
        channels = {"B3": 8, "B4": 16, "B5": 32, "B6": 64, "input": 1}
        hidden = {
            tap: torch.rand(2, channels[tap], 150 >> DEPTHS[tap], 128 >> DEPTHS[tap])
            for tap in taps
        }
        for ours, theirs in zip(network(hidden, 150), loaded(hidden, 150), strict=True):
            assert_close(ours, theirs)


class TestLosses:
    def test_fidelity_of_a_perfect_copy_is_the_entropy_of_the_reference(self):
        logits = torch.tensor([[2.0, 0.0, -1.0]])
        p = logits.softmax(-1)
        assert_close(losses.fidelity(p, logits), -(p * p.log()).sum(-1))

    def test_fidelity_is_a_sum_over_classes(self):
        p = torch.tensor([[0.25, 0.75]])
        by_hand = -(0.25 * np.log(0.5) + 0.75 * np.log(0.5))
        assert losses.fidelity(p, torch.zeros(1, 2)).item() == pytest.approx(by_hand)

    def test_fidelity_survives_extreme_logits(self):
        value = losses.fidelity(torch.tensor([[1.0, 0.0]]), torch.tensor([[-1e4, 1e4]]))
        assert value.isfinite().all() and value.item() == pytest.approx(2e4)

    def test_fidelity_to_several_labels_is_a_mean_over_classes_of_soft_targets(self):
        p, logits = torch.tensor([[0.25, 1.0]]), torch.tensor([[0.0, 40.0]])
        value = losses.fidelity(p, logits, multi_label=True).item()
        assert value == pytest.approx(np.log(2) / 2)

    def test_fidelity_to_several_labels_survives_extreme_logits(self):
        value = losses.fidelity(
            torch.tensor([[1.0, 0.0]]), torch.tensor([[-1e4, 1e4]]), multi_label=True
        )
        assert value.item() == pytest.approx(1e4)

    def test_labels_that_nobody_has_given_weigh_nothing(self):
        loss = losses.classification(True)
        logits = torch.tensor([[0.0, 3.0], [1.0, -50.0]], requires_grad=True)
        targets = torch.tensor([[1.0, torch.nan], [torch.nan, torch.nan]])
        value = loss(logits, targets)
        assert value.item() == pytest.approx(np.log(2))
        (gradient,) = torch.autograd.grad(value, logits)
        assert_close(gradient, torch.tensor([[-0.5, 0.0], [0.0, 0.0]]))
        assert loss(logits, torch.full((2, 2), torch.nan)).item() == 0

    def test_positives_can_weigh_more_class_by_class(self):
        loss = losses.classification(True, torch.tensor([3.0, 1.0]))
        one, none = torch.tensor([[1.0, 1.0]]), torch.zeros(1, 2)
        assert loss(none, one).item() == pytest.approx(2 * np.log(2))  # (3 + 1) / 2
        assert loss(none, none).item() == pytest.approx(np.log(2))

    def test_reconstruction_and_sparsity_are_means_over_elements(self):
        X = torch.zeros(1, 4, 5)
        assert losses.reconstruction(X, X + 2).tolist() == [4.0]
        assert losses.sparsity(X[:, :2] + 3).tolist() == [3.0]

    def test_weights_follow_the_epoch(self):
        weights = LossWeights(reconstruction=5.0, sparsity=0.4, fidelity=[(1, 0.5), (20, 1.0)])
        assert [weights.fidelity_at(e) for e in (1, 19, 20, 35)] == [0.5, 0.5, 1.0, 1.0]


class TestHiddenMaps:
    @pytest.mark.parametrize("place", ["cpu", "scratch file"])
    def test_cached_maps_are_those_of_the_classifier(
        self, classifier, features, tmp_path, monkeypatch, place
    ):
        if place == "scratch file":
            monkeypatch.setattr(cached_rows_module, "free_memory", lambda device: 0)
        rows = np.array([7, 1, 4])
        maps = HiddenMaps(
            classifier,
            features[0],
            rows,
            taps=TAPS,
            precision=torch.float32,
            device="cpu",
            scratch=tmp_path,
        )
        assert maps.place == place
        logits, hidden = classifier.hidden_maps(torch.from_numpy(features[0][[4, 7]]), TAPS)
        for tap, values in maps[torch.tensor([2, 0])].items():
            assert_close(values, hidden[tap])
        assert_close(maps.logits[[2, 0]], logits)


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


class TestPosthocTraining:
    def test_losses_fall_and_the_classifier_stays_bit_identical(
        self, W, classifier, features, tmp_path
    ):
        before = {k: v.clone() for k, v in classifier.state_dict().items()}
        network, history, _ = train_some(W, classifier, features, tmp_path, n_epochs=6)
        assert history["total"].iloc[-1] < history["total"].iloc[0]
        assert all(torch.equal(v, before[k]) for k, v in classifier.state_dict().items())
        assert torch.equal(network.W, W)

    def test_total_is_the_weighted_sum_of_the_parts(self, W, classifier, features, tmp_path):
        _, history, _ = train_some(
            W, classifier, features, tmp_path, sparsity=0.3, fidelity=[(1, 0.5), (2, 2.0)]
        )
        for epoch, fidelity_weight in enumerate([0.5, 2.0, 2.0]):
            row = history.iloc[epoch]
            assert row["total"] == pytest.approx(
                fidelity_weight * row["fidelity"]
                + 10 * row["reconstruction"]
                + 0.3 * row["sparsity"],
                rel=1e-5,
            )

    def test_several_labels_are_followed_one_by_one(self, W, tagger, features, tmp_path):
        _, history, _ = train_some(
            W, tagger, features, tmp_path, n_epochs=30, fidelity=[(1, 1000.0)]
        )
        logits, _ = tagger.hidden_maps(torch.from_numpy(features[0][2:10]), TAPS)
        p = logits.sigmoid()
        entropy = -(p * p.log() + (1 - p) * (1 - p).log()).mean()  # what a perfect copy would leave
        assert entropy - 1e-4 < history["fidelity"].iloc[-1] < history["fidelity"].iloc[0]

    def test_only_the_rows_given_are_learnt_from(self, W, classifier, features, tmp_path):
        log_mel, log_magnitude = (array.copy() for array in features)
        log_mel[:2], log_magnitude[:2] = np.nan, np.nan  # the test clips
        changed, _, _ = train_some(W, classifier, (log_mel, log_magnitude), tmp_path)
        same, _, _ = train_some(W, classifier, features, tmp_path)
        assert all(map(torch.equal, changed.state_dict().values(), same.state_dict().values()))

    def test_bfloat16_starts_where_float32_does(self, W, classifier, features, tmp_path):
        *_, parity = train_some(
            W, classifier, features, tmp_path, n_epochs=1, precision=torch.bfloat16
        )
        assert 0 < parity < 0.02

    def test_a_precision_that_changes_the_loss_is_refused(
        self, W, classifier, features, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(posthoc_module, "LARGEST_PARITY_GAP", 1e-9)
        with pytest.raises(InputError, match="bfloat16 changes the first loss .* to float32"):
            train_some(W, classifier, features, tmp_path, precision=torch.bfloat16)

    def test_bfloat16_ends_where_float32_does(self, W, classifier, features, tmp_path):
        _, full, _ = train_some(W, classifier, features, tmp_path, n_epochs=4)
        _, half, _ = train_some(
            W, classifier, features, tmp_path, n_epochs=4, precision=torch.bfloat16
        )
        assert half["total"].iloc[-1] == pytest.approx(full["total"].iloc[-1], rel=0.05)
