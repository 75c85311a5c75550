"""A share of a long sound, block by block: memory is bounded by blocks, not by the sound."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from l2i.features.spectral import FrontEnd, log_magnitude, phase_of

BLOCK_FRAMES = 2048  # that are held as spectrograms at a time: half a minute, some 30 MB
Share = Callable[[Tensor, Tensor], Tensor]


@torch.no_grad()
def masked_sound(
    waveform: Tensor,
    H: Tensor,
    front_end: FrontEnd,
    share: Share,
    *,
    block_frames: int = BLOCK_FRAMES,
) -> Tensor:
    """What is left of a waveform of any length when its log-magnitude is masked.

    Parameters
    ----------
    waveform : Tensor, shape (n_samples,)
        Scaled as for training.
    H : Tensor, shape (K, n_frames)
        Activations over all of it, see :func:`l2i.interpretation.synthesis.inverted`.
    front_end : FrontEnd
    share : callable
        Of log-magnitude (F, T) and activations (K, T) of a block, the log-magnitude that is kept.
    block_frames : int
        The result does not depend on it, but for rounding.

    Returns
    -------
    Tensor, shape (n_samples,)
        On the CPU.
    """
    n_samples, hop = len(waveform), front_end.hop_length
    n_hops = H.shape[1] - 1
    reach = -(-front_end.n_fft // hop)  # hops beyond a block that its samples depend on
    heard = torch.empty(n_samples)
    for start in range(0, n_hops, block_frames):
        first = max(0, start - reach)
        end = min(n_hops, start + block_frames + reach)
        x = waveform[first * hop : end * hop].to(H.device)
        S = front_end.stft(pad(x, (0, (end - first) * hop - len(x))))  # silence at the very end
        X = share(log_magnitude(S), H[:, first : end + 1])
        y = front_end.inverse(X, phase_of(S), (end - first) * hop)
        part = heard[start * hop : (start + block_frames) * hop]
        part.copy_(y[(start - first) * hop :][: len(part)])
    return heard
