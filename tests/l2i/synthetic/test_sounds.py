"""l2i.synthetic.sounds: what sounds are made of."""

from __future__ import annotations

import numpy as np

from l2i.synthetic.sounds import harmonics


def test_harmonics_are_the_sum_of_sines():
    phase = np.linspace(0, 40, 1000)
    wanted = 0.5 * np.sin(phase) + 0.2 * np.sin(3 * phase)
    np.testing.assert_allclose(harmonics(phase, [0.5, 0, 0.2]), wanted, atol=1e-12)
