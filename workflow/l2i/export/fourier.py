"""The STFT and its inverse in real numbers, as products with sines and cosines.

Every runtime has what they take: complex numbers, and operators of the STFT, few have.

Names and shapes
----------------
x : (B, n_samples)                  waveforms of a whole number of hops, float32
S : (B, 2, n_bins, n_frames)        real and imaginary part of the STFT, float32
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose1d, pad

from l2i.features.spectral import FrontEnd


class Fourier(nn.Module):
    """What :meth:`FrontEnd.stft` and :meth:`FrontEnd.istft` compute, without complex numbers.

    Sums of the STFT are taken in float64: in float32 those of a thousand products leave more behind
    than an FFT does, and a log-mel reaches down to where that is seen. The inverse is the transposed
    convolution with the same basis, divided by the sum of the squared windows over a sample.

    The basis is not held but computed of a table of one turn, which a runtime does once, when it
    opens the file: it would take 12 MB there, more than most networks.
    """

    turn: Tensor  # (2, n_fft), cosine and minus sine of one turn, float64
    window: Tensor  # (n_fft,), float64
    weights: Tensor  # (n_bins, 1), of bins in the inverse

    def __init__(self, front_end: FrontEnd) -> None:
        super().__init__()
        self.n_fft, self.hop_length = front_end.n_fft, front_end.hop_length
        self.n_bins, self.reach = front_end.n_bins, front_end.n_fft // 2
        angle = torch.arange(self.n_fft, dtype=torch.float64) * (2 * torch.pi / self.n_fft)
        self.register_buffer("turn", torch.stack([angle.cos(), -angle.sin()]))
        self.register_buffer("window", torch.hann_window(self.n_fft, dtype=torch.float64))
        # Each bin but the first, and the last where n_fft is even, stands for its mirror image too.
        alone = torch.arange(self.n_bins) * 2 % self.n_fft == 0
        self.register_buffer("weights", (2.0 - alone.float())[:, None] / self.n_fft)

    def stft(self, x: Tensor) -> Tensor:
        """S of waveforms x, centred and reflected at both ends."""
        reflected = pad(x[:, None], (self.reach, self.reach), mode="reflect")[:, 0]
        starts = torch.arange(x.shape[1] // self.hop_length + 1) * self.hop_length
        frames = reflected[:, starts[:, None] + torch.arange(self.n_fft)].double()
        S = self._basis() @ frames.transpose(1, 2)
        return S.unflatten(1, (2, -1)).float()

    def istft(self, S: Tensor, n_samples: int) -> Tensor:
        """Waveforms (B, n_samples) of S."""
        both, basis = (S * self.weights).flatten(1, 2), self._basis().float()[:, None]
        x = conv_transpose1d(both, basis, stride=self.hop_length)[:, 0]
        ones, squared = torch.ones_like(S[:1, 0, :1]), self.window.square().float()
        overlap = conv_transpose1d(ones, squared[None, None], stride=self.hop_length)[:, 0]
        heard = slice(self.reach, self.reach + n_samples)
        return x[:, heard] / overlap[:, heard]

    def _basis(self) -> Tensor:
        """Windowed cosines and sines, (2 n_bins, n_fft), float64."""
        # Not %, whose operator is called remainder, as one of the graph's outputs is.
        steps = torch.fmod(torch.arange(self.n_bins)[:, None] * torch.arange(self.n_fft), self.n_fft)
        return (self.turn[:, steps] * self.window).flatten(0, 1)
