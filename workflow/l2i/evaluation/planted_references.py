"""What else finds a planted sound: the best of masks, which knows it, and SLIME.

Names and shapes
----------------
Y, S : (F, T)  complex STFT of a mixture, and of the source in it
m : (F, T)     share of each bin of the mixture that is taken
"""

from __future__ import annotations

import torch
from torch import Tensor

from l2i.evaluation.planted import Separation, as_sounds
from l2i.features.spectral import FrontEnd, magnitude
from l2i.interpretation.slime import Explanation, border_samples, divide, gate


def found_by_oracle(mixture: Tensor, source: Tensor, front_end: FrontEnd) -> Separation:
    """What :func:`oracle_mask` finds in a mixture (n_samples,) of which the source is known."""
    Y, S = (front_end.stft(front_end.to_whole_hops(x)) for x in (mixture, source))
    m, total = oracle_mask(Y, S), magnitude(Y)
    return as_sounds((m * total).log1p(), ((1 - m) * total).log1p(), Y, front_end, len(mixture))


def oracle_mask(Y: Tensor, S: Tensor) -> Tensor:
    """The mask m, between 0 and 1, for which m Y is nearest to S in each bin.

    It is the least-squares one, Re(S Y*) / |Y|^2, cut off at its bounds: |S - m Y|^2 is a parabola
    in m. Between them, what is missed is the part of S at a right angle to Y, |S|^2 sin^2 of the
    angle between the two. 1 - m is the best mask for Y - S.
    """
    energy = Y.real.square() + Y.imag.square()
    along = S.real * Y.real + S.imag * Y.imag
    return torch.where(energy > 0, along / energy, 0.0).clamp(0, 1)


def found_by_slime(mixture: Tensor, explanation: Explanation, front_end: FrontEnd) -> Separation:
    """The segments of a mixture (n_samples,), on the CPU, that SLIME keeps, and the others."""
    borders = border_samples(explanation.borders, front_end, len(mixture))
    x = mixture.numpy()
    through = gate(explanation.kept, borders, len(x), front_end.sample_rate)
    interpretation, remainder = map(torch.from_numpy, divide(x, through))
    return Separation(interpretation, remainder, len(explanation.kept))
