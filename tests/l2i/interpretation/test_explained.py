"""l2i.interpretation.explained: a classifier with its interpreter, as one."""

import torch

from helpers.known_networks import known_pair
from helpers.small_networks import random_dictionary, small_classifier, small_interpreter
from l2i.interpretation.explained import ExplainedClassifier
from l2i.networks.interpreter import Interpretation


def test_relevance_can_be_pooled_by_maximum():
    pair, by_max = known_pair(), known_pair(relevance_pooling="max")
    H = torch.zeros(1, 4, 10)
    H[0, 1, 3] = 100.0
    interpretation = Interpretation(H, torch.tensor([[1.0, 0.0, 0.0, 0.0]]), torch.zeros(1, 3))
    assert pair.relevances(interpretation)[0, 0].argmax() == 0
    assert by_max.relevances(interpretation)[0, 0].argmax() == 1


def test_both_can_be_traced_with_a_number_of_frames_that_is_a_symbol(generator):
    # What is kept between calls must not be made of symbols, nor end up in the trace or outlive it.
    interpreter = small_interpreter(random_dictionary(generator))
    network = Both(ExplainedClassifier(small_classifier().eval(), interpreter.eval()))
    program = torch.export.export(
        network,
        (torch.randn(1, 301, 128, generator=generator),),
        dynamic_shapes={"M": {1: torch.export.Dim("n_frames", min=192)}},
        strict=False,
        prefer_deferred_runtime_asserts_over_guards=True,
    )
    for n_frames in (192, 301, 448):
        M = torch.randn(1, n_frames, 128, generator=generator)
        for found, expected in zip(program.module()(M), network(M), strict=True):
            assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5)


class Both(torch.nn.Module):
    """Classifier and interpreter as one network."""

    def __init__(self, explained):
        super().__init__()
        self.explained, self.parts = (
            explained,
            torch.nn.ModuleList([explained.classifier, explained.interpreter]),
        )

    def forward(self, M):
        logits, interpretation = self.explained.explain(M, M.shape[1])
        return logits, *interpretation
