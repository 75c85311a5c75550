"""Classifiers with shuffled weights, from the output down: what they know is gone, stage by stage.

The values of each parameter change places within their tensor, so that each keeps its distribution,
and what a network has learned is lost and nothing else. A batch norm keeps no statistics of maps
that are not there any more: those of shuffled stages are taken anew, as if the network had been
made with these weights. Else the maps would leave the range that all later layers, and the
interpreter, know, and a measure could notice that instead.

References
----------
J. Adebayo, J. Gilmer, M. Muelly, I. Goodfellow, M. Hardt, B. Kim, "Sanity checks for saliency
maps", NeurIPS 2018: cascading randomisation, with weights drawn anew.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from l2i.networks.classifier import BLOCKS, Classifier
from l2i.streams import torch_stream

HEAD = "head"  # all after the blocks
STAGES = (HEAD, *reversed(BLOCKS))
# What is shuffled, step by step; first nothing, at last everything.
CASCADE = tuple(STAGES[:n] for n in range(len(STAGES) + 1))


def name_of(stages: tuple[str, ...]) -> str:
    """A step of the cascade in tables: `nothing`, `head`, `head+B6`, ..."""
    return "+".join(stages) or "nothing"


@torch.no_grad()
def shuffled(
    classifier: Classifier, stages: tuple[str, ...], M: Tensor, *, seed: int, draw: int
) -> Classifier:
    """A copy of a frozen classifier whose stages are shuffled; `classifier` stays as it is.

    Parameters
    ----------
    classifier : Classifier
        In evaluation mode.
    stages : tuple of str
        An element of `CASCADE`.
    M : Tensor, shape (B, n_frames, n_mels)
        Log-mel of training clips, for the statistics of batch norms.
    seed, draw : int
        A parameter is shuffled alike at all steps of one draw.
    """
    network = copy.deepcopy(classifier)
    for name, parameter in network.named_parameters():
        if _stage_of(name) in stages:
            order = torch.randperm(
                parameter.numel(), generator=torch_stream(seed, "shuffled weights", draw, name)
            )
            values = parameter.flatten()[order.to(parameter.device)]
            parameter.copy_(values.view_as(parameter))
    norms = [
        module
        for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm2d) and _stage_of(name) in stages
    ]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches, of which there is one
        norm.train()
    network(M)
    return network.eval()


def _stage_of(name: str) -> str:
    """The stage of a parameter or module, by its name in the network."""
    first, *rest = name.split(".")
    return rest[0] if first == "blocks" and rest else HEAD
