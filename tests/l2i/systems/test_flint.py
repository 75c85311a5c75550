"""l2i.systems.flint: attributes, their decoder, the losses, training post-hoc and by design."""

import json
import math
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from torch.nn.functional import adaptive_avg_pool2d, conv1d, interpolate, relu
from torch.testing import assert_close

from helpers.ending import ended_in_step
from l2i.checks import InputError
from l2i.datasets.fold import LABEL, Fold
from l2i.features.spectral import FrontEnd
from l2i.networks.classifier import Classifier
from l2i.networks.psi import TAPS
from l2i.networks.stored_classifier import frozen
from l2i.systems import flint
from l2i.systems.flint import Attributes, Decoder, Flint, build, train, weights_at
from l2i.training import losses
from l2i.training.augmentation import random_crop
from l2i.training.task import Task

N, C, N_BINS, N_FRAMES, WIDTH = 6, 3, 17, 128, 0.125
SETTINGS = {
    "joint": False,
    "n_attributes": 6,
    "dropout": 0.01,
    "reconstruction_weight": 3.0,
    "fidelity_weight": 0.5,
    "fidelity_from_epoch": 2,
    "sparsity_weight": 0.1,
    "sparsity_from_epoch": 2,
    "entropy_weight": 0.2,
    "entropy_from_epoch": 3,
    "crop": None,
    "n_epochs": 2,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "schedule": "constant",
}


def classifier(multi_label, log_mel=None):
    """One whose decisions differ from clip to clip: its batch norms know the clips."""
    torch.manual_seed(0)
    network = Classifier(C, width=WIDTH, head_units=8, dropout=0.0, multi_label=multi_label)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.output.weight *= 3
        if log_mel is not None:
            network(torch.from_numpy(log_mel))
    return network


@pytest.fixture
def task(tmp_path):
    def make(*, multi_label=False, **changed):
        draw = np.random.default_rng(0)
        log_mel = draw.normal(-40, 10, (N, N_FRAMES, 128)).astype(np.float32)
        index = pd.DataFrame({"fold": [1] * N})
        for c, name in enumerate("abc"):
            index[LABEL + name] = [(1.0, 0.0, np.nan)[(i + c) % 3] for i in range(N)]
        if not multi_label:
            index = pd.DataFrame({"fold": [1] * N, "label": [i % C for i in range(N)]})
        given = {
            "fold": Fold(
                "toy", "1", index, list("abc"), FrontEnd(44100, 64, 32, 128, 1), "absolute"
            ),
            "log_mel": log_mel,
            "log_magnitude": draw.random((N, N_BINS, N_FRAMES), np.float32),
            "data": "",
            "clip_seconds": 1.0,
            "device": "cpu",
            "classifier": frozen(classifier(multi_label, log_mel), "cpu"),
            "rows": np.arange(N),
            "loss": losses.classification(multi_label),
            "start": classifier(multi_label, log_mel),
            "W": None,
            "precision": torch.float32,
            "scratch": tmp_path,
            "checkpoints": tmp_path / "checkpoints",
        }
        return Task(**given | changed)

    return make


FOLLOW = {  # more attributes than clips, and nothing to do but to predict
    "n_attributes": 24,
    "dropout": 0.0,
    "reconstruction_weight": 0.0,
    "sparsity_weight": 0.0,
    "entropy_weight": 0.0,
    "fidelity_weight": 1.0,
    "fidelity_from_epoch": 1,
    "n_epochs": 100,
    "batch_size": N,
    "learning_rate": 3e-3,
}


def trained(task, **changed):
    torch.manual_seed(3)
    return train(task, SETTINGS | changed)


def network(**changed):
    torch.manual_seed(1)
    architecture = {"n_attributes": 6, "n_classes": C, "n_bins": N_BINS} | changed
    return Flint(**architecture, dropout=0.5, width=WIDTH)


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a.keys() | b.keys())


