"""How cells are removed from a spectrogram: three ways, since what is left decides what is heard.

Whoever removes cells puts a sound before the network that it has never heard the like of, and what
it says then depends on the removal as well as on what was removed (Hooker et al., "A benchmark for
interpretability methods in deep neural networks", NeurIPS 2019). Measures are therefore taken under
each of these operators, and told side by side.

Names and shapes
----------------
S : (F, T) complex         STFT of a clip
share : (..., F, T)        share of every cell that is removed, 0 to 1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from l2i.features.spectral import FrontEnd, log_magnitude, magnitude, phase_of

# What is left of S, (..., F, T) complex, when a share of every cell is removed.
Operator = Callable[[Tensor, Tensor], Tensor]

LOG_MAGNITUDE, LINEAR_MAGNITUDE, NOISE_FILL = "log_magnitude", "linear_magnitude", "noise_fill"
OPERATORS = (LOG_MAGNITUDE, LINEAR_MAGNITUDE, NOISE_FILL)


def log_magnitude_removed(S: Tensor, share: Tensor) -> Tensor:
    """X - m X, of X = log(1 + |S|): the paper's removal (Eq. 7), with the phase of the clip."""
    X = log_magnitude(S)
    return torch.expm1(X - share * X) * phase_of(S)


def linear_magnitude_removed(S: Tensor, share: Tensor) -> Tensor:
    """(1 - m) S: the complement of an ordinary mask."""
    return (1 - share) * S


def filled_with(noise: Tensor) -> Operator:
    """(1 - m) S + m N: what is removed becomes background, N of the shape of S."""

    def noise_filled(S: Tensor, share: Tensor) -> Tensor:
        return (1 - share) * S + share * noise

    return noise_filled


def background_noise(S: Tensor, front_end: FrontEnd, generator: torch.Generator) -> Tensor:
    """Gaussian noise in the colour of a clip's background, as an STFT like S.

    In each bin the median magnitude is that of the clip over time: what is there half of the time,
    however loud an event is. Noise in a stationary clip has its level. A clip of which more than
    half is digital silence has a silent background.

    Parameters
    ----------
    S : Tensor, shape (F, T), complex128
    front_end : FrontEnd
        That of `S`.
    generator : torch.Generator
        On the CPU, see :func:`l2i.streams.torch_stream`.
    """
    n_samples = (S.shape[1] - 1) * front_end.hop_length
    white = torch.randn(n_samples, generator=generator, dtype=S.real.dtype).to(S.device)
    N = front_end.stft(white)
    # By its own median, so that the level is right in every bin, whatever the window.
    colour = median_over_time(magnitude(S)) / median_over_time(magnitude(N))
    return colour[:, None] * N


def median_over_time(levels: Tensor) -> Tensor:
    """Median of each bin, (F,) of (F, T); the lower one of the two in the middle."""
    # By sorting: torch.median has no deterministic implementation on a GPU.
    return levels.sort(1).values[:, (levels.shape[1] - 1) // 2]


def operators_of(
    names: Sequence[str], S: Tensor, front_end: FrontEnd, generator: torch.Generator
) -> dict[str, Operator]:
    """The operators of some names, for a clip S."""
    known: dict[str, Operator] = {
        LOG_MAGNITUDE: log_magnitude_removed,
        LINEAR_MAGNITUDE: linear_magnitude_removed,
    }
    if NOISE_FILL in names:
        known[NOISE_FILL] = filled_with(background_noise(S, front_end, generator))
    return {name: known[name] for name in names}
