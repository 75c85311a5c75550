"""l2i.networks.adapter: other networks, seen as classifiers of this library."""

import pytest
import torch
from torch import nn

from helpers.foreign_networks import (
    SECONDS,
    SPECTROGRAMS,
    WAVEFORMS,
    OnSpectrograms,
    OnWaveforms,
    hear,
)
from l2i.checks import InputError
from l2i.networks.adapter import Adapter
from l2i.networks.classifier import Classifier
from l2i.networks.explainable import Explainable, MapShape

M = torch.randn(3, 126, 20) * 10 - 40


def adapted(taps=("layers.0", "layers.1"), network=None, **over):
    over = {"hear": hear, "arrange": lambda h: h.transpose(2, 3)} | over
    network = network or OnSpectrograms()
    return Adapter(network, SPECTROGRAMS, clip_seconds=SECONDS, taps=taps, **over)


def test_it_says_what_the_network_says():
    network = OnSpectrograms()
    assert torch.equal(adapted(network=network)(M), network(hear(M)))


def test_hidden_maps_are_what_the_layers_put_out_with_time_before_bands():
    adapter = adapted()
    logits, maps = adapter.hidden_maps(M, ("layers.1", "layers.0"))
    first = adapter.network.layers[0](hear(M))
    assert torch.equal(maps["layers.0"], first.transpose(2, 3))
    assert torch.equal(logits, adapter(M))
    assert maps["layers.1"].shape[:2] == (3, 12)


def test_only_the_maps_asked_for_are_kept_and_no_hook_is_left():
    adapter = adapted()
    assert {*adapter.hidden_maps(M, ("layers.1",))[1]} == {"layers.1"}
    assert not any(layer._forward_hooks for layer in adapter.network.modules())


def test_shapes_are_measured_as_the_network_runs():
    shapes = adapted().map_shapes
    assert shapes["layers.0"][:2] == (6, 9) and shapes["layers.0"].stride == pytest.approx(126 / 62)
    assert shapes["layers.1"][:2] == (12, 5) and shapes["layers.1"].stride == 6


def test_maps_without_a_frequency_have_one_band():
    adapter = Adapter(OnWaveforms(), WAVEFORMS, clip_seconds=SECONDS, taps=["filters"])
    ((channels, n_bands, stride),) = adapter.map_shapes.values()
    assert (channels, n_bands) == (16, 1) and stride == pytest.approx(126 / 497)


def test_what_a_layer_changes_in_place_afterwards_is_heard_as_it_put_it_out():
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.LazyLinear(2)
    )
    network(hear(M))
    maps = adapted(["0"], network).hidden_maps(M, ("0",))[1]
    assert (maps["0"] < 0).any()


@pytest.mark.parametrize("multi_label", [False, True])
def test_decisions_and_probabilities_are_those_of_a_classifier_of_ours(multi_label):
    ours, logits = Classifier(2, width=0.05, multi_label=multi_label), torch.randn(9, 2)
    other = adapted(multi_label=multi_label)
    assert torch.equal(other.probabilities(logits), ours.probabilities(logits))
    assert torch.equal(other.decisions(logits), ours.decisions(logits))


def test_all_that_an_explainable_has():
    asked = {name for name in vars(Explainable) if not name.startswith("_")}
    for network in (adapted(), Classifier(2, width=0.05)):
        assert asked <= {*dir(network)}
        assert all(isinstance(shape, MapShape) for shape in network.map_shapes.values())


def test_shapes_of_our_classifier_are_those_of_its_maps():
    classifier = Classifier(2, width=0.1).eval()
    _, maps = classifier.hidden_maps(torch.zeros(1, 256, 128), tuple(classifier.map_shapes))
    for name, h in maps.items():
        assert classifier.map_shapes[name] == (h.shape[1], h.shape[3], 256 / h.shape[2])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"taps": []}, "taps is empty, .*: name some of layers, layers.0, layers.1"),
        ({"taps": ["layers.2"]}, "taps names layers.2, .* name some of layers, layers.0, layers.1"),
        ({"taps": ["head"]}, r"a clip of 1 s, which is \(1, 126, 20\), does not go .*: Dimension"),
        ({"hear": lambda M: M}, "does not go through `hear`, network and `arrange`"),
        ({"arrange": lambda h: h.flatten(2).flatten(1)}, "not so layers.0, layers.1"),
    ],
)
def test_what_is_no_hidden_map_is_named(how, message):
    with pytest.raises(InputError, match=message):
        adapted(**how)