class TestNetwork:
    @pytest.mark.parametrize(("J", "n_parameters"), [(100, 1_950_948), (80, 1_927_888)])
    def test_attributes_have_the_published_number_of_parameters(self, J, n_parameters):
        assert sum(p.numel() for p in Attributes(J, width=1.0).parameters()) == n_parameters

    def test_the_decoder_has_the_published_layers(self):
        shapes = {n: tuple(p.shape) for n, p in Decoder(100, 513, width=1.0).named_parameters()}
        assert {name: s for name, s in shapes.items() if name.endswith("weight")} == {
            "seed.weight": (1600, 100),
            "first.weight": (32, 16, 1, 5),
            "second.weight": (64, 32, 1, 5),
            "third.weight": (128, 64, 1, 5),
            "bins.weight": (513, 128, 1, 3),
        }

    @pytest.mark.parametrize("n_frames", [128, 173, 431, 862])
    def test_the_decoder_gives_the_frames_that_are_asked_for(self, n_frames):
        decoder = network().decoder
        X = decoder(torch.rand(2, 6), n_frames)
        assert X.shape == (2, N_BINS, n_frames)
        assert (X >= 0).all() and X.max() > 0

    def test_the_decoder_computes_what_one_dimensional_layers_do(self):
        decoder, Phi = network().decoder.double(), torch.rand(2, 6, dtype=torch.float64)

        def layer(h, convolution, padding):
            return relu(conv1d(h, convolution.weight.squeeze(2), convolution.bias, padding=padding))

        h = decoder.seed(Phi).reshape(2, 2, 100)  # 16 channels at full width
        for convolution in (decoder.first, decoder.second):
            h = interpolate(layer(h, convolution, 2), scale_factor=2, mode="nearest")
        h = layer(h, decoder.third, 2)
        h = interpolate(h, 173, mode="linear", align_corners=True)
        assert_close(decoder(Phi, 173), layer(h, decoder.bins, 1))

    @examples(deadline=None)
    @given(height=st.integers(1, 9), width=st.integers(1, 60))
    def test_pooling_is_adaptive_average_pooling(self, height, width):
        h = torch.randn(2, 3, height, width, dtype=torch.float64)
        assert_close(flint.pooled(flint.pooled(h, 3), 2), adaptive_avg_pool2d(h, 3))

    @pytest.mark.parametrize("n_frames", [128, 173, 431, 862])
    def test_attributes_are_the_same_number_for_clips_of_any_length(self, n_frames):
        M = torch.randn(2, n_frames, 128)
        _, hidden = classifier(False).hidden_maps(M, TAPS)
        Phi, logits, X = network()(hidden, n_frames)
        assert Phi.shape == (2, 6) and logits.shape == (2, C) and X.shape == (2, N_BINS, n_frames)
        assert (Phi >= 0).all()

    def test_attributes_are_read_from_the_joined_maps_in_nine_cells(self):
        attributes = network().attributes
        _, hidden = classifier(False).eval().hidden_maps(torch.randn(2, N_FRAMES, 128), TAPS)
        h = adaptive_avg_pool2d(relu(attributes.joint(attributes.join(hidden))), 3)
        assert h.shape == (2, 16, 3, 3)  # 128 channels at full width
        assert_close(attributes(hidden), relu(attributes.linear(h.flatten(1))))

    def test_logits_are_sums_of_what_attributes_add(self):
        explained = network().eval()
        _, hidden = classifier(False).hidden_maps(torch.randn(2, N_FRAMES, 128), TAPS)
        Phi, logits, _ = explained(hidden, N_FRAMES)
        assert_close(logits, Phi @ explained.linear.weight.T)
        assert explained.linear.bias is None


