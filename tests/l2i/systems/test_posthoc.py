"""l2i.systems.posthoc: a network rebuilt from its file, and learning to follow a classifier."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from helpers.small_networks import (
    WIDTH,
    random_dictionary,
    random_features,
    small_classifier,
    small_interpreter,
)
from l2i.checks import InputError
from l2i.networks.classifier import DEPTHS
from l2i.networks.interpreter import (
    TAPS,
)
from l2i.networks.stored_classifier import frozen
from l2i.systems import posthoc as posthoc_module
from l2i.systems.loading import load_system, save_system
from l2i.systems.posthoc import LossWeights, PostHoc, followed_clips, train_posthoc
from l2i.training import losses
from l2i.training.loop import Plan


@pytest.fixture
def W(generator):
    return random_dictionary(generator)


@pytest.fixture
def classifier():
    return frozen(small_classifier(), "cpu")


@pytest.fixture
def tagger():
    return frozen(small_classifier(multi_label=True), "cpu")


@pytest.fixture
def features(generator):
    return random_features(generator)


def train_some(
    W,
    classifier,
    features,
    tmp_path,
    n_epochs=3,
    precision=torch.float32,
    followed=None,
    **weights,
):
    torch.manual_seed(2)
    network = small_interpreter(W)
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
        followed=followed,
    )
    return network, history, parity


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


class TestTraining:
    def test_weights_follow_the_epoch(self):
        weights = LossWeights(reconstruction=5.0, sparsity=0.4, fidelity=[(1, 0.5), (20, 1.0)])
        assert [weights.fidelity_at(e) for e in (1, 19, 20, 35)] == [0.5, 0.5, 1.0, 1.0]

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

    def test_only_the_rows_given_are_learned_from(self, W, classifier, features, tmp_path):
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


class TestShuffledTargets:
    OTHERS = np.array([5, 4, 7, 6, 1, 0, 3, 2])  # of the eight training clips: of other batches

    def test_the_loss_is_held_to_the_outputs_of_other_clips(
        self, W, classifier, features, tmp_path
    ):
        """The first loss, before any step, by hand: reconstruction of the clip that is heard."""
        torch.manual_seed(2)
        network = small_interpreter(W).eval()
        rows = np.arange(2, 10)
        M, X = (torch.from_numpy(array[rows]) for array in features)
        logits, maps = classifier.hidden_maps(M, TAPS)
        H, _, estimate = network(maps, X.shape[-1])
        expected = losses.fidelity(logits.softmax(-1)[self.OTHERS], estimate).mean()
        # As many steps as batches, none of which moves anything.
        history = self.untrained(W, classifier, features, tmp_path)
        assert history["fidelity"].iloc[0] == pytest.approx(expected.item(), rel=1e-5)
        error = losses.reconstruction(X, network.reconstruct(H)).mean()
        assert history["reconstruction"].iloc[0] == pytest.approx(error.item(), rel=1e-5)

    def untrained(self, W, classifier, features, tmp_path):
        torch.manual_seed(2)
        history, _ = train_posthoc(
            small_interpreter(W),
            classifier,
            *features,
            np.arange(2, 10),
            LossWeights(reconstruction=1.0, sparsity=0.0, fidelity=[(1, 1.0)]),
            Plan(1, 4, 0.0),
            precision=torch.float32,
            device="cpu",
            scratch=tmp_path,
            checkpoint=None,
            followed=self.OTHERS,
        )
        return history

    def test_what_precisions_are_compared_by_is_held_to_the_same_clips(self, W, features, tmp_path):
        network, M = small_classifier(), torch.from_numpy(features[0][2:])
        with torch.no_grad():
            for _ in range(30):  # statistics of these clips
                network.train()(M)
            network.output.weight.mul_(30)
            network.output.bias.sub_(network.eval()(M).mean(0))
            assert len(network(M).argmax(1).unique()) > 1, "it tells clips apart"
        *_, parity = train_some(
            *(W, frozen(network, "cpu"), features, tmp_path),
            n_epochs=1,
            followed=self.OTHERS,
            fidelity=[(1, 1000.0)],
        )
        assert parity < 1e-4

    def test_it_learns_other_weights_and_bfloat16_starts_where_float32_does(
        self, W, classifier, features, tmp_path
    ):
        own, *_ = train_some(W, classifier, features, tmp_path)
        told, *_ = train_some(W, classifier, features, tmp_path, followed=np.arange(8))
        other, *_ = train_some(W, classifier, features, tmp_path, followed=self.OTHERS)
        *_, parity = train_some(
            *(W, classifier, features, tmp_path),
            followed=self.OTHERS,
            precision=torch.bfloat16,
            fidelity=[(1, 1000.0)],
        )
        assert torch.equal(own.linear.weight, told.linear.weight)
        assert not torch.equal(own.linear.weight, other.linear.weight)
        assert 0 < parity < 0.02

    def test_followed_clips_are_others_drawn_with_the_seed_of_the_training(self):
        drawn = []
        for seed in (5, 5, 6):
            torch.manual_seed(seed)
            torch.rand(seed)  # whatever was drawn before
            drawn.append(followed_clips("shuffled", 30))
        assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])
        assert sorted(drawn[0]) == list(range(30)) and (drawn[0] != np.arange(30)).all()
        assert np.array_equal(followed_clips("classifier", 30), np.arange(30))
