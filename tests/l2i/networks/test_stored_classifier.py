"""l2i.networks.stored_classifier: what is written comes back whole and frozen."""

import pytest
import torch
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.networks.classifier import Classifier
from l2i.networks.stored_classifier import frozen, load_classifier, save_classifier
from l2i.weights import classes_hash, save_weights

IDENTITY = {"fold": "1", "classes_sha256": classes_hash(["dog", "rain"]), "sample_rate": 44_100}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.safetensors"


def test_a_classifier_comes_back_whole_and_frozen(path):
    network = Classifier(2, width=0.125, head_units=8, dropout=0.5).eval()
    save_classifier(path, network, **IDENTITY)
    loaded = load_classifier(path, device="cpu", **IDENTITY)
    M = torch.randn(2, 128, 128)
    assert_close(loaded(M), network(M))
    assert not any(p.requires_grad for p in loaded.parameters())


def test_weights_of_another_kind(path):
    save_weights(path, {"W": torch.ones(2)}, kind="dictionary", **IDENTITY)
    with pytest.raises(InputError, match="kind is 'dictionary', expected 'classifier'"):
        load_classifier(path, device="cpu", **IDENTITY)


def test_frozen_networks_take_no_gradients():
    network = frozen(Classifier(3, width=0.125), "cpu")
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