class TestEntropies:
    def test_equal_attributes_have_the_entropy_of_the_uniform_distribution(self):
        for value in (0.0, 1.0, 7.0):
            Phi = torch.full((4, 5), value)
            assert flint.conciseness(Phi).item() == pytest.approx(math.log(5))
            assert flint.diversity(Phi).item() == pytest.approx(math.log(5))

    def test_one_attribute_per_clip_is_concise_and_all_of_them_in_turn_diverse(self):
        Phi = 100 * torch.eye(5)
        assert flint.conciseness(Phi).item() == pytest.approx(0, abs=1e-6)
        assert flint.diversity(Phi).item() == pytest.approx(math.log(5))

    def test_the_same_attribute_in_every_clip_is_concise_but_not_diverse(self):
        Phi = torch.zeros(4, 5)
        Phi[:, 2] = 100
        assert flint.conciseness(Phi).item() == pytest.approx(0, abs=1e-6)
        assert flint.diversity(Phi).item() == pytest.approx(0, abs=1e-6)

    def test_diversity_is_the_entropy_of_the_softmax_of_the_mean(self):
        """And not of the mean of the softmaxes, which would be near one half each."""
        Phi = torch.tensor([[4.0, 0.0], [0.0, 0.0]])
        p = 1 / (1 + math.exp(-2.0))  # softmax of (2, 0)
        expected = -p * math.log(p) - (1 - p) * math.log(1 - p)
        assert flint.diversity(Phi).item() == pytest.approx(expected)

    def test_conciseness_is_the_mean_over_clips(self):
        Phi = torch.tensor([[100.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
        assert flint.conciseness(Phi).item() == pytest.approx(math.log(3) / 2)

    @examples(deadline=None, max_examples=30)
    @given(seed=st.integers(0, 2**16), shift=st.floats(-5, 5))
    def test_entropy_lies_between_none_and_uniform_and_no_common_shift_matters(self, seed, shift):
        scores = 5 * torch.randn(3, 7, generator=torch.Generator().manual_seed(seed))
        entropy = flint.entropy(scores)
        assert (entropy >= -1e-6).all() and (entropy <= math.log(7) + 1e-6).all()
        assert_close(flint.entropy(scores + shift), entropy, atol=1e-4, rtol=1e-4)


class TestLosses:
    def test_weights_begin_with_the_epoch_that_is_named(self):
        begun = [weights_at(epoch, SETTINGS) for epoch in (1, 2, 3)]
        assert [w["fidelity"] for w in begun] == [0.0, 0.5, 0.5]
        assert [w["sparsity"] for w in begun] == [0.0, 0.1, 0.1]
        assert [w["entropy"] for w in begun] == [0.0, 0.0, 0.2]
        assert all(w["prediction"] == 1.0 and w["reconstruction"] == 3.0 for w in begun)

    @pytest.mark.parametrize("joint", [False, True])
    def test_the_total_is_the_weighted_sum(self, task, joint):
        history = trained(task(), joint=joint, n_epochs=3, batch_size=N).history
        late = history["epoch"] >= 2
        expected = 3.0 * history["reconstruction"] + (history["prediction"] if joint else 0)
        expected += late * (0.5 * history["fidelity"] + 0.1 * history["sparsity"])
        expected += (history["epoch"] >= 3) * 0.2 * history["entropy"]
        np.testing.assert_allclose(history["total"], expected, rtol=1e-5)

    def test_the_entropies_make_clips_differ_in_the_attribute_that_stands_out(self, task):
        alone = FOLLOW | {"fidelity_weight": 0.0, "entropy_weight": 1.0, "entropy_from_epoch": 1}
        entropy = trained(task(), **alone | {"n_epochs": 40}).history["entropy"]
        assert abs(entropy.iloc[0]) < 0.1  # small attributes are neither concise nor diverse
        assert entropy.iloc[-1] < -0.5

    @pytest.mark.parametrize("multi_label", [False, True])
    def test_losses_of_clips_are_means_over_their_elements(self, task, multi_label):
        torch.manual_seed(4)
        logits, reference = torch.randn(2, C), torch.rand(2, C)
        explanation = flint.Explanation(torch.rand(2, 6), logits, torch.rand(2, N_BINS, 7))
        X = torch.rand(2, N_BINS, 7)
        each = flint.clip_losses(explanation, X, reference, multi_label=multi_label)
        p = logits.sigmoid() if multi_label else logits.softmax(1)
        bits = reference * p.log()
        if multi_label:
            bits = (bits + (1 - reference) * (1 - p).log()) / C
        assert_close(each["fidelity"], -bits.sum(1))
        assert_close(each["reconstruction"], ((explanation.X - X) ** 2).flatten(1).mean(1))
        assert_close(each["sparsity"], explanation.Phi.sum(1) / 6)


class TestExcerpts:
    def test_a_whole_clip_is_shifted_in_a_circle_alike_in_both(self):
        torch.manual_seed(0)
        frames = torch.arange(200.0)
        M, X = random_crop(frames[:, None].expand(4, 200, 3), frames.expand(4, 5, 200), 1.0)
        assert X.shape == (4, 5, 200) and M.shape == (4, 200, 3)
        shifted = [torch.roll(frames, -int(start)) for start in X[:, 0, 0]]
        assert_close(X, torch.stack(shifted)[:, None].expand(-1, 5, -1))
        assert_close(M, torch.stack(shifted)[:, :, None].expand(-1, -1, 3))
        assert len(set(X[:, 0, 0].tolist())) > 1

    def test_a_share_is_seen(self):
        M, X = random_crop(torch.rand(2, 300, 3), torch.rand(2, 5, 300), 0.6)
        assert X.shape == (2, 5, 180) and M.shape == (2, 180, 3)

    def test_by_design_alone_sees_them(self, task):
        as_they_are, shifted = (
            trained(task(), joint=True, crop=share).history["reconstruction"]
            for share in (None, 1.0)
        )
        assert (as_they_are != shifted).any()

    @pytest.mark.parametrize(("joint", "share"), [(False, 1.0), (True, 0.0), (True, 1.5)])
    def test_what_cannot_be_is_refused(self, task, joint, share):
        with pytest.raises(InputError, match=f"crop must be null.* got {share} with joint"):
            trained(task(), joint=joint, crop=share)


class TestTraining:
    def test_settings_are_described_and_each_is_read(self, task):
        read = set()

        class Watched(dict):
            def __getitem__(self, key):
                read.add(key)
                return super().__getitem__(key)

            def get(self, key, default=None):
                read.add(key)
                return super().get(key, default)

        train(task(), Watched(SETTINGS | {"n_epochs": 1}))
        assert read == set(SETTINGS) == set(flint.SETTINGS)

    @pytest.mark.parametrize("multi_label", [False, True])
    def test_post_hoc_leaves_the_classifier_as_it_is(self, task, multi_label):
        given = task(multi_label=multi_label)
        before = deepcopy(given.classifier.state_dict())
        network, history, _ = trained(given)
        assert same(before, given.classifier.state_dict())
        assert not given.classifier.training
        assert network.classifier is None and "prediction" not in history

    @pytest.mark.parametrize("multi_label", [False, True])
    def test_by_design_moves_all_of_the_classifier(self, task, multi_label):
        given = task(multi_label=multi_label)
        before = deepcopy(given.start.state_dict())
        network, history, _ = trained(given, joint=True)
        moved = network.classifier.state_dict()
        # A bias before a batch norm has no influence, so it may stay.
        learned = [name for name in moved if name.endswith((".weight", "running_mean"))]
        assert all(not torch.equal(moved[name], before[name]) for name in learned)
        assert np.isfinite(history["prediction"]).all()

    def test_by_design_the_classifier_may_not_learn_to_be_easy_to_predict(self, task):
        """Its last layer is reached by the fidelity through the reference alone."""
        given = task(loss=lambda logits, targets: 0 * logits.sum())
        before = deepcopy(given.start)
        network, *_ = trained(given, joint=True, fidelity_from_epoch=1)
        after = network.classifier
        assert torch.equal(before.output.weight, after.output.weight)
        assert not torch.equal(before.blocks["B6"][0].weight, after.blocks["B6"][0].weight)

    @pytest.mark.parametrize("joint", [False, True])
    def test_the_linear_layer_waits_for_the_fidelity(self, task, joint):
        layers = [
            trained(task(), joint=joint, fidelity_from_epoch=first).network.linear.weight
            for first in (3, 4, 2)
        ]
        assert torch.equal(layers[0], layers[1])
        assert not torch.equal(layers[0], layers[2])

    @pytest.mark.parametrize("multi_label", [False, True])
    def test_it_can_follow_a_classifier_exactly(self, task, multi_label):
        given = task(multi_label=multi_label)
        logits = frozen(trained(given, **FOLLOW).network, "cpu").predict(given.clips(given.rows))[0]
        reference = given.classifier.probabilities(given.clips(given.rows).reference)
        assert reference.std(0).min() > 0.05  # otherwise this would be easy
        assert_close(given.classifier.probabilities(logits), reference, atol=1e-3, rtol=0)

    def test_by_design_learns_the_labels(self, task):
        given = task()
        network = frozen(trained(given, joint=True, **FOLLOW | {"n_epochs": 50}).network, "cpu")
        logits = network.predict(given.clips(given.rows)).logits
        assert torch.equal(logits.argmax(1), given.targets.argmax(1))

    @pytest.mark.parametrize(("joint", "crop"), [(False, None), (True, 0.9)])
    def test_a_run_that_was_ended_goes_on_to_the_same_weights(self, task, joint, crop):
        settings = {"joint": joint, "crop": crop, "dropout": 0.3}
        whole = task(checkpoints=task().scratch / "whole")
        straight = trained(whole, **settings, n_epochs=2)
        with ended_in_step(2):
            trained(task(), **settings, n_epochs=2)
        torch.manual_seed(99)
        resumed = train(task(), SETTINGS | settings | {"n_epochs": 2})
        assert same(straight.network.state_dict(), resumed.network.state_dict())
        assert straight.history["total"].tolist() == resumed.history["total"].tolist()

    @pytest.mark.parametrize("joint", [False, True])
    def test_bfloat16_begins_where_float32_does(self, task, joint):
        exact, fast = (
            trained(task(precision=p), joint=joint, batch_size=N, n_epochs=1).history["total"]
            for p in (torch.float32, torch.bfloat16)
        )
        np.testing.assert_allclose(fast, exact, rtol=0.03)
        assert (fast != exact).any()


class TestScores:
    @pytest.mark.parametrize("joint", [False, True])
    @pytest.mark.parametrize("multi_label", [False, True])
    def test_a_network_built_anew_gives_the_same(self, task, joint, multi_label):
        given = task(multi_label=multi_label)
        network = frozen(trained(given, joint=joint).network, "cpu")
        again = build(**json.loads(json.dumps(network.architecture)))
        again.load_state_dict(network.state_dict())
        clips = given.clips(np.array([4, 0]))
        scores, rebuilt = (each.predict(clips) for each in (network, frozen(again, "cpu")))
        assert torch.equal(scores.logits, rebuilt.logits)
        assert scores.logits.shape == (2, C) and scores.logits.dtype == torch.float32
        assert not scores.logits.requires_grad
        assert set(scores.losses) == {"fidelity_loss", "reconstruction_loss", "sparsity_loss"}
        assert all(loss.shape == (2,) for loss in scores.losses.values())

    def test_by_design_scores_need_no_other_classifier(self, task):
        given = task(classifier=None)
        network = frozen(trained(given, joint=True).network, "cpu")
        assert network.predict(given.clips(given.rows)).logits.shape == (N, C)

    def test_they_do_not_depend_on_the_batch(self, task):
        given = task()
        network = frozen(trained(given, joint=True).network, "cpu")
        together = network.predict(given.clips(given.rows)).logits
        alone = [network.predict(given.clips(given.rows[i : i + 1])).logits for i in range(N)]
        assert_close(torch.cat(alone), together, atol=1e-4, rtol=1e-4)
