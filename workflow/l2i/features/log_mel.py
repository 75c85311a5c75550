"""A log-mel spectrogram for networks that bring a front end of their own.

Long windows, few frames, bands of the HTK scale: what prototypes are compared in (Zinemanas et al.
2021, Sec. 4.2). The front end that all other networks share is in l2i.features.spectral.

Names and shapes
----------------
x : (B, n_samples)         waveforms
M : (B, n_frames, n_mels)  log-mel in dB, time first
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torchaudio
from torch import Tensor

from l2i.checks import InputError
from l2i.features.spectral import POWER_FLOOR, TOP_DB, mel_filters


@dataclass(frozen=True)
class LogMel:
    """Settings of the representation; lengths in samples, rate in Hz.

    The STFT is not padded: a frame sees nothing beyond the ends of its clip.
    """

    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int

    @property
    def n_bins(self) -> int:
        """Number of STFT frequency bins."""
        return self.n_fft // 2 + 1

    @property
    def filters(self) -> Tensor:
        """HTK mel filterbank, (n_bins, n_mels), float64."""
        return mel_filters(self.n_bins, self.n_mels, self.sample_rate, "htk")

    def __call__(self, x: Tensor, sample_rate: int) -> Tensor:
        """Log-mel M of waveforms x at `sample_rate`, which are resampled.

        Every clip is clipped at 80 dB below its own maximum, as in l2i.features.spectral.

        Raises
        ------
        InputError
            If the waveforms are shorter than one window.
        """
        x = torchaudio.functional.resample(x, sample_rate, self.sample_rate)
        if x.shape[-1] < self.n_fft:
            raise InputError(
                f"clips of {x.shape[-1]} samples at {self.sample_rate} Hz are shorter than a "
                f"window, n_fft: {self.n_fft}. Lower n_fft, or raise clip_seconds"
            )
        S = torch.stft(
            x,
            self.n_fft,
            self.hop_length,
            window=torch.hann_window(self.n_fft, dtype=x.dtype, device=x.device),
            center=False,
            return_complex=True,
        )
        power = S.real.square() + S.imag.square()
        mel = power.transpose(1, 2) @ self.filters.to(x)
        decibel = 10 * mel.clamp(min=POWER_FLOOR).log10()
        return torch.maximum(decibel, decibel.amax((1, 2), keepdim=True) - TOP_DB)
