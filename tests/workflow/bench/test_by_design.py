"""workflow/bench/by_design.py: what a training step is spent on."""

from __future__ import annotations

import pytest

from helpers.project import load_bench

by_design = load_bench("by_design")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aten::mkldnn_convolution", "convolutions"),
        ("autograd::engine::evaluate_function: ConvolutionBackward0", "convolutions"),
        ("aten::bmm", "matrix products"),
        ("aten::native_batch_norm_backward", "normalisation, pooling and rectifiers"),
        ("aten::addcdiv_", "optimiser"),
        ("aten::copy_", "copies"),
        ("aten::tanh", by_design.OTHERS),
    ],
)
def test_work_is_told_apart_by_its_name(name, kind):
    assert by_design.kind_of(name) == kind
