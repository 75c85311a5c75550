"""l2i.training.hidden_maps: cached maps are those of the classifier."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from helpers.small_networks import random_features, small_classifier
from l2i.networks.interpreter import TAPS
from l2i.networks.stored_classifier import frozen
from l2i.training import cached_rows as cached_rows_module
from l2i.training.hidden_maps import HiddenMaps


@pytest.fixture
def classifier():
    return frozen(small_classifier(), "cpu")


@pytest.fixture
def features(generator):
    return random_features(generator)


@pytest.mark.parametrize("place", ["cpu", "scratch file"])
def test_cached_maps_are_those_of_the_classifier(
    classifier, features, tmp_path, monkeypatch, place
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
