"""l2i.networks.classifier and its training: published shapes, any length, what stands still."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from l2i.networks.classifier import BLOCKS, MIN_FRAMES, Classifier, from_audioset
from l2i.training import losses
from l2i.training.augmentation import Augmentation, augment
from l2i.training.fine_tuning import fine_tune_head, predict, train_all_layers
from l2i.training.loop import Plan


@pytest.fixture
def small():
    torch.manual_seed(0)
    return Classifier(3, width=0.125, head_units=8)


@pytest.fixture
def log_mel(generator):
    """Twelve clips of three classes, told apart by a band of energy."""
    M = torch.randn(12, MIN_FRAMES, 128, generator=generator) - 40
    for i in range(12):
        M[i, :, 40 * (i % 3) : 40 * (i % 3) + 30] += 30
    return M.numpy()


LABELS = torch.arange(12) % 3
TARGETS = torch.nn.functional.one_hot(LABELS, 3).float()
WHERE = {
    "checkpoint": None,
    "loss": losses.classification(False),
    "precision": torch.float32,
    "device": "cpu",
}


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

    def test_training_the_head_leaves_trunk_and_batch_norm_statistics_bit_identical(
        self, small, log_mel
    ):
        before = {k: v.clone() for k, v in small.state_dict().items()}
        fine_tune_head(small, log_mel, np.arange(12), TARGETS, Plan(2, 4, 1e-2), **WHERE)
        changed = {k for k, v in small.state_dict().items() if not torch.equal(v, before[k])}
        assert changed == {"head.weight", "head.bias", "output.weight", "output.bias"}

    def test_training_all_layers_learns_a_separable_problem(self, small, log_mel):
        plan = Plan(30, 4, 1e-2, "one_cycle")
        augmentation = Augmentation(crop=1.0, mixup=0.0)
        history = train_all_layers(
            small, log_mel, np.arange(12), TARGETS, plan, augmentation=augmentation, **WHERE
        )
        assert history["total"].iloc[-1] < 0.5 * history["total"].iloc[0]
        logits = predict(small.eval(), log_mel, np.arange(12), "cpu")
        assert (logits.argmax(1) == LABELS).float().mean() > 0.9

    def test_one_clip_more_than_whole_batches_is_no_accident(self, small, log_mel):
        train_all_layers(
            small, log_mel, np.arange(9), TARGETS[:9], Plan(1, 4, 1e-3), augmentation=None, **WHERE
        )

    def test_the_rows_asked_for_are_the_rows_predicted(self, small, log_mel):
        small.eval()
        rows = np.array([5, 0, 7])
        assert_close(
            predict(small, log_mel, rows, "cpu"), small(torch.from_numpy(log_mel[rows])).detach()
        )


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

    def test_all_layers_learn_from_the_labels_that_are_known(self, small, log_mel):
        targets = TARGETS.clone()
        targets[::3] = torch.nan
        known = ~targets.isnan().any(1).numpy()
        plan = Plan(30, 4, 1e-2, "one_cycle")
        how = WHERE | {"loss": losses.classification(True)}
        history = train_all_layers(
            small, log_mel, np.arange(12), targets, plan, augmentation=None, **how
        )
        assert np.isfinite(history["total"]).all()
        probabilities = predict(small.eval(), log_mel, np.arange(12), "cpu").sigmoid()
        assert ((probabilities > 0.5) == (TARGETS == 1))[known].float().mean() > 0.9

    def test_the_input_itself_can_be_a_hidden_map(self, small, log_mel):
        M = torch.from_numpy(log_mel[:2])
        _, hidden = small.eval().hidden_maps(M, ("input", "B6"))
        assert_close(hidden["input"][:, 0], M)
        assert list(hidden) == ["input", "B6"]


class TestAugmentation:
    def test_a_crop_of_one_is_a_circular_shift(self):
        M = torch.arange(2.0 * MIN_FRAMES * 4).reshape(2, MIN_FRAMES, 4)
        moved, target = augment(M, torch.eye(2), Augmentation(crop=1.0, mixup=0.0))
        for clip, original in zip(moved, M, strict=True):
            start = int((original[:, 0] == clip[0, 0]).nonzero())
            assert_close(clip, original.roll(-start, 0))
        assert_close(target, torch.eye(2))

    def test_crops_are_shorter_but_never_too_short(self):
        M = torch.zeros(2, 400, 4)
        assert augment(M, torch.eye(2), Augmentation(0.5, 0.0))[0].shape[1] == 200
        assert augment(M, torch.eye(2), Augmentation(0.1, 0.0))[0].shape[1] == MIN_FRAMES

    def test_mixed_clips_have_mixed_targets_that_still_sum_to_one(self):
        torch.manual_seed(3)
        M = torch.stack([torch.zeros(MIN_FRAMES, 4), torch.ones(MIN_FRAMES, 4)])
        mixed, target = augment(M, torch.eye(2), Augmentation(1.0, 1.0))
        assert_close(target.sum(1), torch.ones(2))
        assert_close(mixed[:, 0, 0], target[:, 1])

    def test_a_mixture_is_known_to_hold_only_what_both_clips_are_known_to_hold(self):
        M, target = torch.zeros(2, MIN_FRAMES, 4), torch.tensor([[1.0, torch.nan], [1.0, 0.0]])
        torch.manual_seed(0)  # a permutation that swaps the two
        _, mixed = augment(M, target, Augmentation(1.0, 1.0))
        assert_close(mixed[:, 0], torch.ones(2))
        assert mixed[:, 1].isnan().all()
