"""l2i.training.fine_tuning: what training changes, and what stands still."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from helpers.small_networks import banded_log_mel, small_classifier
from l2i.training import losses
from l2i.training.augmentation import Augmentation
from l2i.training.fine_tuning import fine_tune_head, predict, train_all_layers
from l2i.training.loop import Plan

LABELS = torch.arange(12) % 3
TARGETS = torch.nn.functional.one_hot(LABELS, 3).float()
WHERE = {
    "checkpoint": None,
    "loss": losses.classification(False),
    "precision": torch.float32,
    "device": "cpu",
}


@pytest.fixture
def small():
    return small_classifier()


@pytest.fixture
def log_mel(generator):
    return banded_log_mel(generator)


class TestTraining:
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
