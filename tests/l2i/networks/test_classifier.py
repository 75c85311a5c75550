"""l2i.networks.classifier: published shapes, any length, and what it decides."""

import pytest
import torch
from torch.testing import assert_close

from helpers.small_networks import banded_log_mel, small_classifier
from l2i.networks.classifier import BLOCKS, MIN_FRAMES, Classifier, from_audioset


@pytest.fixture
def small():
    return small_classifier()


@pytest.fixture
def log_mel(generator):
    return banded_log_mel(generator)


def published_state():
    """A state dict in the published naming, as an old data-parallel file has it."""
    state, n_in, number = {}, 1, 1
    for name, channels in [*BLOCKS.items(), ("L18", (1024,))]:
        for n_out in channels:
            side = 2 if name == "L18" else 3
            key = f"module.layer{18 if name == 'L18' else number}"
            state[f"{key}.0.weight"] = torch.full((n_out, n_in, side, side), float(number))
            state[f"{key}.0.bias"] = torch.zeros(n_out)
            for part in ("weight", "bias", "running_mean", "running_var"):
                state[f"{key}.1.{part}"] = torch.ones(n_out)
            n_in, number = n_out, number + 1
        number += 1  # a pooling layer
    state["module.layer19.0.weight"] = torch.zeros(527, 1024, 1, 1)
    state["module.layer19.0.bias"] = torch.zeros(527)
    return state


class TestPublishedNetwork:
    def test_it_has_the_published_number_of_parameters(self):
        network = Classifier(50)
        assert sum(p.numel() for p in network.head_parameters()) == 275_250
        without_audioset_head = 5_277_297 - 527 * 1025
        assert sum(p.numel() for p in network.parameters()) == without_audioset_head

    @pytest.mark.parametrize(
        ("n_frames", "shapes"),
        [
            (431, {"B4": (128, 53, 16), "B5": (256, 26, 8), "B6": (512, 13, 4)}),
            (862, {"B4": (128, 107, 16), "B5": (256, 53, 8), "B6": (512, 26, 4)}),
        ],
    )
    def test_hidden_maps_have_the_published_shapes(self, n_frames, shapes):
        with torch.no_grad():
            logits, hidden = (
                Classifier(50).eval().hidden_maps(torch.zeros(1, n_frames, 128), tuple(shapes))
            )
        assert logits.shape == (1, 50)
        assert {tap: tuple(h.shape[1:]) for tap, h in hidden.items()} == shapes

    def test_every_tensor_of_the_published_trunk_finds_its_place(self):
        network = Classifier(50)
        state = published_state()
        assert len(state) == 74
        converted = from_audioset(state)
        missing, unexpected = network.load_state_dict(converted, strict=False)
        assert not unexpected
        assert all(
            m.startswith(("head.", "output.")) or m.endswith("num_batches_tracked") for m in missing
        )
        assert (network.blocks["B6"][0].weight == 16).all()  # layer 16
        assert (network.blocks["B2"][3].weight == 5).all()  # layer 5


class TestInvariants:
    def test_hidden_maps_come_with_the_same_logits(self, small, log_mel):
        M = torch.from_numpy(log_mel)
        small.eval()
        assert_close(small.hidden_maps(M, ("B4",))[0], small(M))

    @pytest.mark.parametrize("n_frames", [MIN_FRAMES, 200, 431])
    def test_any_length_above_the_minimum_works(self, small, n_frames):
        assert small.eval()(torch.zeros(2, n_frames, 128)).shape == (2, 3)


class TestMultiLabel:
    def test_classes_are_decided_one_by_one_strictly_above_their_thresholds(self):
        network = Classifier(3, width=0.125, multi_label=True)
        network.thresholds.copy_(torch.tensor([0.5, 0.9, 0.1]))
        logits = torch.tensor([[0.0, 1.0, -1.0]])  # probabilities 0.5, 0.73, 0.27
        assert network.decisions(logits).tolist() == [[False, False, True]]
        assert_close(network.probabilities(logits), logits.sigmoid())

    def test_one_class_is_decided_for_where_one_is_right(self):
        network = Classifier(3, width=0.125)
        logits = torch.tensor([[-3.0, -1.0, -2.0]])
        assert network.decisions(logits).tolist() == [[False, True, False]]
        assert_close(network.probabilities(logits), logits.softmax(-1))

    def test_the_input_itself_can_be_a_hidden_map(self, small, log_mel):
        M = torch.from_numpy(log_mel[:2])
        _, hidden = small.eval().hidden_maps(M, ("input", "B6"))
        assert_close(hidden["input"][:, 0], M)
        assert list(hidden) == ["input", "B6"]
