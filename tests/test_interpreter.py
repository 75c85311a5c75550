"""l2i.interpreter, l2i.losses, l2i.hidden and post-hoc training."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from l2i import losses
from l2i import posthoc as posthoc_module
from l2i import resident as resident_module
from l2i.checks import InputError
from l2i.classifier import Classifier
from l2i.hidden import HiddenMaps
from l2i.interpreter import (
    TAPS,
    AttentionPooling,
    Interpreter,
    MaxPooling,
    Psi,
    stretch,
    stretch_conv,
)
from l2i.models import frozen
from l2i.posthoc import LossWeights, train_posthoc
from l2i.projections import Projections
from l2i.training import Plan

WIDTH = 0.125


@pytest.fixture
def W(rng):
    W = torch.rand(33, 6, generator=rng)
    return W / W.norm(dim=0)


@pytest.fixture
def classifier():
    torch.manual_seed(0)
    return frozen(Classifier(3, width=WIDTH, head_units=8), "cpu")


@pytest.fixture
def features(rng):
    """Log-mel (10, 150, 128) and log-magnitude (10, 33, 150) of ten clips."""
    log_mel = (torch.randn(10, 150, 128, generator=rng) * 10 - 40).numpy()
    return log_mel, torch.rand(10, 33, 150, generator=rng).numpy()


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
    )
    return network, history, parity


class TestPublishedNetwork:
    @pytest.mark.parametrize(("K", "n_parameters"), [(100, 2_866_200), (80, 2_822_560)])
    def test_psi_has_the_published_number_of_parameters(self, K, n_parameters):
        assert sum(p.numel() for p in Psi(K).parameters()) == n_parameters

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
    def test_attention_is_a_weighted_mean_over_time(self, rng):
        torch.manual_seed(0)
        pooling = AttentionPooling(4, dropout=0.0)
        H = torch.rand(2, 4, 9, generator=rng)
        z = pooling(H)
        assert (z <= H.amax(2)).all() and (z >= H.amin(2)).all()
        assert_close(pooling(torch.full((1, 4, 9), 0.7)), torch.full((1, 4), 0.7))

    def test_attention_does_not_depend_on_the_order_of_frames(self, rng):
        torch.manual_seed(0)
        pooling = AttentionPooling(4, dropout=0.0)
        H = torch.rand(1, 4, 9, generator=rng)
        assert_close(pooling(H), pooling(H[:, :, torch.randperm(9, generator=rng)]))

    def test_attention_drops_only_what_it_looks_at_not_what_it_pools(self):
        pooling = AttentionPooling(4, dropout=0.9).train()
        assert_close(pooling(torch.full((1, 4, 9), 0.7)), torch.full((1, 4), 0.7))

    def test_max_takes_the_largest_activation(self, rng):
        H = torch.rand(2, 4, 9, generator=rng)
        assert_close(MaxPooling(4, dropout=0.3).eval()(H), H.amax(2))

    @pytest.mark.parametrize("pooling", ["attention", "max"])
    def test_a_component_adds_exactly_its_weighted_activation_to_a_logit(
        self, W, classifier, pooling
    ):
        network = interpreter(W, pooling).eval()
        _, hidden = classifier.hidden_maps(torch.zeros(1, 150, 128), TAPS)
        _, z, logits = network(hidden, 150)
        assert_close((z * network.linear.weight[1]).sum(), logits[0, 1])


class TestStretchedConvolution:
    @settings(deadline=None)
    @given(
        n=st.integers(1, 9),
        n_frames=st.integers(1, 20),
        kernel=st.sampled_from([(3, 3), (1, 5), (3, 1)]),
        seed=st.integers(0, 2**16),
    )
    def test_it_is_the_convolution_of_the_stretched_map(self, n, n_frames, kernel, seed):
        torch.manual_seed(seed)
        conv = torch.nn.Conv2d(3, 2, kernel, padding=(kernel[0] // 2, kernel[1] // 2)).double()
        h = torch.randn(2, 3, 4, n, dtype=torch.float64, requires_grad=True)
        plain = conv(stretch(h, n_frames))
        early = stretch_conv(h, n_frames, conv)
        assert_close(early, plain)
        probe = torch.randn_like(plain)
        for given_to in (h, conv.weight, conv.bias):
            gradients = [
                torch.autograd.grad(y, given_to, probe, retain_graph=True) for y in (early, plain)
            ]
            assert_close(*gradients)


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
            monkeypatch.setattr(resident_module, "free_memory", lambda device: 0)
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
        self, W, rng, features, tmp_path, monkeypatch, place
    ):
        if place == "scratch file":
            monkeypatch.setattr(resident_module, "free_memory", lambda device: 0)
        rows, batch = np.array([7, 1, 4]), torch.tensor([2, 0])
        projections = Projections(W, features[1], rows, scratch=tmp_path)
        H = torch.rand(2, 6, 150, generator=rng, requires_grad=True)
        short = projections.reconstruction(batch, H)
        plain = losses.reconstruction(torch.from_numpy(features[1][[4, 7]]), W @ H)
        assert_close(short, plain)
        assert_close(*(torch.autograd.grad(loss.sum(), H)[0] for loss in (short, plain)))

    def test_an_exact_factorisation_has_no_error(self, W, rng, tmp_path):
        H = torch.rand(3, 6, 20, generator=rng)
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
