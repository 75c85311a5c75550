"""l2i.training.augmentation: crops and mixtures of clips, and what is known of them."""

import torch
from torch.testing import assert_close

from l2i.networks.classifier import MIN_FRAMES
from l2i.training.augmentation import Augmentation, augment


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
