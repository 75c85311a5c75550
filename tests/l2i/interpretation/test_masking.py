"""l2i.interpretation.masking: shares of sounds that are longer than memory."""

from __future__ import annotations

import pytest
import torch

from helpers.own_sounds import SMALL
from l2i.interpretation.masking import masked_sound
from l2i.interpretation.relevance import soft_masked
from l2i.interpretation.synthesis import n_inverted_frames


@pytest.mark.parametrize("n_samples", [1, 100, 8127, 8128, 30_001])
def test_blocks_leave_no_trace(generator, n_samples):
    x = torch.randn(n_samples, generator=generator)
    W = torch.rand(SMALL.n_bins, 5, generator=generator)
    H = torch.rand(5, n_inverted_frames(n_samples, SMALL), generator=generator)
    L = torch.tensor([True, False, True, False, False])
    whole, in_blocks = (
        masked_sound(x, H, SMALL, lambda X, H: soft_masked(X, W, H, L), block_frames=n)
        for n in (10_000, 17)
    )
    assert len(whole) == n_samples and whole.abs().max() > 0
    torch.testing.assert_close(in_blocks, whole, rtol=0, atol=2e-6)


def test_what_keeps_all_gives_the_sound_back(generator):
    x = torch.randn(20_000, generator=generator)
    H = torch.ones(1, n_inverted_frames(len(x), SMALL))
    kept = masked_sound(x, H, SMALL, lambda X, H: X, block_frames=50)
    torch.testing.assert_close(kept, x, rtol=0, atol=1e-5)
