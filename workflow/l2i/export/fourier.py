"""The STFT and its inverse in real numbers, out of products, sums and gathers.

Every runtime has those; complex numbers, and operators of the STFT, few have.

Names and shapes
----------------
x : (B, n_samples)               waveforms of a whole number of hops, float32
S : (B, 2, n_bins, n_frames)     real and imaginary part of the STFT, float32
n_fft = N1 N2                    sample n = N2 n1 + n2 of a frame, bin k = k1 + N1 k2

References
----------
J. Cooley, J. Tukey, "An algorithm for the machine calculation of complex Fourier series",
Mathematics of Computation 19, 1965: a sum over n is one over n1, then one over n2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from l2i.features.spectral import FrontEnd


class Fourier(nn.Module):
    """What :meth:`FrontEnd.stft` and :meth:`FrontEnd.istft` compute, without complex numbers.

    The STFT is summed in float64: a log-mel reaches down to where float32 leaves nothing but what
    its order of summation has rounded.
    """

    window: Tensor  # (n_fft,), float64
    places: Tensor  # (N2, N1), which sample of a frame
    first: Tensor  # (N1, 2 N1), real n1 to complex k1
    turn: Tensor  # (2, N2, N1), cosine and sine by which n2 turns k1
    second: Tensor  # (2 N2, 2 K2), complex n2 to complex k2; K2 of N2 reach n_bins
    weights: Tensor  # (n_bins, 1), of bins in the inverse

    def __init__(self, front_end: FrontEnd) -> None:
        super().__init__()
        n_fft, self.n_bins = front_end.n_fft, front_end.n_bins
        self.n_fft, self.hop_length, self.reach = n_fft, front_end.hop_length, n_fft // 2
        self.N1 = next(n for n in range(math.isqrt(n_fft), 0, -1) if n_fft % n == 0)
        self.N2 = n_fft // self.N1
        self.K2 = -(-self.n_bins // self.N1)
        n1, n2 = torch.arange(self.N1), torch.arange(self.N2)
        self.register_buffer("window", torch.hann_window(n_fft, dtype=torch.float64))
        self.register_buffer("places", self.N2 * n1 + n2[:, None])
        self.register_buffer("first", _turning(n1, n1, self.N1)[: self.N1])
        angle = _angle(n2, n1, n_fft)
        self.register_buffer("turn", torch.stack([angle.cos(), angle.sin()]))
        self.register_buffer("second", _turning(n2, torch.arange(self.K2), self.N2))
        # Each bin but the first, and the last where n_fft is even, stands for its mirror image too.
        alone = torch.arange(self.n_bins) * 2 % n_fft == 0
        self.register_buffer("weights", (2.0 - alone.float())[:, None] / n_fft)

    def stft(self, x: Tensor) -> Tensor:
        """S of waveforms x, centred and reflected at both ends."""
        reflected = pad(x[:, None], (self.reach, self.reach), mode="reflect")[:, 0]
        starts = torch.arange(x.shape[1] // self.hop_length + 1) * self.hop_length
        frames = reflected[:, starts[:, None, None] + self.places] * self.window[self.places]
        A = (frames @ self.first).unflatten(-1, (2, self.N1))  # (B, n_frames, N2, 2, N1)
        cosine, sine = self.turn
        real, imaginary = A[..., 0, :], A[..., 1, :]
        turned = [real * cosine - imaginary * sine, real * sine + imaginary * cosine]
        A = torch.cat(turned, 2).transpose(2, 3)  # (B, n_frames, N1, 2 N2)
        S = (A @ self.second).unflatten(-1, (2, self.K2))
        return S.permute(0, 3, 4, 2, 1).flatten(2, 3)[:, :, : self.n_bins].float()

    def istft(self, S: Tensor, n_samples: int) -> Tensor:
        """Waveforms (B, n_samples) of S."""
        bins = pad(S * self.weights, (0, 0, 0, self.N1 * self.K2 - self.n_bins))
        bins = bins.unflatten(2, (self.K2, self.N1)).permute(0, 4, 3, 1, 2).flatten(3)
        A = (bins @ self.second.T.float()).unflatten(-1, (2, self.N2))  # (B, n_frames, N1, 2, N2)
        cosine, sine = self.turn.float().transpose(1, 2)
        real, imaginary = A[..., 0, :], A[..., 1, :]
        turned = [real * cosine + imaginary * sine, imaginary * cosine - real * sine]
        A = torch.cat(turned, 2).transpose(2, 3)  # (B, n_frames, N2, 2 N1)
        frames = (A @ self.first.T.float()).transpose(2, 3).flatten(2) * self.window.float()
        squared = self.window.square().float() * torch.ones_like(frames[:1, :, :1])
        heard = slice(self.reach, self.reach + n_samples)
        return self._added(frames)[:, heard] / self._added(squared)[:, heard]

    def _added(self, frames: Tensor) -> Tensor:
        """Frames (B, n_frames, n_fft), each a hop behind the last, as one sum over samples."""
        n_hops = -(-self.n_fft // self.hop_length)
        hops = pad(frames, (0, n_hops * self.hop_length - self.n_fft))
        hops = hops.unflatten(2, (n_hops, self.hop_length))
        shifted = [pad(hops[:, :, j], (0, 0, j, n_hops - 1 - j)) for j in range(n_hops)]
        return torch.stack(shifted).sum(0).flatten(1)


def _angle(rows: Tensor, columns: Tensor, n: int) -> Tensor:
    """Minus as many n-ths of a turn as the product says, whole turns left out, float64."""
    return (rows[:, None] * columns % n).double() * (-2 * torch.pi / n)


def _turning(rows: Tensor, columns: Tensor, n: int) -> Tensor:
    """What complex numbers, real parts before imaginary ones, are multiplied with in a DFT of n.

    Its transpose is that of the inverse.
    """
    cosine, sine = _angle(rows, columns, n).cos(), _angle(rows, columns, n).sin()
    return torch.cat([torch.cat([cosine, sine], 1), torch.cat([-sine, cosine], 1)])
