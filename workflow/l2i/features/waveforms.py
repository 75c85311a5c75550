"""A front end for classifiers that hear waveforms, not spectrograms."""

from __future__ import annotations

import torch
from torch import Tensor

from l2i.features.spectral import FrontEnd


class WaveformFrontEnd(FrontEnd):
    """Spectrograms for the dictionary, and the waveform that they invert to for the classifier.

    What the classifier hears is made from the spectrogram, and not handed around it, so that it can
    be asked about a sound of which components were removed. `n_mels` and `mel_power` mean nothing.
    """

    def log_mel(self, S: Tensor) -> Tensor:
        """Waveforms (..., n_samples) of complex spectrograms S (..., n_bins, n_frames)."""
        n_samples = (S.shape[-1] - 1) * self.hop_length
        return self.inverse(S.abs().log1p(), torch.sgn(S), n_samples)
