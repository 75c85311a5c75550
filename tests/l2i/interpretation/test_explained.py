"""l2i.interpretation.explained: a classifier with its interpreter, as one."""

import torch

from helpers.known_networks import known_pair
from l2i.networks.interpreter import Interpretation


def test_relevance_can_be_pooled_by_maximum():
    pair, by_max = known_pair(), known_pair(relevance_pooling="max")
    H = torch.zeros(1, 4, 10)
    H[0, 1, 3] = 100.0
    interpretation = Interpretation(H, torch.tensor([[1.0, 0.0, 0.0, 0.0]]), torch.zeros(1, 3))
    assert pair.relevances(interpretation)[0, 0].argmax() == 0
    assert by_max.relevances(interpretation)[0, 0].argmax() == 1
