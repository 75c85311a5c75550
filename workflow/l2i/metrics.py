"""Agreement between a reference and an estimate, one value per clip."""

from __future__ import annotations

import torch
from torch import Tensor

from l2i.checks import require_shape


def rank_of(estimate: Tensor, reference: Tensor) -> Tensor:
    """Rank, from 1, of the reference class among the estimated scores.

    Top-k fidelity (Sec. IV-C) is the share of clips whose rank is at most k. Ties go to the lower
    class number, so that no metric depends on a sorting algorithm.

    Parameters
    ----------
    estimate : Tensor, shape (B, C)
        Scores of the interpreter.
    reference : Tensor of int64, shape (B,)
        Classes predicted by the classifier.
    """
    require_shape(reference, (len(estimate),), "reference")
    own = estimate.gather(1, reference[:, None])
    lower_class = torch.arange(estimate.shape[1], device=estimate.device) < reference[:, None]
    # Put so that scores that are no numbers rank last, not first.
    behind = (estimate < own) | ((estimate == own) & ~lower_class)
    return 1 + (~behind).sum(1)
