"""workflow/bench: what an epoch of post-hoc training takes at least."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from helpers.project import load_bench
from l2i.networks.classifier import map_shapes
from l2i.networks.interpreter import Interpreter

interpreter = load_bench("interpreter")


@pytest.mark.parametrize(
    ("B", "n_frames", "n_components", "width"), [(2, 431, 20, 0.25), (3, 130, 7, 0.125)]
)
def test_operations_of_a_step_are_those_that_torch_counts(B, n_frames, n_components, width):
    network = Interpreter(
        torch.rand(33, n_components), 4, pooling="attention", dropout=0.4, width=width
    )
    hidden = {
        tap: torch.rand(B, shape.channels, n_frames // shape.stride, shape.n_bands)
        for tap, shape in map_shapes(width).items()
    }
    WtW = network.W.T @ network.W
    with FlopCounterMode(display=False) as counter:
        H, _, logits = network(hidden, n_frames)
        (logits.sum() + (WtW @ H * H).sum()).backward()
    ours = interpreter.step_operations(network, B, n_frames)
    # The kernels' rows that see no band are left out of their gradient, which we count in full.
    assert ours == pytest.approx(counter.get_total_flops(), rel=0.06)
    assert ours >= counter.get_total_flops()


@pytest.mark.parametrize(
    "other", [{"pooling": "max"}, {"pooling": "class_attention"}, {"taps": ("B3", "B5", "B6")}]
)
def test_operations_of_another_network_are_not_guessed(other):
    network = Interpreter(
        torch.rand(33, 5), 4, **{"pooling": "attention", "dropout": 0.4, "width": 0.125} | other
    )
    with pytest.raises(ValueError, match="B4, B5 and B6"):
        interpreter.step_operations(network, 2, 130)
