"""Measures of an explanation that is a mask, each by its definition.

With c the class that is explained, p its probability in the clip as it is, p_in in what the mask
keeps, and p_out in what is left without it:

====================  ==========================================================  ==============
measure               definition                                                  better
====================  ==========================================================  ==============
average increase      mean of [p_in > p]                                          higher
average drop          mean of max(0, p - p_in) / p                                lower
average gain          mean of max(0, p_in - p) / (1 - p)                          higher
faithfulness          median of p - p_out (FF, Eq. 7)                             higher
fidelity-in           mean of [the network still decides for c in what is kept]   higher
insertion             area under p over what is kept, the most relevant first     higher
deletion              area under p over what is removed, the most relevant first  lower
sparseness            Gini index of the mask's cells                              higher
complexity            entropy of the mask that is made to add up to 1, in nats    lower
====================  ==========================================================  ==============

Probabilities are those that the network gives, through one softmax. Drop and gain of it are between
0 and 1, and at most one of both is not 0.

References
----------
Average increase and drop: A. Chattopadhay et al., "Grad-CAM++", WACV 2018; average gain: H. Zhang
et al., "Opti-CAM", CVIU 2024; fidelity-in: F. Paissan, M. Ravanelli, C. Subakan, "Listenable maps
for audio classifiers", ICML 2024; insertion and deletion: V. Petsiuk, A. Das, K. Saenko, "RISE",
BMVC 2018, there over the share of pixels; sparseness: P. Chalasani et al., "Concise explanations of
neural networks using adversarial training", ICML 2020, by the index of N. Hurley, S. Rickard,
"Comparing measures of sparsity", IEEE Trans. Inf. Theory 2009; complexity: U. Bhatt, A. Weller,
J. Moura, "Evaluating and aggregating feature-based model explanations", IJCAI 2020.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def relative_drop(p: Tensor, p_in: Tensor) -> Tensor:
    """max(0, p - p_in) / p, elementwise; 0 where p is 0 and nothing can be lost."""
    lost = (p - p_in).clamp(min=0)
    return lost / p.where(lost > 0, 1)


def relative_gain(p: Tensor, p_in: Tensor) -> Tensor:
    """max(0, p_in - p) / (1 - p), elementwise; 0 where p is 1 and nothing can be won."""
    won = (p_in - p).clamp(min=0)
    return won / (1 - p).where(won > 0, 1)


def sparseness(mask: Tensor) -> float:
    """Gini index of the cells of a mask: 0 where all are equal, 1 - 1/n where one has all.

    It does not depend on the mask's scale. An empty mask has 0, as the faintest uniform one.
    """
    cells = mask.flatten().double().sort().values
    total, n = cells.sum(), len(cells)
    if not total > 0:
        return 0.0
    rank = torch.arange(1, n + 1, device=cells.device)
    return float(((2 * rank - n - 1) * cells).sum() / (n * total))


def complexity(mask: Tensor) -> float:
    """Entropy of mask / sum(mask) in nats: 0 where one cell has all, log n where all are equal.

    It grows with the number n of cells, so that it compares masks of one shape. An empty mask has
    log n, as the faintest uniform one.
    """
    cells = mask.flatten().double()
    total = cells.sum()
    if not total > 0:
        return math.log(len(cells))
    shares = cells / total
    return float(-torch.xlogy(shares, shares).sum())


def area(shares: Tensor, p: Tensor) -> float:
    """Area under probabilities over shares from 0 to 1, by trapezoids.

    Parameters
    ----------
    shares : Tensor, shape (n,)
        Never falling, from 0 to 1.
    p : Tensor, shape (n,)
    """
    return float(torch.trapezoid(p.double(), shares.double()))
