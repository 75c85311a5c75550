"""What a predictor says of a sound: of a clip, and of what an interpretation takes out of it.

"As heard" means that a sound is treated as a clip of its own: its waveform is scaled and cut as
waveforms are for scores, and goes through the front end and the predictor. A faint sound is then
heard as loud as a clip, where the scale is by the peak. So this tells what the network hears in the
sound that a listener plays. It is not the measure of faithfulness (l2i.evaluation.removals): that
masks what was decided on, inverts it in float64, and has it heard at the level that is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from l2i.features.audio import scale_waveform
from l2i.features.spectral import FrontEnd

TOGETHER = 8  # sounds that are heard in one batch
FAINTEST = 1e-5  # of the clip's peak: below lies what the way through the STFT rounds


@dataclass(frozen=True)
class Hearing:
    """How a waveform comes to a network, the same for clips that are scored and for sounds."""

    front_end: FrontEnd
    waveform_scale: str  # see l2i.features.audio.scale_waveform
    clip_seconds: float  # at which networks decide

    @property
    def n_samples(self) -> int:
        """Length in samples at which networks decide."""
        return round(self.clip_seconds * self.front_end.sample_rate)

    def stft(self, waveform: Tensor) -> Tensor:
        """Complex spectrogram of scaled waveforms, cropped or padded at their end."""
        # Padding by less than nothing crops.
        return self.front_end.stft(pad(waveform, (0, self.n_samples - waveform.shape[-1])))

    def log_mel(self, waveform: Tensor) -> Tensor:
        """Log-mel (..., n_frames, n_mels) of the same."""
        return self.front_end.log_mel(self.stft(waveform))

    def scaled(self, sound: np.ndarray) -> np.ndarray:
        """A sound (n_samples,) as loud as if it were a clip."""
        return scale_waveform(sound, self.waveform_scale)


@torch.no_grad()
def as_heard(
    predict: Callable[[Tensor], Tensor],
    sounds: Mapping[str, np.ndarray],
    hearing: Hearing,
    *,
    peak: float,
    device: str,
) -> dict[str, Tensor | None]:
    """What a predictor says of sounds.

    Parameters
    ----------
    predict : callable
        Probabilities (B, C) of log-mels (B, n_frames, n_mels).
    sounds : mapping of str to np.ndarray [shape=(n_samples,)]
    hearing : Hearing
    peak : float
        Largest magnitude of the clip that the sounds were taken from, at their level.
    device : str
        Of the predictor.

    Returns
    -------
    dict
        Probabilities (C,), by the names of the sounds; None for what is silent, or fainter than
        `FAINTEST` of the peak.
    """

    def log_mel(name: str) -> Tensor:
        waveform = torch.from_numpy(hearing.scaled(sounds[name]).astype(np.float32, copy=False))
        return hearing.log_mel(waveform.to(device))

    audible = [name for name, sound in sounds.items() if np.abs(sound).max() > FAINTEST * peak]
    said: dict[str, Tensor] = {}
    for start in range(0, len(audible), TOGETHER):
        some = audible[start : start + TOGETHER]
        said |= zip(some, predict(torch.stack([*map(log_mel, some)])).cpu(), strict=True)
    return {name: said.get(name) for name in sounds}
