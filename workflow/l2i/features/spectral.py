"""The time-frequency front end: STFT, log-magnitude, log-mel, and the way back (Sec. IV-B.2).

This module alone knows how a waveform becomes what the networks and the dictionary see.

Names and shapes
----------------
x : (..., n_samples)         waveform; leading axes are clips
S : (..., n_bins, n_frames)  complex STFT, Hann window, centred, reflected at both ends
X : (..., n_bins, n_frames)  log-magnitude log(1 + |S|), the NMF side (Sec. III-A)
M : (..., n_frames, n_mels)  log-mel in dB, time first, the classifier's side

All functions compute in the precision of their argument: float32 for speed, float64 as reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
import torchaudio
from torch import Tensor

TOP_DB = 80.0  # dynamic range kept below each clip's own maximum
POWER_FLOOR = 1e-10  # keeps the logarithm of silence finite, -100 dB
MAGNITUDE_FLOOR = 1e-12  # below it a bin has no phase worth keeping


@dataclass(frozen=True)
class FrontEnd:
    """Settings of the time-frequency representation; lengths in samples, rate in Hz.

    `mel_power` is the exponent of |S| under the mel filters: 2 is what the AudioSet weights were
    trained with, 1 is what the authors' code feeds.
    """

    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int
    mel_power: int

    @property
    def n_bins(self) -> int:
        """Number of STFT frequency bins."""
        return self.n_fft // 2 + 1

    def n_frames(self, n_samples: int) -> int:
        """Number of STFT frames of a waveform of `n_samples`."""
        return 1 + n_samples // self.hop_length

    def to_whole_hops(self, x: Tensor) -> Tensor:
        """Waveforms with silence added at their end, up to a whole number of hops.

        For what is changed and inverted: the last sample then lies under the middle of a window.
        Elsewhere the inverse divides by the window's faint edge, and a masked spectrogram would
        end in a click.
        """
        return torch.nn.functional.pad(x, (0, -x.shape[-1] % self.hop_length))

    def stft(self, x: Tensor) -> Tensor:
        """Complex spectrogram S of waveforms x, (..., n_samples) to (..., n_bins, n_frames)."""
        flat = x.reshape(-1, x.shape[-1])
        S = torch.stft(
            flat,
            self.n_fft,
            self.hop_length,
            window=_hann(self.n_fft, x.dtype, x.device),
            center=True,
            pad_mode="reflect",
            return_complex=True,
        )
        return S.reshape(*x.shape[:-1], *S.shape[-2:])

    def log_mel(self, S: Tensor) -> Tensor:
        """Log-mel M in dB of spectrograms S, (..., n_bins, n_frames) to (..., n_frames, n_mels).

        S may be given as its magnitude already.

        Every clip is clipped at 80 dB below its own maximum, so a clip's features do not depend on
        the batch that it is computed in.
        """
        spectrum = magnitude(S) if self.mel_power == 1 else magnitude(S) ** self.mel_power
        mel = spectrum.transpose(-1, -2) @ _filters_of(self, spectrum.dtype, S.device)
        decibel = 10 * mel.clamp(min=POWER_FLOOR).log10()
        return torch.maximum(decibel, decibel.amax((-1, -2), keepdim=True) - TOP_DB)

    def inverse(self, X: Tensor, phase: Tensor, n_samples: int) -> Tensor:
        """Waveforms of log-magnitudes X with a given phase: INV of Algorithm 1.

        Parameters
        ----------
        X : Tensor, shape (..., n_bins, n_frames)
            Log-magnitude.
        phase : Tensor, shape (n_bins, n_frames) or like X
            Unit phasors, from :func:`phase_of`.
        n_samples : int
            Length of the result, equal to that of the waveform the phase was taken from.

        Returns
        -------
        Tensor, shape (..., n_samples)
        """
        return self.istft(torch.expm1(X) * phase, n_samples)

    def istft(self, S: Tensor, n_samples: int) -> Tensor:
        """Waveforms of complex spectrograms, (..., n_bins, n_frames) to (..., n_samples)."""
        x = torch.istft(
            S.reshape(-1, *S.shape[-2:]),
            self.n_fft,
            self.hop_length,
            window=_hann(self.n_fft, S.real.dtype, S.device),
            center=True,
            length=n_samples,
        )
        return x.reshape(*S.shape[:-2], n_samples)


def magnitude(S: Tensor) -> Tensor:
    """|S|; a magnitude stays what it is."""
    # Not abs(): that guards against overflow, which no waveform causes, at three times the cost.
    return S.real.square().addcmul_(S.imag, S.imag).sqrt_() if S.is_complex() else S


def log_magnitude(S: Tensor) -> Tensor:
    """X = log(1 + |S|), elementwise."""
    return magnitude(S).log1p()


def phase_of(S: Tensor) -> Tensor:
    """Unit phasors S / |S|; bins without energy get 0, so that they stay silent."""
    return S / S.abs().clamp(min=MAGNITUDE_FLOOR)


def up_to_frames(A: Tensor, n_frames: int) -> Tensor:
    """What belongs to frames, (..., n), for `n_frames` of them: the last one is repeated.

    Features have a frame less than a waveform that was brought :meth:`FrontEnd.to_whole_hops`,
    where the clip ends between two hops.
    """
    last = A[..., -1:].expand(*A.shape[:-1], n_frames - A.shape[-1])
    return torch.cat([A, last], -1)


@lru_cache(maxsize=8)
def mel_filters(
    n_bins: int, n_mels: int, sample_rate: int, scale: str, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Mel filterbank of equal areas (Slaney's norm), from 0 Hz to half the sample rate.

    Parameters
    ----------
    n_bins, n_mels, sample_rate : int
        Frequency bins of the STFT, mel bands, and samples per second.
    scale : {'slaney', 'htk'}
        What is called mel.
    dtype : torch.dtype
        What it is computed in: in float32 narrow low filters are off by up to 2e-4 dB.

    Returns
    -------
    Tensor, shape (n_bins, n_mels)
        The same one to all who ask: not to be changed in place.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)  # the only way to tell torchaudio
    try:
        return torchaudio.functional.melscale_fbanks(
            n_bins,
            f_min=0.0,
            f_max=sample_rate / 2,
            n_mels=n_mels,
            sample_rate=sample_rate,
            norm="slaney",
            mel_scale=scale,
        )
    finally:
        torch.set_default_dtype(before)


@lru_cache(maxsize=8)
def _hann(n_fft: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.hann_window(n_fft, dtype=dtype, device=device)


@lru_cache(maxsize=8)
def _filters_of(front_end: FrontEnd, dtype: torch.dtype, device: torch.device) -> Tensor:
    filters = mel_filters(front_end.n_bins, front_end.n_mels, front_end.sample_rate, "slaney")
    return filters.to(device, dtype)
