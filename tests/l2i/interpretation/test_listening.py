"""l2i.interpretation.listening: what is written beside sounds."""

import numpy as np
import pytest
import torch

from l2i.interpretation.listening import level_dbfs


def test_levels_are_in_decibel_re_full_scale():
    assert level_dbfs(torch.full((10,), 0.1)) == pytest.approx(-20)
    assert level_dbfs(np.zeros(10)) is None
